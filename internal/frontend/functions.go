package frontend

import (
	"context"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// functions is what the engine says of its own functions and views, asked once.
type functions struct {
	// unstable are those whose value depends on more than their arguments: folded while planning (now(), current_user) or
	// different for every row (random()). Macros over such functions are among them.
	unstable map[string]bool
	// views are the engine's own views by schema and name, in lower case; the value says whether users may read it.
	views map[string]map[string]bool
}

// written are unstable functions that DuckDB's list calls stable or names otherwise.
var written = []string{"current_setting", "getvariable", "localtime", "localtimestamp", "current_time", "current_timestamp",
	"current_date", "current_user", "user", "session_user", "current_role", "current_catalog", "current_query", "age", "ago", "today"}

// private are words in the definition of views that would tell of the planning database instead of the catalog.
var private = []string{"duckdb_settings", "duckdb_secrets", "duckdb_logs", "duckdb_extensions", "duckdb_memory",
	"duckdb_temporary_files", "duckdb_prepared_statements"}

const functionsSQL = `SELECT function_name, coalesce(stability, ''), coalesce(macro_definition, '')
	FROM duckdb_functions() WHERE function_type IN ('scalar', 'macro')`

const viewsSQL = `SELECT schema_name, view_name, lower(coalesce(sql, '')) FROM duckdb_views() WHERE internal`

func loadFunctions(ctx context.Context, pool *plandb.Pool) (*functions, error) {
	in, err := pool.Get(ctx, "", []string{settings.DefaultCatalog})
	if err != nil {
		return nil, err
	}
	defer pool.Put(in)
	fs := &functions{unstable: map[string]bool{}, views: map[string]map[string]bool{}}
	for _, name := range written {
		fs.unstable[name] = true
	}
	rows, err := in.Rows(functionsSQL, answerBytesMax)
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "list functions", err)
	}
	for _, r := range rows {
		if s := *r[1]; s == "VOLATILE" || s == "CONSISTENT_WITHIN_QUERY" {
			fs.unstable[strings.ToLower(*r[0])] = true
		}
	}
	for _, r := range rows {
		for name := range fs.unstable {
			if len(name) > 3 && strings.Contains(*r[2], name) {
				fs.unstable[strings.ToLower(*r[0])] = true
				break
			}
		}
	}
	rows, err = in.Rows(viewsSQL, answerBytesMax)
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "list views", err)
	}
	for _, r := range rows {
		schema := strings.ToLower(*r[0])
		if fs.views[schema] == nil {
			fs.views[schema] = map[string]bool{}
		}
		fs.views[schema][strings.ToLower(*r[1])] = !mentions(*r[2], private)
	}
	return fs, nil
}

func mentions(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// cacheable reports whether a plan of the statement stays right: nothing in it was folded, and nothing varies.
func (fs *functions) cacheable(f *facts) bool {
	if f.clock {
		return false
	}
	for name := range f.functions {
		if fs.unstable[name] {
			return false
		}
	}
	return true
}

// pure are the table functions that make rows of their arguments alone.
var pure = map[string]bool{
	"range": true, "generate_series": true, "unnest": true, "repeat": true, "repeat_row": true, "json_each": true, "json_tree": true,
	"test_all_types": true, "icu_calendar_names": true, "pg_timezone_names": true,
}

// catalogFunctions are the table functions that tell of the catalog, or of the engine without telling of its host.
var catalogFunctions = map[string]bool{
	"duckdb_tables": true, "duckdb_columns": true, "duckdb_schemas": true, "duckdb_databases": true, "duckdb_views": true,
	"duckdb_types": true, "duckdb_functions": true, "duckdb_keywords": true, "duckdb_indexes": true, "duckdb_constraints": true,
	"duckdb_sequences": true, "pragma_table_info": true, "pragma_show": true, "pragma_version": true, "pragma_collations": true,
}

// hidden are the scalar functions that plan or log on the database that runs them, which is none of the user's business.
var hidden = []string{"json_serialize_plan", "write_log", "getenv"}

// checkFunctions refuses what statements may not call. catalog says that a function that tells of the catalog is among
// them.
func checkFunctions(f *facts) (catalog bool, err error) {
	for _, name := range hidden {
		if f.functions[name] {
			return false, qerr.New(qerr.PermissionDenied, "function %s is refused: it acts on the engine behind the session", name)
		}
	}
	if f.settingAt != nil {
		e := qerr.New(qerr.PermissionDenied, "current_setting takes the name of a session option as a constant (SELECT * FROM sys.settings lists them)")
		e.Position = position(f.settingAt)
		return false, e
	}
	return checkTableFunctions(f)
}

// checkTableFunctions refuses the rest. catalog says that one of catalogFunctions is among them.
func checkTableFunctions(f *facts) (catalog bool, err error) {
	for _, call := range f.tableFunctions {
		name := strings.ToLower(text(call, "function_name"))
		switch {
		case pure[name]:
		case catalogFunctions[name]:
			catalog = true
		default:
			return false, refuseTableFunction(name, position(call))
		}
	}
	return catalog, nil
}

func refuseTableFunction(name string, at int) error {
	var e *qerr.Error
	switch {
	case strings.HasPrefix(name, "read_") || strings.Contains(name, "scan") || strings.HasPrefix(name, "parquet_") ||
		name == "glob" || name == "sniff_csv":
		e = qerr.New(qerr.PermissionDenied, "%s(…) is refused: statements read the catalog's tables, not files by path; "+
			"put the file into a data directory and name its table (SHOW TABLES lists them)", name)
	case name == "duckdb_settings":
		e = qerr.New(qerr.PermissionDenied, "%s() is refused: it would tell of the engine, not of this session; SELECT * FROM sys.settings lists the options", name)
	case name == "query" || name == "query_table":
		e = qerr.New(qerr.PermissionDenied, "%s(…) is refused: it hides which tables are read; write the query or the table's name", name)
	default:
		e = qerr.New(qerr.PermissionDenied, "table function %s is refused: it is not among those that only compute rows (%s) or "+
			"tell of the catalog", name, "range, generate_series, unnest, repeat, json_each, …")
	}
	e.Position = at
	return e
}
