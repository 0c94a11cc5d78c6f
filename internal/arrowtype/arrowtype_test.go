package arrowtype

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

func listOf(t table.Type) table.Type {
	return table.Type{ID: table.List, Fields: []table.Field{{Type: t}}}
}

func structOf(fields ...table.Field) table.Type {
	return table.Type{ID: table.Struct, Fields: fields}
}

// mappings says for each type what clients see, which cast that needs, and what travels between workers.
var mappings = []struct {
	duck         table.Type
	client, wire string
	cast         string // empty: none
}{
	{table.Of(table.Boolean), "bool", "bool", ""},
	{table.Of(table.TinyInt), "int8", "int8", ""},
	{table.Of(table.SmallInt), "int16", "int16", ""},
	{table.Of(table.Integer), "int32", "int32", ""},
	{table.Of(table.BigInt), "int64", "int64", ""},
	{table.Of(table.UTinyInt), "uint8", "uint8", ""},
	{table.Of(table.USmallInt), "uint16", "uint16", ""},
	{table.Of(table.UInteger), "uint32", "uint32", ""},
	{table.Of(table.UBigInt), "uint64", "uint64", ""},
	{table.Of(table.HugeInt), "decimal(38, 0)", "fixed_size_binary[16]", ""},
	{table.Of(table.UHugeInt), "utf8", "fixed_size_binary[16]", "VARCHAR"},
	{table.Of(table.Float), "float32", "float32", ""},
	{table.Of(table.Double), "float64", "float64", ""},
	{table.DecimalOf(4, 1), "decimal(4, 1)", "int16", ""},
	{table.DecimalOf(9, 4), "decimal(9, 4)", "int32", ""},
	{table.DecimalOf(18, 6), "decimal(18, 6)", "int64", ""},
	{table.DecimalOf(19, 0), "decimal(19, 0)", "fixed_size_binary[16]", ""},
	{table.Of(table.Varchar), "utf8", "utf8", ""},
	{table.Type{ID: table.Varchar, Alias: "JSON"}, "utf8", "utf8", ""},
	{table.Of(table.Blob), "binary", "binary", ""},
	{table.Of(table.Bit), "utf8", "binary", "VARCHAR"},
	{table.Of(table.BigNum), "utf8", "binary", "VARCHAR"},
	{table.Of(Geometry), "utf8", "binary", "VARCHAR"},
	{table.Of(table.Date), "date32", "date32", ""},
	{table.Of(table.Time), "time64[us]", "time64[us]", ""},
	{table.Of(table.TimeNS), "time64[ns]", "time64[ns]", ""},
	{table.Of(table.TimeTZ), "utf8", "uint64", "VARCHAR"},
	{table.Of(table.Timestamp), "timestamp[us]", "timestamp[us]", ""},
	{table.Of(table.TimestampS), "timestamp[s]", "timestamp[s]", ""},
	{table.Of(table.TimestampMS), "timestamp[ms]", "timestamp[ms]", ""},
	{table.Of(table.TimestampNS), "timestamp[ns]", "timestamp[ns]", ""},
	{table.Of(table.TimestampTZ), "timestamp[us, tz=Asia/Tokyo]", "timestamp[us, tz=UTC]", ""},
	{table.Of(table.Interval), "month_day_nano_interval", "fixed_size_binary[16]", ""},
	{table.Of(table.UUID), "utf8", "fixed_size_binary[16]", "VARCHAR"},
	{table.Type{ID: table.Enum, Labels: []string{"a", "b"}}, "utf8", "uint8", "VARCHAR"},
	{table.Type{ID: table.Enum, Labels: make([]string, 255)}, "utf8", "uint8", "VARCHAR"},
	{table.Type{ID: table.Enum, Labels: make([]string, 256)}, "utf8", "uint16", "VARCHAR"},
	{table.Type{ID: table.Enum, Labels: make([]string, 65536)}, "utf8", "uint32", "VARCHAR"},
	{table.Of(table.Null), "int32", "int32", "INTEGER"},
	{listOf(table.Of(table.UUID)), "list<item: utf8, nullable>", "list<item: fixed_size_binary[16], nullable>", "VARCHAR[]"},
	{listOf(listOf(table.Of(table.Integer))), "list<item: list<item: int32, nullable>, nullable>",
		"list<item: list<item: int32, nullable>, nullable>", ""},
	{table.Type{ID: table.Array, Size: 3, Fields: []table.Field{{Type: table.Of(table.Float)}}},
		"fixed_size_list<item: float32, nullable>[3]", "fixed_size_list<item: float32, nullable>[3]", ""},
	{structOf(table.Field{Name: "a b", Type: table.Of(table.UUID)}), "struct<a b: utf8 nullable>",
		"struct<a b: fixed_size_binary[16] nullable>", `STRUCT("a b" VARCHAR)`},
	{structOf(table.Field{Type: table.Of(table.Integer)}), "utf8", "struct<: int32 nullable>", "VARCHAR"},
	{table.Type{ID: table.Map, Fields: []table.Field{{Name: "key", Type: table.Of(table.UUID)}, {Name: "value", Type: table.Of(table.Integer)}}},
		"map<utf8, int32, items_nullable>", "list<item: struct<key: fixed_size_binary[16] nullable, value: int32 nullable>, nullable>",
		"MAP(VARCHAR, INTEGER)"},
	{table.Type{ID: table.Union, Fields: []table.Field{{Name: "n", Type: table.Of(table.Integer)}}}, "utf8",
		"struct<: uint8 nullable, n: int32 nullable>", "VARCHAR"},
	{table.Of("FUTURE"), "utf8", "binary", "VARCHAR"},
}

