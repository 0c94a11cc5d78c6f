package duck

/*
#include <stdlib.h>
#include "duckdb.h"
*/
import "C"

import (
	"unsafe"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// simpleTypes pairs DuckDB's C type ids with ours, for types without parameters.
var simpleTypes = map[table.TypeID]C.duckdb_type{
	table.Boolean: C.DUCKDB_TYPE_BOOLEAN, table.TinyInt: C.DUCKDB_TYPE_TINYINT, table.SmallInt: C.DUCKDB_TYPE_SMALLINT,
	table.Integer: C.DUCKDB_TYPE_INTEGER, table.BigInt: C.DUCKDB_TYPE_BIGINT, table.HugeInt: C.DUCKDB_TYPE_HUGEINT,
	table.UTinyInt: C.DUCKDB_TYPE_UTINYINT, table.USmallInt: C.DUCKDB_TYPE_USMALLINT, table.UInteger: C.DUCKDB_TYPE_UINTEGER,
	table.UBigInt: C.DUCKDB_TYPE_UBIGINT, table.UHugeInt: C.DUCKDB_TYPE_UHUGEINT, table.Float: C.DUCKDB_TYPE_FLOAT,
	table.Double: C.DUCKDB_TYPE_DOUBLE, table.Varchar: C.DUCKDB_TYPE_VARCHAR, table.Blob: C.DUCKDB_TYPE_BLOB,
	table.Bit: C.DUCKDB_TYPE_BIT, table.BigNum: C.DUCKDB_TYPE_BIGNUM, table.Date: C.DUCKDB_TYPE_DATE,
	table.Time: C.DUCKDB_TYPE_TIME, table.TimeNS: C.DUCKDB_TYPE_TIME_NS, table.TimeTZ: C.DUCKDB_TYPE_TIME_TZ,
	table.Timestamp: C.DUCKDB_TYPE_TIMESTAMP, table.TimestampS: C.DUCKDB_TYPE_TIMESTAMP_S,
	table.TimestampMS: C.DUCKDB_TYPE_TIMESTAMP_MS, table.TimestampNS: C.DUCKDB_TYPE_TIMESTAMP_NS,
	table.TimestampTZ: C.DUCKDB_TYPE_TIMESTAMP_TZ, table.Interval: C.DUCKDB_TYPE_INTERVAL, table.UUID: C.DUCKDB_TYPE_UUID,
	table.Null: C.DUCKDB_TYPE_SQLNULL, arrowtype.Geometry: C.DUCKDB_TYPE_GEOMETRY,
}

var simpleIDs = func() map[C.duckdb_type]table.TypeID {
	ids := make(map[C.duckdb_type]table.TypeID, len(simpleTypes))
	for id, t := range simpleTypes {
		ids[t] = id
	}
	return ids
}()

// logicalTypes makes DuckDB's types; the caller owns them.
func (e *Engine) logicalTypes(types []table.Type) ([]C.duckdb_logical_type, error) {
	out := make([]C.duckdb_logical_type, len(types))
	for i, t := range types {
		if out[i] = e.logicalType(t); out[i] == nil {
			destroyTypes(out)
			return nil, qerr.New(qerr.Unsupported, "type %s cannot be exchanged between workers", t.SQL())
		}
	}
	return out, nil
}

func destroyTypes(types []C.duckdb_logical_type) {
	for i := range types {
		C.duckdb_destroy_logical_type(&types[i])
	}
}

// logicalType makes one type; nil for what DuckDB does not know.
func (e *Engine) logicalType(t table.Type) C.duckdb_logical_type {
	var made C.duckdb_logical_type
	if simple, ok := simpleTypes[t.ID]; ok {
		made = C.duckdb_create_logical_type(simple)
	} else {
		made = e.parametricType(t)
	}
	if made != nil && t.Alias != "" {
		alias := C.CString(t.Alias)
		defer C.free(unsafe.Pointer(alias))
		C.duckdb_logical_type_set_alias(made, alias)
	}
	return made
}

func (e *Engine) parametricType(t table.Type) C.duckdb_logical_type {
	switch t.ID {
	case table.Decimal:
		return C.duckdb_create_decimal_type(C.uint8_t(t.Width), C.uint8_t(t.Scale))
	case table.Enum:
		labels := cStrings(t.Labels)
		defer freeStrings(labels)
		return C.duckdb_create_enum_type(unsafe.SliceData(labels), C.idx_t(len(labels)))
	case arrowtype.Variant:
		return e.variantType()
	}
	names, members := make([]string, len(t.Fields)), make([]C.duckdb_logical_type, len(t.Fields))
	defer destroyTypes(members)
	for i, f := range t.Fields {
		names[i] = f.Name
		if members[i] = e.logicalType(f.Type); members[i] == nil {
			return nil
		}
	}
	cNames := cStrings(names)
	defer freeStrings(cNames)
	switch t.ID {
	case table.List:
		return C.duckdb_create_list_type(members[0])
	case table.Array:
		return C.duckdb_create_array_type(members[0], C.idx_t(t.Size))
	case table.Map:
		return C.duckdb_create_map_type(members[0], members[1])
	case table.Struct:
		return C.duckdb_create_struct_type(unsafe.SliceData(members), unsafe.SliceData(cNames), C.idx_t(len(members)))
	case table.Union:
		return C.duckdb_create_union_type(unsafe.SliceData(members), unsafe.SliceData(cNames), C.idx_t(len(members)))
	}
	return nil
}

// variantType asks a statement for its type: the C API makes a VARIANT without its inside.
func (e *Engine) variantType() (t C.duckdb_logical_type) {
	c, err := e.connect("")
	if err != nil {
		return nil
	}
	defer c.close()
	err = c.query("SELECT NULL::VARIANT", func(r *C.duckdb_result) { t = C.duckdb_column_logical_type(r, 0) })
	if err != nil {
		return nil
	}
	return t
}

// cStrings copies texts to C, pointers and all.
func cStrings(texts []string) []*C.char {
	list := (**C.char)(C.calloc(C.size_t(max(len(texts), 1)), C.size_t(unsafe.Sizeof((*C.char)(nil)))))
	out := unsafe.Slice(list, max(len(texts), 1))[:len(texts)]
	for i, t := range texts {
		out[i] = C.CString(t)
	}
	return out
}

func freeStrings(list []*C.char) {
	for _, s := range list {
		C.free(unsafe.Pointer(s))
	}
	C.free(unsafe.Pointer(unsafe.SliceData(list)))
}
