package plandb

import (
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func unsafePointer[T any](p *T) unsafe.Pointer { return unsafe.Pointer(p) }

// plain maps the ids that need no parameters.
var plain = map[table.TypeID]bindings.Type{
	table.Boolean: bindings.TypeBoolean, table.TinyInt: bindings.TypeTinyInt, table.SmallInt: bindings.TypeSmallInt,
	table.Integer: bindings.TypeInteger, table.BigInt: bindings.TypeBigInt, table.HugeInt: bindings.TypeHugeInt,
	table.UTinyInt: bindings.TypeUTinyInt, table.USmallInt: bindings.TypeUSmallInt, table.UInteger: bindings.TypeUInteger,
	table.UBigInt: bindings.TypeUBigInt, table.UHugeInt: bindings.TypeUHugeInt, table.Float: bindings.TypeFloat,
	table.Double: bindings.TypeDouble, table.Varchar: bindings.TypeVarchar, table.Blob: bindings.TypeBlob,
	table.Bit: bindings.TypeBit, table.BigNum: bindings.TypeBigNum, table.Date: bindings.TypeDate, table.Time: bindings.TypeTime,
	table.TimeNS: bindings.TypeTimeNS, table.TimeTZ: bindings.TypeTimeTZ, table.Timestamp: bindings.TypeTimestamp,
	table.TimestampS: bindings.TypeTimestampS, table.TimestampMS: bindings.TypeTimestampMS,
	table.TimestampNS: bindings.TypeTimestampNS, table.TimestampTZ: bindings.TypeTimestampTZ,
	table.Interval: bindings.TypeInterval, table.UUID: bindings.TypeUUID, table.Null: bindings.TypeSQLNull,
}

// plainIDs is the inverse of plain.
var plainIDs = func() map[bindings.Type]table.TypeID {
	m := make(map[bindings.Type]table.TypeID, len(plain))
	for id, t := range plain {
		m[t] = id
	}
	return m
}()

// newLogicalType makes DuckDB's form of a type; the caller destroys it.
func newLogicalType(t table.Type) (bindings.LogicalType, error) {
	lt, err := newUnaliased(t)
	if err == nil && t.Alias != "" {
		bindings.LogicalTypeSetAlias(lt, t.Alias)
	}
	return lt, err
}

func newUnaliased(t table.Type) (bindings.LogicalType, error) {
	if id, ok := plain[t.ID]; ok {
		return bindings.CreateLogicalType(id), nil
	}
	switch t.ID {
	case table.Decimal:
		return bindings.CreateDecimalType(t.Width, t.Scale), nil
	case table.Enum:
		return bindings.CreateEnumType(t.Labels), nil
	case table.List, table.Array, table.Map, table.Struct, table.Union:
		return newNested(t)
	}
	return bindings.LogicalType{}, qerr.New(qerr.Unsupported, "type %s is not supported", t.ID)
}

func newNested(t table.Type) (bindings.LogicalType, error) {
	want := map[table.TypeID]int{table.List: 1, table.Array: 1, table.Map: 2}[t.ID]
	if (want > 0 && len(t.Fields) != want) || len(t.Fields) == 0 {
		return bindings.LogicalType{}, qerr.New(qerr.Internal, "type %s with %d members", t.ID, len(t.Fields))
	}
	children := make([]bindings.LogicalType, 0, len(t.Fields))
	names := make([]string, len(t.Fields))
	defer func() {
		for i := range children {
			bindings.DestroyLogicalType(&children[i])
		}
	}()
	for i, f := range t.Fields {
		c, err := newLogicalType(f.Type)
		if err != nil {
			return bindings.LogicalType{}, err
		}
		children, names[i] = append(children, c), f.Name
	}
	switch t.ID {
	case table.List:
		return bindings.CreateListType(children[0]), nil
	case table.Array:
		return bindings.CreateArrayType(children[0], bindings.IdxT(t.Size)), nil
	case table.Map:
		return bindings.CreateMapType(children[0], children[1]), nil
	case table.Struct:
		return bindings.CreateStructType(children, names), nil
	default:
		return bindings.CreateUnionType(children, names), nil
	}
}

// fromLogicalType reads DuckDB's form of a type; lt stays the caller's.
func fromLogicalType(lt bindings.LogicalType) (table.Type, error) {
	t, err := fromUnaliased(lt)
	if err == nil {
		t.Alias = bindings.LogicalTypeGetAlias(lt)
	}
	return t, err
}

func fromUnaliased(lt bindings.LogicalType) (table.Type, error) {
	id := bindings.GetTypeId(lt)
	if p, ok := plainIDs[id]; ok {
		return table.Of(p), nil
	}
	switch id {
	case bindings.TypeDecimal:
		return table.DecimalOf(bindings.DecimalWidth(lt), bindings.DecimalScale(lt)), nil
	case bindings.TypeEnum:
		labels := make([]string, bindings.EnumDictionarySize(lt))
		for i := range labels {
			labels[i] = bindings.EnumDictionaryValue(lt, bindings.IdxT(i))
		}
		return table.Type{ID: table.Enum, Labels: labels}, nil
	case bindings.TypeList:
		return nested(table.List, []string{""}, bindings.ListTypeChildType(lt))
	case bindings.TypeArray:
		t, err := nested(table.Array, []string{""}, bindings.ArrayTypeChildType(lt))
		t.Size = int(bindings.ArrayTypeArraySize(lt))
		return t, err
	case bindings.TypeMap:
		return nested(table.Map, []string{"key", "value"}, bindings.MapTypeKeyType(lt), bindings.MapTypeValueType(lt))
	case bindings.TypeStruct:
		names, types := make([]string, bindings.StructTypeChildCount(lt)), []bindings.LogicalType(nil)
		for i := range names {
			names[i] = bindings.StructTypeChildName(lt, bindings.IdxT(i))
			types = append(types, bindings.StructTypeChildType(lt, bindings.IdxT(i)))
		}
		return nested(table.Struct, names, types...)
	case bindings.TypeUnion:
		names, types := make([]string, bindings.UnionTypeMemberCount(lt)), []bindings.LogicalType(nil)
		for i := range names {
			names[i] = bindings.UnionTypeMemberName(lt, bindings.IdxT(i))
			types = append(types, bindings.UnionTypeMemberType(lt, bindings.IdxT(i)))
		}
		return nested(table.Union, names, types...)
	}
	return table.Type{}, qerr.New(qerr.Unsupported, "a type of DuckDB that Arbalest does not know (number %d); cast it to VARCHAR", id)
}

// nested destroys the children it is given.
func nested(id table.TypeID, names []string, children ...bindings.LogicalType) (table.Type, error) {
	t := table.Type{ID: id}
	var failed error
	for i := range children {
		c, err := fromLogicalType(children[i])
		bindings.DestroyLogicalType(&children[i])
		if err != nil {
			failed = err
		}
		t.Fields = append(t.Fields, table.Field{Name: names[i], Type: c})
	}
	return t, failed
}
