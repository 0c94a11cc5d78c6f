package arrowtype

import (
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// wide is DuckDB's 16-byte values as they lie in memory: HUGEINT, UHUGEINT, UUID, INTERVAL, wide decimals.
var wide = &arrow.FixedSizeBinaryType{ByteWidth: 16}

// WireSchema returns the schema of batches between workers: columns c0 … cn in DuckDB's own physical layout, lossless for
// every type. Decimals travel as the integer that DuckDB holds, an ENUM as its index, a MAP as a list of structs, a UNION as
// a struct whose first member is the tag. Every field carries its DuckDB type under TypeKey.
func WireSchema(types []table.Type) *arrow.Schema {
	fields := make([]arrow.Field, len(types))
	for i, t := range types {
		fields[i] = arrow.Field{Name: "c" + strconv.Itoa(i), Type: WireType(t), Nullable: true,
			Metadata: arrow.NewMetadata([]string{TypeKey}, []string{typeText(t)})}
	}
	return arrow.NewSchema(fields, nil)
}

// WireType returns the Arrow type that one DuckDB type has between workers.
func WireType(t table.Type) arrow.DataType {
	if simple, ok := plain[t.ID]; ok {
		return simple
	}
	switch t.ID {
	case table.TimestampTZ:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case table.TimeTZ:
		return arrow.PrimitiveTypes.Uint64
	case table.Decimal:
		return signed[DecimalBytes(t.Width)]
	case table.HugeInt, table.UHugeInt, table.UUID, table.Interval:
		return wide
	case table.Enum:
		return unsigned[EnumBytes(len(t.Labels))]
	case table.Null:
		return arrow.PrimitiveTypes.Int32
	case table.List:
		return arrow.ListOf(WireType(t.Elem()))
	case table.Map:
		return arrow.ListOf(arrow.StructOf(wireMember("key", t.Fields[0].Type), wireMember("value", t.Fields[1].Type)))
	case table.Array:
		return arrow.FixedSizeListOf(int32(t.Size), WireType(t.Elem()))
	case table.Struct:
		fields := make([]arrow.Field, len(t.Fields))
		for i, m := range t.Fields {
			fields[i] = wireMember(m.Name, m.Type)
		}
		return arrow.StructOf(fields...)
	case Variant:
		return WireType(table.Type{ID: table.Struct, Fields: VariantFields()})
	case table.Union:
		fields := make([]arrow.Field, 0, len(t.Fields)+1)
		fields = append(fields, arrow.Field{Name: "", Type: arrow.PrimitiveTypes.Uint8, Nullable: true})
		for _, m := range t.Fields {
			fields = append(fields, wireMember(m.Name, m.Type))
		}
		return arrow.StructOf(fields...)
	}
	// BIT, BIGNUM, GEOMETRY: DuckDB holds them as strings of bytes.
	return arrow.BinaryTypes.Binary
}

func wireMember(name string, t table.Type) arrow.Field {
	return arrow.Field{Name: name, Type: WireType(t), Nullable: true}
}

// signed and unsigned are Arrow's types for DuckDB's physical integers, by bytes.
var signed = map[int]arrow.DataType{2: arrow.PrimitiveTypes.Int16, 4: arrow.PrimitiveTypes.Int32, 8: arrow.PrimitiveTypes.Int64, 16: wide}
var unsigned = map[int]arrow.DataType{1: arrow.PrimitiveTypes.Uint8, 2: arrow.PrimitiveTypes.Uint16, 4: arrow.PrimitiveTypes.Uint32}

// DecimalBytes returns the bytes of the integer in which DuckDB holds a decimal of a width: 4, 9 and 18 digits fit 2, 4 and 8.
func DecimalBytes(width uint8) int {
	switch {
	case width <= 4:
		return 2
	case width <= 9:
		return 4
	case width <= 18:
		return 8
	}
	return 16
}

// EnumBytes returns the bytes of the index in which DuckDB holds a value of an ENUM with so many labels.
func EnumBytes(labels int) int {
	switch {
	case labels <= math.MaxUint8:
		return 1
	case labels <= math.MaxUint16:
		return 2
	}
	return 4
}

// VariantFields returns the members of the struct in which DuckDB holds a VARIANT.
func VariantFields() []table.Field {
	list := func(members ...table.Field) table.Type {
		return table.Type{ID: table.List, Fields: []table.Field{{Type: table.Type{ID: table.Struct, Fields: members}}}}
	}
	uint32s := table.Of(table.UInteger)
	return []table.Field{
		{Name: "keys", Type: table.Type{ID: table.List, Fields: []table.Field{{Type: table.Of(table.Varchar)}}}},
		{Name: "children", Type: list(table.Field{Name: "keys_index", Type: uint32s}, table.Field{Name: "values_index", Type: uint32s})},
		{Name: "values", Type: list(table.Field{Name: "type_id", Type: table.Of(table.UTinyInt)}, table.Field{Name: "byte_offset", Type: uint32s})},
		{Name: "data", Type: table.Of(table.Blob)},
	}
}
