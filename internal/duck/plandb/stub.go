package plandb

/*
#include <stdint.h>
#include <stdlib.h>
#include <stdbool.h>
#include <string.h>

// The few functions of DuckDB's C API that the stub calls from C. All handles are opaque pointers there.
extern void *duckdb_bind_get_extra_info(void *info);
extern void duckdb_bind_add_result_column(void *info, const char *name, void *type);
extern void duckdb_bind_set_cardinality(void *info, uint64_t cardinality, bool is_exact);
extern void duckdb_bind_set_error(void *info, const char *error);
extern void duckdb_init_set_error(void *info, const char *error);
extern void duckdb_data_chunk_set_size(void *chunk, uint64_t size);
extern void duckdb_destroy_logical_type(void **type);

// An arbalest_stub is what a stub table function knows: result columns and a row count. DuckDB owns it by extra_info.
typedef struct {
	uint64_t columns;
	uint64_t rows;
	char **names;
	void **types;
} arbalest_stub;

static arbalest_stub *arbalest_stub_new(uint64_t columns, uint64_t rows) {
	arbalest_stub *s = calloc(1, sizeof *s);
	s->columns = columns;
	s->rows = rows;
	s->names = calloc(columns ? columns : 1, sizeof *s->names);
	s->types = calloc(columns ? columns : 1, sizeof *s->types);
	return s;
}

static void arbalest_stub_column(arbalest_stub *s, uint64_t i, char *name, void *type) {
	s->names[i] = name;
	s->types[i] = type;
}

static void arbalest_stub_free(void *p) {
	arbalest_stub *s = p;
	for (uint64_t i = 0; i < s->columns; i++) {
		free(s->names[i]);
		if (s->types[i]) duckdb_destroy_logical_type(&s->types[i]);
	}
	free(s->names);
	free(s->types);
	free(s);
}

static void arbalest_stub_bind(void *info) {
	arbalest_stub *s = duckdb_bind_get_extra_info(info);
	for (uint64_t i = 0; i < s->columns; i++) duckdb_bind_add_result_column(info, s->names[i], s->types[i]);
	duckdb_bind_set_cardinality(info, s->rows, true);
}

// A stub has no rows to give: running one is a fault of ours, and an error is better than an empty answer.
static void arbalest_stub_init(void *info) { duckdb_init_set_error(info, "a planning stub cannot be read"); }
static void arbalest_stub_run(void *info, void *out) { (void)info; duckdb_data_chunk_set_size(out, 0); }

static void *arbalest_stub_bind_ptr(void) { return (void *)arbalest_stub_bind; }
static void *arbalest_stub_init_ptr(void) { return (void *)arbalest_stub_init; }
static void *arbalest_stub_run_ptr(void) { return (void *)arbalest_stub_run; }
static void *arbalest_stub_free_ptr(void) { return (void *)arbalest_stub_free; }
*/
import "C"

import (
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// registerStub registers a table function of the given name whose columns and cardinality are those of t.
func registerStub(conn bindings.Connection, name string, t *table.Table) error {
	rows := max(t.Rows, 0)
	if t.Inline != nil {
		rows = int64(len(t.Inline))
	}
	s := C.arbalest_stub_new(C.uint64_t(len(t.Columns)), C.uint64_t(rows))
	for i, c := range t.Columns {
		if strings.ContainsRune(c.Name, 0) {
			C.arbalest_stub_free(unsafePointer(s))
			return qerr.New(qerr.User, "table %s: the name of column %d holds a zero byte", t.Name, i+1)
		}
		lt, err := newLogicalType(c.Type)
		if err != nil {
			C.arbalest_stub_free(unsafePointer(s))
			return qerr.Wrap(qerr.Unsupported, "column "+t.Name.String()+"."+c.Name, err)
		}
		C.arbalest_stub_column(s, C.uint64_t(i), C.CString(c.Name), lt.Ptr) // The stub owns name and type from here.
	}
	f := bindings.CreateTableFunction()
	defer bindings.DestroyTableFunction(&f)
	bindings.TableFunctionSetName(f, name)
	bindings.TableFunctionSetExtraInfo(f, unsafePointer(s), C.arbalest_stub_free_ptr())
	bindings.TableFunctionSetBind(f, C.arbalest_stub_bind_ptr())
	bindings.TableFunctionSetInit(f, C.arbalest_stub_init_ptr())
	bindings.TableFunctionSetFunction(f, C.arbalest_stub_run_ptr())
	bindings.TableFunctionSupportsProjectionPushdown(f, true)
	if bindings.RegisterTableFunction(conn, f) == bindings.StateError {
		return qerr.New(qerr.Internal, "register the stub of table %s", t.Name)
	}
	return nil
}
