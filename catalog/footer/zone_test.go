package footer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

func zoneText(z table.Zone, t table.Type) string {
	var parts []string
	for g := range z.Nulls {
		b := z.At(g)
		text := "?"
		if b.Known {
			lo, okLo := b.Min.SQL(t)
			hi, okHi := b.Max.SQL(t)
			if !okLo || !okHi {
				lo, hi = fmt.Sprintf("%q", b.Min.Text), fmt.Sprintf("%q", b.Max.Text)
			}
			text = lo + "…" + hi
			text = strings.NewReplacer("CAST(", "", " AS "+t.SQL()+")", "").Replace(text)
		}
		parts = append(parts, text+[]string{" nulls?", "", " some", " only"}[b.Nulls])
	}
	return strings.Join(parts, ", ")
}

// TestZones: bounds by row group (of two rows) as the values of the table's type, and none where they could be wrong.
func TestZones(t *testing.T) {
	long := strings.Repeat("é", 20)
	stamp := func(u arrow.TimeUnit) arrow.DataType { return &arrow.TimestampType{Unit: u} }
	for _, c := range []struct {
		name   string
		typ    arrow.DataType
		as     table.Type
		values []string
		want   string
	}{
		{"int32", arrow.PrimitiveTypes.Int32, table.Of(table.Integer), []string{"9", "-10", "3", "3"}, "-10…9, 3…3"},
		{"int32 in a wider table", arrow.PrimitiveTypes.Int32, table.Of(table.BigInt), []string{"9", "-10"}, "-10…9"},
		{"int32 in a DOUBLE table", arrow.PrimitiveTypes.Int32, table.Of(table.Double), []string{"9"}, "none"},
		{"nulls", arrow.PrimitiveTypes.Int64, table.Of(table.BigInt), []string{"(null)", "3", "(null)", "(null)", "1", "2"}, "3…3 some, ? only, 1…2"},
		{"first nulls", arrow.BinaryTypes.String, table.Of(table.Varchar), []string{"(null)", "(null)", "a", "b"}, "? only, 'a'…'b'"},
		{"only nulls", arrow.BinaryTypes.String, table.Of(table.Varchar), []string{"(null)", "(null)"}, "? only"},
		{"uint64 of the upper half", arrow.PrimitiveTypes.Uint64, table.Of(table.UBigInt), []string{"18446744073709551615", "1", "2", "3"}, "?, 2…3"},
		{"uint32", arrow.PrimitiveTypes.Uint32, table.Of(table.UInteger), []string{"4294967295", "1"}, "1…4294967295"},
		{"float", arrow.PrimitiveTypes.Float64, table.Of(table.Double), []string{"1", "2"}, "none"},
		{"decimal in int32", &arrow.Decimal128Type{Precision: 4, Scale: 2}, table.DecimalOf(4, 2), []string{"-0.05", "1.50"}, "'-0.05'…'1.50'"},
		{"decimal in fixed bytes", &arrow.Decimal128Type{Precision: 18, Scale: 1}, table.DecimalOf(18, 1), []string{"-12345678901234567.8", "0.1"}, "'-12345678901234567.8'…'0.1'"},
		{"decimal of another scale", &arrow.Decimal128Type{Precision: 9, Scale: 2}, table.DecimalOf(18, 3), []string{"1.50"}, "none"},
		{"date", arrow.FixedWidthTypes.Date32, table.Of(table.Date), []string{"2024-02-29", "1969-12-31"}, "'1969-12-31'…'2024-02-29'"},
		{"date in a timestamp table", arrow.FixedWidthTypes.Date32, table.Of(table.Timestamp), []string{"1970-01-02"}, "'1970-01-02 00:00:00'…'1970-01-02 00:00:00'"},
		{"date and zone", arrow.FixedWidthTypes.Date32, table.Of(table.TimestampTZ), []string{"1970-01-02"}, "none"},
		{"time", arrow.FixedWidthTypes.Time64us, table.Of(table.Time), []string{"01:02:03.5", "23:59:59"}, "'01:02:03.5'…'23:59:59'"},
		{"ms", stamp(arrow.Millisecond), table.Of(table.Timestamp), []string{"2024-01-01 10:00:00.250", "1969-12-31 23:59:59.999"},
			"'1969-12-31 23:59:59.999'…'2024-01-01 10:00:00.25'"},
		{"ns", stamp(arrow.Nanosecond), table.Of(table.TimestampNS), []string{"2024-01-01 10:00:00.000000001"},
			"'2024-01-01 10:00:00.000000001'…'2024-01-01 10:00:00.000000001'"},
		{"ns in a µs table", stamp(arrow.Nanosecond), table.Of(table.Timestamp), []string{"1969-12-31 23:59:59.999999001", "2024-01-01 10:00:00.000000001"},
			"'1969-12-31 23:59:59.999999'…'2024-01-01 10:00:00.000001'"},
		{"utc", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, table.Of(table.TimestampTZ), []string{"2024-01-01 10:00:00Z"},
			"'2024-01-01 10:00:00+00'…'2024-01-01 10:00:00+00'"},
		{"text", arrow.BinaryTypes.String, table.Of(table.Varchar), []string{"b", "é", "", "B"}, "'b'…'é', ''…'B'"},
		{"text under another name", arrow.BinaryTypes.String, table.JSONType, []string{"b"}, "none"},
		{"long text is cut at a rune, upwards at the end", arrow.BinaryTypes.String, table.Of(table.Varchar), []string{long, long + "z"},
			"cut"},
		{"text beyond trust", arrow.BinaryTypes.String, table.Of(table.Varchar), []string{strings.Repeat("z", 300), "a", "b", "c"}, "?, 'b'…'c'"},
		{"no rows", arrow.PrimitiveTypes.Int64, table.Of(table.BigInt), nil, "? nulls?"},
	} {
		f, err := readBytes(t, encode(t, c.typ, c.values...))
		if err != nil {
			t.Fatal(c.name, err)
		}
		z, ok := f.Columns[0].Zone.As(c.as)
		got := zoneText(z, c.as)
		if !ok || len(z.Nulls) == 0 {
			got = "none"
		}
		if strings.Contains(c.name, "cut at a rune") {
			if b := z.At(0); b.Min.Text > long || b.Max.Text < long+"z" || len(b.Max.Text) > zoneTextBytesMax {
				t.Errorf("%s: %q…%q", c.name, b.Min.Text, b.Max.Text)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestZonesOfManyGroups: a file whose zones would take too much keeps one entry a column, and that is true of all groups.
func TestZonesOfManyGroups(t *testing.T) {
	values := make([]string, 20000)
	for i := range values {
		values[i] = fmt.Sprint(i)
	}
	f, err := readBytes(t, encode(t, arrow.PrimitiveTypes.Int64, values...))
	if err != nil {
		t.Fatal(err)
	}
	z, ok := f.Columns[0].Zone.As(table.Of(table.BigInt))
	if !ok || len(f.Groups) != 10000 || len(z.Nulls) != 1 {
		t.Fatalf("%d entries of %d groups", len(z.Nulls), len(f.Groups))
	}
	if b := z.At(5000); !b.Known || b.Min.Number != 0 || b.Max.Number != 19999 || b.Nulls != table.NullsNone {
		t.Errorf("%+v", b)
	}
	if f.MemoryBytes() > 2_000_000 {
		t.Errorf("%d bytes", f.MemoryBytes())
	}
}
