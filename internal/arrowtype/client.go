package arrowtype

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// TypeKey is the key of the field metadata that holds a column's DuckDB type as SQL text. It stands on every field of a
// WireSchema, and in a ClientSchema on the fields whose Arrow type alone does not tell the DuckDB type.
const TypeKey = "ARBALEST:type"

// The types of DuckDB that table.Type has no constant for.
const (
	// Geometry is DuckDB's GEOMETRY. Clients get it as WKT text.
	Geometry table.TypeID = "GEOMETRY"
	// Variant is DuckDB's VARIANT. Clients get it as text.
	Variant table.TypeID = "VARIANT"
)

// hugeIntType is what clients get for HUGEINT: DuckDB's 128-bit integers in Arrow's 128-bit decimal. The 39-digit ends of
// HUGEINT's range exceed the nominal 38 digits; their bits are right all the same, and DuckDB's own Arrow export does this too.
var hugeIntType = &arrow.Decimal128Type{Precision: 38, Scale: 0}

// ClientSchema returns the schema in which clients see columns: classic Arrow types, everything nullable. timeZone is the
// session's time zone, which is part of Arrow's type for TIMESTAMP WITH TIME ZONE; empty means UTC. Columns may repeat names.
func ClientSchema(cols []table.Column, timeZone string) *arrow.Schema {
	if timeZone == "" {
		timeZone = "UTC"
	}
	fields := make([]arrow.Field, len(cols))
	for i, c := range cols {
		fields[i] = clientField(c.Name, c.Type, timeZone)
	}
	return arrow.NewSchema(fields, nil)
}

// clientField maps one column or member. Members carry metadata too: a UUID in a list is as lost as one in a column.
func clientField(name string, t table.Type, timeZone string) arrow.Field {
	f := arrow.Field{Name: name, Type: clientType(t, timeZone), Nullable: true}
	if loses(t) {
		f.Metadata = arrow.NewMetadata([]string{TypeKey}, []string{typeText(t)})
	}
	return f
}

// typeTextMax bounds the metadata, in bytes: an ENUM may have a hundred thousand labels, and each stream sends its schema.
const typeTextMax = 1 << 10

// typeText names a type for the metadata: as SQL, or by its id alone when that would be long.
func typeText(t table.Type) string {
	if sql := t.SQL(); len(sql) <= typeTextMax {
		return sql
	}
	return string(t.ID)
}

// loses reports whether the client's Arrow type of t stands for another DuckDB type by itself. Containers lose nothing of
// their own: their members carry the metadata.
func loses(t table.Type) bool {
	if t.Alias != "" {
		return true
	}
	switch t.ID {
	case table.HugeInt:
		return true
	case table.List, table.Array, table.Struct, table.Map:
		return false
	}
	return !ClientCast(t).Equal(t)
}

// clientType maps a type as the client sees it, after ClientCast.
func clientType(t table.Type, timeZone string) arrow.DataType {
	cast := ClientCast(t)
	if simple, ok := plain[cast.ID]; ok {
		return simple
	}
	switch cast.ID { // members are those of t, as their metadata tells what they were before the cast
	case table.Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Width), Scale: int32(t.Scale)}
	case table.HugeInt:
		return hugeIntType
	case table.TimestampTZ:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: timeZone}
	case table.Interval:
		return arrow.FixedWidthTypes.MonthDayNanoInterval
	case table.List:
		return arrow.ListOfField(clientField("item", t.Elem(), timeZone))
	case table.Array:
		return arrow.FixedSizeListOfField(int32(t.Size), clientField("item", t.Elem(), timeZone))
	case table.Struct:
		fields := make([]arrow.Field, len(t.Fields))
		for i, m := range t.Fields {
			fields[i] = clientField(m.Name, m.Type, timeZone)
		}
		return arrow.StructOf(fields...)
	case table.Map:
		key := clientField("key", t.Fields[0].Type, timeZone)
		key.Nullable = false
		return arrow.MapOfFields(key, clientField("value", t.Fields[1].Type, timeZone))
	}
	return arrow.BinaryTypes.String
}

// plain are the types that are the same for clients and on the wire.
var plain = map[table.TypeID]arrow.DataType{
	table.Boolean:     arrow.FixedWidthTypes.Boolean,
	table.TinyInt:     arrow.PrimitiveTypes.Int8,
	table.SmallInt:    arrow.PrimitiveTypes.Int16,
	table.Integer:     arrow.PrimitiveTypes.Int32,
	table.BigInt:      arrow.PrimitiveTypes.Int64,
	table.UTinyInt:    arrow.PrimitiveTypes.Uint8,
	table.USmallInt:   arrow.PrimitiveTypes.Uint16,
	table.UInteger:    arrow.PrimitiveTypes.Uint32,
	table.UBigInt:     arrow.PrimitiveTypes.Uint64,
	table.Float:       arrow.PrimitiveTypes.Float32,
	table.Double:      arrow.PrimitiveTypes.Float64,
	table.Varchar:     arrow.BinaryTypes.String,
	table.Blob:        arrow.BinaryTypes.Binary,
	table.Date:        arrow.FixedWidthTypes.Date32,
	table.Time:        arrow.FixedWidthTypes.Time64us,
	table.TimeNS:      arrow.FixedWidthTypes.Time64ns,
	table.Timestamp:   &arrow.TimestampType{Unit: arrow.Microsecond},
	table.TimestampS:  &arrow.TimestampType{Unit: arrow.Second},
	table.TimestampMS: &arrow.TimestampType{Unit: arrow.Millisecond},
	table.TimestampNS: &arrow.TimestampType{Unit: arrow.Nanosecond},
}