func TestMappings(t *testing.T) {
	for _, m := range mappings {
		name := typeText(m.duck)
		client := ClientSchema([]table.Column{{Name: "x", Type: m.duck}}, "Asia/Tokyo").Field(0)
		if got := client.Type.String(); got != m.client {
			t.Errorf("%s: clients see %s, want %s", name, got, m.client)
		}
		if got := WireType(m.duck).String(); got != m.wire {
			t.Errorf("%s: on the wire it is %s, want %s", name, got, m.wire)
		}
		cast := ""
		if NeedsCast(m.duck) {
			cast = ClientCast(m.duck).SQL()
		}
		if cast != m.cast {
			t.Errorf("%s: cast to %q, want %q", name, cast, m.cast)
		}
		if again := ClientCast(ClientCast(m.duck)); !again.Equal(ClientCast(m.duck)) || NeedsCast(ClientCast(m.duck)) {
			t.Errorf("%s: what was cast is cast again, to %s", name, again.SQL())
		}
	}
}

// TestMetadata tells the DuckDB type where Arrow's does not.
func TestMetadata(t *testing.T) {
	long := table.Type{ID: table.Enum, Labels: strings.Split(strings.Repeat("label ", 1000), " ")}
	schema := ClientSchema([]table.Column{{Name: "x", Type: table.Of(table.Integer)}, {Name: "x", Type: table.Of(table.UUID)},
		{Name: "j", Type: table.Type{ID: table.Varchar, Alias: "JSON"}}, {Name: "h", Type: table.Of(table.HugeInt)},
		{Name: "e", Type: long}, {Name: "l", Type: listOf(table.Of(table.UUID))}}, "")
	want := []string{"", "UUID", "JSON", "HUGEINT", "ENUM", ""}
	for i, f := range schema.Fields() {
		if got, _ := f.Metadata.GetValue(TypeKey); got != want[i] {
			t.Errorf("column %d: %q, want %q", i, got, want[i])
		}
		if !f.Nullable {
			t.Errorf("column %d is not nullable", i)
		}
	}
	item := schema.Field(5).Type.(*arrow.ListType).ElemField()
	if got, _ := item.Metadata.GetValue(TypeKey); got != "UUID" {
		t.Errorf("a list's item: %q", got)
	}
	wire := WireSchema([]table.Type{table.Of(table.Integer), table.Of(table.UUID)})
	for i, want := range []string{"INTEGER", "UUID"} {
		if got, _ := wire.Field(i).Metadata.GetValue(TypeKey); got != want || wire.Field(i).Name != []string{"c0", "c1"}[i] {
			t.Errorf("wire column %d: %s of %q", i, wire.Field(i).Name, got)
		}
	}
}

func TestFromArrow(t *testing.T) {
	for _, c := range []struct {
		arrow arrow.DataType
		want  string
	}{
		{arrow.Null, `"NULL"`},
		{arrow.PrimitiveTypes.Uint16, "USMALLINT"},
		{arrow.FixedWidthTypes.Float16, "FLOAT"},
		{arrow.BinaryTypes.LargeString, "VARCHAR"},
		{arrow.BinaryTypes.StringView, "VARCHAR"},
		{&arrow.FixedSizeBinaryType{ByteWidth: 7}, "BLOB"},
		{arrow.FixedWidthTypes.Date64, "DATE"},
		{arrow.FixedWidthTypes.Time32s, "TIME"},
		{arrow.FixedWidthTypes.Time64ns, "TIME_NS"},
		{&arrow.TimestampType{Unit: arrow.Second}, "TIMESTAMP_S"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, "TIMESTAMP WITH TIME ZONE"},
		{&arrow.Decimal128Type{Precision: 12, Scale: 3}, "DECIMAL(12,3)"},
		{&arrow.Decimal64Type{Precision: 18, Scale: 0}, "DECIMAL(18,0)"},
		{arrow.FixedWidthTypes.MonthDayNanoInterval, "INTERVAL"},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, "VARCHAR"},
		{arrow.ListOf(arrow.LargeListOf(arrow.PrimitiveTypes.Int32)), "INTEGER[][]"},
		{arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int32), "INTEGER[2]"},
		{arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), "MAP(VARCHAR, INTEGER)"},
		{arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8}), `STRUCT("a" TINYINT)`},
		{arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String), "VARCHAR"},
	} {
		got, err := FromArrow(c.arrow)
		if err != nil || got.SQL() != c.want {
			t.Errorf("%s: %s, %v, want %s", c.arrow, got.SQL(), err, c.want)
		}
	}
	for _, dt := range []arrow.DataType{&arrow.Decimal256Type{Precision: 76, Scale: 0}, &arrow.Decimal128Type{Precision: 5, Scale: -2},
		arrow.ListOf(&arrow.Decimal256Type{Precision: 76, Scale: 0})} {
		if got, err := FromArrow(dt); err == nil {
			t.Errorf("%s became %s", dt, got.SQL())
		}
	}
}
