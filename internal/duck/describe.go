package duck

/*
#include <stdlib.h>
#include "duckdb.h"
*/
import "C"

import (
	"context"
	"unsafe"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
)

// describe plans a statement and gives its columns.
func (c *conn) describe(ctx context.Context, sql string) (columns []table.Column, err error) {
	text := C.CString(sql)
	defer C.free(unsafe.Pointer(text))
	var prepared C.duckdb_prepared_statement
	defer C.duckdb_destroy_prepare(&prepared)
	var state C.duckdb_state
	c.interruptible(ctx, func() { state = C.duckdb_prepare(c.handle, text, &prepared) })
	if err := ended(ctx, nil); err != nil {
		return nil, err
	}
	if state != C.DuckDBSuccess {
		return nil, c.typedError(sql, C.GoString(C.duckdb_prepare_error(prepared)))
	}
	columns = make([]table.Column, C.duckdb_prepared_statement_column_count(prepared))
	for i := range columns {
		name := C.duckdb_prepared_statement_column_name(prepared, C.idx_t(i))
		t := C.duckdb_prepared_statement_column_logical_type(prepared, C.idx_t(i))
		columns[i] = table.Column{Name: takeText(name), Type: takeType(t)}
	}
	return columns, nil
}

// takeText copies a text of DuckDB's and frees it.
func takeText(s *C.char) string {
	defer C.duckdb_free(unsafe.Pointer(s))
	return C.GoString(s)
}

// takeType reads a type and destroys it. A type that this version does not know has DuckDB's number for an id.
func takeType(t C.duckdb_logical_type) table.Type {
	defer C.duckdb_destroy_logical_type(&t)
	out := readType(t)
	if alias := C.duckdb_logical_type_get_alias(t); alias != nil {
		out.Alias = takeText(alias)
	}
	return out
}

func readType(t C.duckdb_logical_type) table.Type {
	id := C.duckdb_get_type_id(t)
	if simple, ok := simpleIDs[id]; ok {
		return table.Of(simple)
	}
	switch id {
	case C.DUCKDB_TYPE_DECIMAL:
		return table.DecimalOf(uint8(C.duckdb_decimal_width(t)), uint8(C.duckdb_decimal_scale(t)))
	case C.DUCKDB_TYPE_ENUM:
		labels := make([]string, C.duckdb_enum_dictionary_size(t))
		for i := range labels {
			labels[i] = takeText(C.duckdb_enum_dictionary_value(t, C.idx_t(i)))
		}
		return table.Type{ID: table.Enum, Labels: labels}
	case C.DUCKDB_TYPE_LIST:
		return table.Type{ID: table.List, Fields: []table.Field{{Type: takeType(C.duckdb_list_type_child_type(t))}}}
	case C.DUCKDB_TYPE_ARRAY:
		return table.Type{ID: table.Array, Size: int(C.duckdb_array_type_array_size(t)),
			Fields: []table.Field{{Type: takeType(C.duckdb_array_type_child_type(t))}}}
	case C.DUCKDB_TYPE_MAP:
		return table.Type{ID: table.Map, Fields: []table.Field{{Name: "key", Type: takeType(C.duckdb_map_type_key_type(t))},
			{Name: "value", Type: takeType(C.duckdb_map_type_value_type(t))}}}
	case C.DUCKDB_TYPE_STRUCT:
		fields := make([]table.Field, C.duckdb_struct_type_child_count(t))
		for i := range fields {
			fields[i] = table.Field{Name: takeText(C.duckdb_struct_type_child_name(t, C.idx_t(i))),
				Type: takeType(C.duckdb_struct_type_child_type(t, C.idx_t(i)))}
		}
		return table.Type{ID: table.Struct, Fields: fields}
	case C.DUCKDB_TYPE_UNION:
		fields := make([]table.Field, C.duckdb_union_type_member_count(t))
		for i := range fields {
			fields[i] = table.Field{Name: takeText(C.duckdb_union_type_member_name(t, C.idx_t(i))),
				Type: takeType(C.duckdb_union_type_member_type(t, C.idx_t(i)))}
		}
		return table.Type{ID: table.Union, Fields: fields}
	case C.DUCKDB_TYPE_VARIANT:
		return table.Of(arrowtype.Variant)
	}
	return table.Of(table.Varchar)
}
