package flightserver

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// JDBC writes milliseconds into times and timestamps of any unit, so that milliseconds are what is announced.
func TestParametersAreAnnouncedInMilliseconds(t *testing.T) {
	for id, want := range map[table.TypeID]arrow.DataType{
		table.Time:        arrow.FixedWidthTypes.Time32ms,
		table.TimeNS:      arrow.FixedWidthTypes.Time32ms,
		table.Timestamp:   &arrow.TimestampType{Unit: arrow.Millisecond},
		table.TimestampNS: &arrow.TimestampType{Unit: arrow.Millisecond},
		table.TimestampTZ: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Asia/Tokyo"},
		table.Null:        arrow.BinaryTypes.String,
		table.Integer:     arrow.PrimitiveTypes.Int32,
	} {
		got := parameterSchema([]table.Column{{Name: "1", Type: table.Of(id)}}, "Asia/Tokyo").Field(0).Type
		if !arrow.TypeEqual(got, want) {
			t.Errorf("%s is announced as %s, want %s", id, got, want)
		}
	}
}

// Floating types have digits but no scale: tools take a scale of 0 for "no digits after the point".
func TestFloatingTypesHaveNoScale(t *testing.T) {
	for id, want := range map[table.TypeID]bool{table.Float: false, table.Double: false, table.Integer: true, table.Timestamp: true} {
		m := columnsSchema(table.Name{}, []table.Column{{Name: "c", Type: table.Of(id)}}, "UTC").Field(0).Metadata
		if has := m.FindKey("ARROW:FLIGHT:SQL:SCALE") >= 0; has != want || m.FindKey("ARROW:FLIGHT:SQL:PRECISION") < 0 {
			t.Errorf("%s: %v", id, m)
		}
	}
}
