package flightserver

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/frontend"
)

// columnsSchema is a table's schema as clients see it, each field with the metadata of Flight SQL.
func columnsSchema(name table.Name, columns []table.Column, timeZone string) *arrow.Schema {
	plain := arrowtype.ClientSchema(columns, timeZone)
	fields := make([]arrow.Field, len(columns))
	for i, f := range plain.Fields() {
		keys, values := columnMetadata(name, columns[i].Type)
		f.Metadata = arrow.NewMetadata(append(keys, f.Metadata.Keys()...), append(values, f.Metadata.Values()...))
		fields[i] = f
	}
	return arrow.NewSchema(fields, nil)
}

// columnMetadata is what drivers show of a column. Booleans are "1" and "0".
func columnMetadata(name table.Name, t table.Type) (keys, values []string) {
	put := func(key, value string) { keys, values = append(keys, key), append(values, value) }
	put(flightsql.CatalogNameKey, name.Catalog)
	put(flightsql.SchemaNameKey, name.Schema)
	put(flightsql.TableNameKey, name.Table)
	put(flightsql.TypeNameKey, t.SQL())
	if precision, scale, ok := precision(t); ok {
		put(flightsql.PrecisionKey, strconv.Itoa(precision))
		if scale != floating {
			put(flightsql.ScaleKey, strconv.Itoa(scale))
		}
	}
	put(flightsql.IsAutoIncrementKey, "0")
	put(flightsql.IsCaseSensitiveKey, flag(isText(t)))
	put(flightsql.IsReadOnlyKey, flag(name.Catalog != frontend.TemporaryCatalog)) // Nothing else can be written yet.
	put(flightsql.IsSearchableKey, "1")
	put(flightsql.RemarksKey, "")
	return keys, values
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func isText(t table.Type) bool {
	return t.ID == table.Varchar || t.ID == table.Enum
}

// precision is the number of digits that a numeric type holds and how many of them follow the point, or for times the digits
// after the seconds as scale; ok is false for types that have neither.
func precision(t table.Type) (digits, scale int, ok bool) {
	if t.ID == table.Decimal {
		return int(t.Width), int(t.Scale), true
	}
	p, ok := precisions[t.ID]
	return p[0], p[1], ok
}

// floating is the scale of floating types: they have none, and JDBC's tools take 0 for "no digits after the point".
const floating = -1

// precisions are decimal digits for exact types, and for floating ones the digits that survive a round trip.
var precisions = map[table.TypeID][2]int{
	table.TinyInt: {3, 0}, table.SmallInt: {5, 0}, table.Integer: {10, 0}, table.BigInt: {19, 0}, table.HugeInt: {38, 0},
	table.UTinyInt: {3, 0}, table.USmallInt: {5, 0}, table.UInteger: {10, 0}, table.UBigInt: {20, 0}, table.UHugeInt: {39, 0},
	table.Float: {7, floating}, table.Double: {15, floating},
	table.Date: {10, 0}, table.Time: {15, 6}, table.TimeNS: {18, 9}, table.TimeTZ: {21, 6},
	table.Timestamp: {26, 6}, table.TimestampS: {19, 0}, table.TimestampMS: {23, 3}, table.TimestampNS: {29, 9}, table.TimestampTZ: {32, 6},
}
