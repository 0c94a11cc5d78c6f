package compat

import (
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/scenario"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

// A typed is a column of the table of every type: how DuckDB calls the type, and two values as SQL expressions. The third
// row is NULL throughout.
type typed struct {
	name, kind    string
	first, second string
	// parquet is false for types that a Parquet file does not keep: the file holds their text and the query casts it.
	parquet bool
}

var types = []typed{
	{"b", "BOOLEAN", "true", "false", true},
	{"i8", "TINYINT", "-128", "127", true},
	{"i16", "SMALLINT", "-32768", "32767", true},
	{"i32", "INTEGER", "-2147483648", "2147483647", true},
	{"i64", "BIGINT", "-9223372036854775808", "9223372036854775807", true},
	{"u8", "UTINYINT", "0", "255", true},
	{"u16", "USMALLINT", "0", "65535", true},
	{"u32", "UINTEGER", "0", "4294967295", true},
	{"u64", "UBIGINT", "0", "18446744073709551615", true},
	{"huge", "HUGEINT", "'-12345678901234567890123456789012345678'", "'98765432109876543210987654321098765432'", false},
	{"uhuge", "UHUGEINT", "'0'", "'98765432109876543210987654321098765432'", false},
	{"f32", "FLOAT", "1.5", "-0.25", true},
	{"f64", "DOUBLE", "2.25", "1e300", true},
	{"d4", "DECIMAL(4,1)", "-999.9", "0.1", true},
	{"d9", "DECIMAL(9,4)", "12345.6789", "-0.0001", true},
	{"d18", "DECIMAL(18,6)", "1234567890.123456", "-1.5", true},
	{"d38", "DECIMAL(38,10)", "'12345678901234567890.0123456789'", "'-0.0000000001'", true},
	{"s", "VARCHAR", "'héllo'", "''", true},
	{"blob", "BLOB", "'\\x00\\xFFab'", "''", true},
	{"bit", "BIT", "'0101'", "'1'", false},
	{"d", "DATE", "'1992-02-29'", "'1969-12-31'", true},
	{"t", "TIME", "'12:34:56.789'", "'00:00:00'", true},
	{"ts", "TIMESTAMP", "'1992-02-29 12:34:56.789'", "'1969-12-31 23:59:59.5'", true},
	{"ts_s", "TIMESTAMP_S", "'1992-02-29 12:34:56'", "'1969-12-31 23:59:59'", false},
	{"ts_ms", "TIMESTAMP_MS", "'1992-02-29 12:34:56.789'", "'1969-12-31 23:59:59.5'", false},
	{"ts_ns", "TIMESTAMP_NS", "'1992-02-29 12:34:56.123456789'", "'1969-12-31 23:59:59.5'", true},
	{"tstz", "TIMESTAMPTZ", "'1992-02-29 12:34:56+00'", "'1969-12-31 23:59:59.5+00'", true},
	{"ttz", "TIMETZ", "'12:34:56+02'", "'00:00:00+00'", false},
	{"iv", "INTERVAL", "'1 year 2 months 3 days 04:05:06'", "'5 days'", true},
	{"u", "UUID", "'4ac7a9e9-607c-4c8a-84f3-843f0191e3fd'", "'00000000-0000-0000-0000-000000000000'", true},
	{"e", "ENUM('a', 'b')", "'a'", "'b'", false},
	{"j", "JSON", "'{\"a\": 1}'", "'null'", true},
	{"l", "INTEGER[]", "[1, 2, NULL]", "[]", true},
	{"ll", "VARCHAR[][]", "[['a'], [], NULL]", "[['b', 'c']]", true},
	{"arr", "INTEGER[3]", "'[1, 2, 3]'", "'[4, NULL, 6]'", false},
	{"st", "STRUCT(a INTEGER, b VARCHAR)", "{'a': 1, 'b': 'x'}", "{'a': NULL, 'b': 'y'}", true},
	{"m", "MAP(VARCHAR, INTEGER)", "MAP {'k': 1}", "MAP {'k': 1, 'l': NULL}", true},
	{"big", "BIGNUM", "'123456789012345678901234567890123456789012345'", "'-1'", false},
	{"un", "UNION(n INTEGER, s VARCHAR)", "5", "7", false},
}

// makeTypes gives the statement by which a plain DuckDB writes the table, and the SELECT that reads every type from it.
func makeTypes(path string) (copyTo, selectAll string) {
	rows := make([][]string, 3)
	var columns []string
	for _, c := range types {
		kind, read := c.kind, c.name
		if !c.parquet {
			kind = "VARCHAR"
			read = fmt.Sprintf("CAST(%s AS %s) AS %[1]s", c.name, c.kind)
		}
		for i, value := range []string{c.first, c.second, "NULL"} {
			rows[i] = append(rows[i], fmt.Sprintf("CAST(%s AS %s) AS %s", value, kind, c.name))
		}
		columns = append(columns, read)
	}
	var selects []string
	for i, row := range rows {
		selects = append(selects, fmt.Sprintf("SELECT %d AS id, %s", i+1, strings.Join(row, ", ")))
	}
	return fmt.Sprintf("COPY (%s) TO '%s' (FORMAT parquet)", strings.Join(selects, " UNION ALL "), path),
		"SELECT id, " + strings.Join(columns, ", ") + " FROM alltypes ORDER BY id"
}

// A check is one step with what must come of it.
type check struct {
	step   scenario.Step
	order  []int  // columns of ORDER BY
	text   bool   // compare with DuckDB's text of each value
	ask    string // the oracle's statement, where it differs from the step's: parameters written out
	status string // the step must fail with this status …
	fault  string // … and this in the message
	rows   int64  // for steps that only count
}

// steps is the whole plan of a client. lineitem is the table's row count.
func steps(lineitem int64, selectTypes string) []check {
	var all []check
	add := func(c check) { all = append(all, c) }
	for _, q := range tpch.Queries() {
		add(check{step: scenario.Step{Name: q.Name, Kind: "query", SQL: q.SQL}, order: tpch.OrderBy[q.Number]})
	}
	add(check{step: scenario.Step{Name: "types", Kind: "query", SQL: selectTypes}, order: []int{0}, text: true})
	for i, p := range parameters {
		step := scenario.Step{Name: fmt.Sprintf("param_%02d", i), Kind: "params", SQL: p.sql, Params: p.params}
		add(check{step: step, ask: p.ask})
	}
	add(check{step: scenario.Step{Name: "error", Kind: "query", SQL: "SELECT l_orderkey, nope FROM lineitem"},
		status: "INVALID_ARGUMENT", fault: "nope"})
	add(check{step: scenario.Step{Name: "after_error", Kind: "query", SQL: "SELECT count(*) AS n FROM nation"}})
	add(check{step: scenario.Step{Name: "cancel_stream", Kind: "cancel", AfterMillis: 300, SQL: endless}})
	add(check{step: scenario.Step{Name: "cancel_compute", Kind: "cancel", AfterMillis: 300, SQL: "SELECT count(*), max(hash(x)) FROM (" + endless + ") AS t(x)"}})
	add(check{step: scenario.Step{Name: "after_cancel", Kind: "query", SQL: "SELECT count(*) AS n FROM nation"}})
	add(check{step: scenario.Step{Name: "always", Kind: "execute", SQL: "SET arbalest.distributed = 'always'"}})
	add(check{step: scenario.Step{Name: "endpoints", Kind: "query", SQL: "SELECT l_orderkey, l_linenumber, l_extendedprice FROM lineitem"}})
	add(check{step: scenario.Step{Name: "endpoints_count", Kind: "query", Count: true, SQL: "SELECT * FROM lineitem"}, rows: lineitem})
	add(check{step: scenario.Step{Name: "always_group", Kind: "query",
		SQL: "SELECT l_returnflag, count(*) AS n, sum(l_quantity) AS q FROM lineitem GROUP BY l_returnflag ORDER BY l_returnflag"}, order: []int{0}})
	return all
}

// endless is a statement whose whole result nobody waits for: the square of lineitem's row count.
const endless = "SELECT a.l_comment || b.l_comment AS c FROM lineitem AS a, lineitem AS b"

// questions gives what the oracle must answer for the checks.
func questions(checks []check) []oracle.Statement {
	var all []oracle.Statement
	for _, c := range checks {
		if c.status != "" || c.step.Count || c.step.Kind == "execute" || c.step.Kind == "cancel" {
			continue
		}
		sql := c.step.SQL
		if c.ask != "" {
			sql = c.ask
		}
		all = append(all, oracle.Statement{Name: c.step.Name, SQL: sql, Text: c.text})
	}
	return all
}

// parameters are prepared statements with one row bound, and the same statement with the values written out.
var parameters = []struct {
	sql    string
	params []scenario.Param
	ask    string
}{
	{"SELECT count(*) AS n FROM lineitem WHERE l_orderkey < ?", []scenario.Param{{Type: "int64", Value: "1000"}},
		"SELECT count(*) AS n FROM lineitem WHERE l_orderkey < 1000"},
	{"SELECT count(*) AS n FROM lineitem WHERE l_linenumber = ?", []scenario.Param{{Type: "int32", Value: "3"}},
		"SELECT count(*) AS n FROM lineitem WHERE l_linenumber = 3"},
	{"SELECT n_nationkey, n_name FROM nation WHERE n_name = ?", []scenario.Param{{Type: "string", Value: "FRANCE"}},
		"SELECT n_nationkey, n_name FROM nation WHERE n_name = 'FRANCE'"},
	{"SELECT count(*) AS n FROM lineitem WHERE l_shipdate >= ? AND l_shipdate < ?",
		[]scenario.Param{{Type: "date", Value: "1994-01-01"}, {Type: "date", Value: "1995-01-01"}},
		"SELECT count(*) AS n FROM lineitem WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'"},
	{"SELECT count(*) AS n FROM lineitem WHERE l_discount = CAST(? AS DECIMAL(15,2))", []scenario.Param{{Type: "decimal", Value: "0.05"}},
		"SELECT count(*) AS n FROM lineitem WHERE l_discount = 0.05"},
	{"SELECT id FROM alltypes WHERE f64 = ?", []scenario.Param{{Type: "double", Value: "2.25"}}, "SELECT id FROM alltypes WHERE f64 = 2.25"},
	{"SELECT id FROM alltypes WHERE b = ?", []scenario.Param{{Type: "bool", Value: "true"}}, "SELECT id FROM alltypes WHERE b"},
	{"SELECT id FROM alltypes WHERE ts = ?", []scenario.Param{{Type: "timestamp", Value: "1992-02-29 12:34:56.789"}},
		"SELECT id FROM alltypes WHERE ts = TIMESTAMP '1992-02-29 12:34:56.789'"},
	{"SELECT id FROM alltypes WHERE blob = ?", []scenario.Param{{Type: "bytes", Value: "00ff6162"}}, "SELECT id FROM alltypes WHERE blob = '\\x00\\xFFab'::BLOB"},
	{"SELECT id FROM alltypes WHERE i32 IS NOT DISTINCT FROM ?", []scenario.Param{{Type: "null"}}, "SELECT id FROM alltypes WHERE i32 IS NULL"},
}
