package frontend

import (
	"errors"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestClassify(t *testing.T) {
	f := front(t)
	for _, c := range []struct {
		sql  string
		want Command
	}{
		{"SELECT 1", Command{Kind: KindQuery, SQL: "SELECT 1"}},
		{"  -- hello\n /* a /* nested */ b */ select 1 ; ", Command{Kind: KindQuery}},
		{"FROM t", Command{Kind: KindQuery}},
		{"VALUES (1)", Command{Kind: KindQuery}},
		{"(SELECT 1)", Command{Kind: KindQuery}},
		{"WITH x AS (SELECT 1) SELECT * FROM x", Command{Kind: KindQuery}},
		{"SHOW TABLES", Command{Kind: KindQuery}},
		{"DESCRIBE t", Command{Kind: KindQuery}},
		{"SUMMARIZE t", Command{Kind: KindQuery}},
		{"TABLE t", Command{Kind: KindQuery}},
		{"SELECT nope FROM nowhere", Command{Kind: KindQuery}},
		{"SET arbalest.partitions = 7", Command{Kind: KindSet, Name: "arbalest.partitions", Value: int64(7)}},
		{"set SESSION arbalest.partitions TO '7';", Command{Kind: KindSet, Name: "arbalest.partitions", Value: "7"}},
		{"SET ARBALEST.Distributed = always", Command{Kind: KindSet, Name: "arbalest.distributed", Value: "always"}},
		{"SET arbalest.ordered_endpoints = true", Command{Kind: KindSet, Name: "arbalest.ordered_endpoints", Value: true}},
		{"SET arbalest.query_timeout = 30s", Command{Kind: KindSet, Name: "arbalest.query_timeout", Value: "30s"}},
		{"SET \"TimeZone\" = 'Europe/Berlin'", Command{Kind: KindSet, Name: "TimeZone", Value: "Europe/Berlin"}},
		{"SET TIME ZONE 'UTC'", Command{Kind: KindSet, Name: "TimeZone", Value: "UTC"}},
		{"SET schema = 'other'", Command{Kind: KindSet, Name: "schema", Value: "other"}},
		{"SET arbalest.partitions = DEFAULT", Command{Kind: KindReset, Name: "arbalest.partitions"}},
		{"RESET arbalest.partitions", Command{Kind: KindReset, Name: "arbalest.partitions"}},
		{"USE other", Command{Kind: KindUse, Schema: "other"}},
		{"USE arbalest.\"o t\"", Command{Kind: KindUse, Catalog: "arbalest", Schema: "o t"}},
		{"EXPLAIN SELECT 1", Command{Kind: KindExplain, SQL: "SELECT 1"}},
		{"explain analyze\n select 1;", Command{Kind: KindExplainAnalyze, SQL: "select 1;"}},
		{"EXPLAIN (SELECT 1)", Command{Kind: KindExplain, SQL: "(SELECT 1)"}},
		{"KILL 'q-1'", Command{Kind: KindKill, QueryID: "q-1"}},
		{"BEGIN", Command{Kind: KindBegin}}, {"START TRANSACTION", Command{Kind: KindBegin}}, {"COMMIT WORK;", Command{Kind: KindCommit}},
		{"ROLLBACK", Command{Kind: KindRollback}}, {"ABORT", Command{Kind: KindRollback}}, {"END", Command{Kind: KindCommit}},
	} {
		got, err := f.Classify(c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		if c.want.Kind == KindQuery {
			c.want.SQL = c.sql
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.sql, got, c.want)
		}
	}
}

// TestRefusals holds the kind of each refusal, what it says, and where.
func TestRefusals(t *testing.T) {
	f := front(t)
	for _, c := range []struct {
		sql      string
		kind     qerr.Kind
		says     string
		position int
	}{
		{"", qerr.User, "empty", 0},
		{" ;", qerr.User, "empty", 0},
		{"-- only a comment", qerr.User, "empty", 0},
		{"selec 1", qerr.User, "syntax error", 1},
		{"SELECT 1 FROM WHERE", qerr.User, "syntax error", 15},
		{"SELECT 1; SELECT 2", qerr.User, "one statement at a time", 0},
		{"SELECT 'a\x00b'", qerr.User, "zero byte", 0},
		{"COPY t TO 'x.csv'", qerr.PermissionDenied, "COPY is refused", 0},
		{"COPY (SELECT 1) TO '/etc/x'", qerr.PermissionDenied, "arbalest sql --format parquet", 0},
		{"ATTACH 'x.db'", qerr.PermissionDenied, "--data", 0},
		{"DETACH x", qerr.PermissionDenied, "--data", 0},
		{"INSTALL httpfs", qerr.PermissionDenied, "extensions", 0},
		{"LOAD httpfs", qerr.PermissionDenied, "extensions", 0},
		{"PRAGMA threads=4", qerr.PermissionDenied, "sys.settings", 0},
		{"CALL pragma_version()", qerr.PermissionDenied, "CALL is refused", 0},
		{"CHECKPOINT", qerr.PermissionDenied, "CHECKPOINT is refused", 0},
		{"EXPORT DATABASE 'x'", qerr.PermissionDenied, "EXPORT is refused", 0},
		{"CREATE VIEW x AS SELECT 1", qerr.Unsupported, "not supported yet", 0},
		{"DROP VIEW t", qerr.Unsupported, "DDL", 0},
		{"CREATE TEMP TABLE x (i INTEGER); DROP TABLE t", qerr.User, "one statement at a time", 0},
		{"CREATE TEMP TABLE x (i INTEGER", qerr.User, "syntax error", 31},
		{"CREATE TEMP TABLE x AS SELECT 1 WITH NO DATA", qerr.Unsupported, "WITH [NO] DATA", 0},
		{"INSERT OR REPLACE INTO t VALUES (1)", qerr.Unsupported, "INSERT OR", 0},
		{"INSERT INTO t VALUES (1) RETURNING a", qerr.Unsupported, "RETURNING", 0},
		{"INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING", qerr.Unsupported, "ON is not supported", 0},
		{"UPDATE t SET a = 1 FROM u WHERE t.b = u.b", qerr.Unsupported, "FROM", 0},
		{"DELETE FROM t USING u", qerr.Unsupported, "USING", 0},
		{"DELETE FROM t WHERE", qerr.User, "syntax error", 20},
		{"EXPLAIN DELETE FROM t", qerr.User, "EXPLAIN takes a query", 0},
		{"ALTER TABLE t ADD COLUMN x INTEGER", qerr.Unsupported, "not supported yet", 0},
		{"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", qerr.Unsupported, "DML", 0},
		{"PREPARE p AS SELECT 1", qerr.Unsupported, "Flight SQL", 0},
		{"PIVOT t ON b USING sum(a)", qerr.Unsupported, "name the values", 0},
		{"SET threads = 4", qerr.User, "The options are arbalest.distributed", 5},
		{"SET arbalest.partition = 4", qerr.User, "did you mean arbalest.partitions", 5},
		{"SET arbalest.partitions", qerr.User, "'='", 24},
		{"SET arbalest.partitions = 4 5", qerr.User, "unexpected", 29},
		{"RESET memory_limit", qerr.User, "no session option", 7},
		{"KILL q1", qerr.User, "quotes", 6},
		{"USE a.b.c", qerr.User, "USE takes", 0},
		{"EXPLAIN", qerr.User, "must follow", 8},
		{"EXPLAIN COPY t TO 'x'", qerr.PermissionDenied, "COPY", 0},
		{"EXPLAIN SET schema = 'x'", qerr.User, "EXPLAIN takes a query", 0},
		{"EXPLAIN (FORMAT JSON) SELECT 1", qerr.User, "one format", 9},
		{"BEGIN READ ONLY NOW", qerr.User, "unexpected", 7},
	} {
		_, err := f.Classify(c.sql)
		var e *qerr.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(err.Error(), c.says) || e.Position != c.position {
			t.Errorf("%s: %v (%v at %d), want %v at %d saying %q", c.sql, err, qerr.KindOf(err), positionOf(err), c.kind, c.position, c.says)
		}
	}
	if _, err := f.Classify("SELECT '" + strings.Repeat("x", statementBytesMax) + "'"); !qerr.Is(err, qerr.User) {
		t.Errorf("a text of more than %d bytes: %v", statementBytesMax, err)
	}
}

func positionOf(err error) int {
	var e *qerr.Error
	if errors.As(err, &e) {
		return e.Position
	}
	return -1
}

// TestPlanFaults holds what Plan and Describe refuse, and that nothing of it harms the next statement.
func TestPlanFaults(t *testing.T) {
	f := front(t)
	for _, c := range []struct {
		sql      string
		kind     qerr.Kind
		says     string
		position int
	}{
		{"SELECT nope FROM t", qerr.User, `"nope" not found`, 8},
		{"SELECT a FROM t WHERE a > 1 AND zz = 2", qerr.User, `"zz" not found`, 33},
		{"SELECT nofunction(a) FROM t", qerr.User, "nofunction", 8},
		{"SELECT a + DATE '2020-01-01' + b FROM t GROUP BY 1", qerr.User, "", -1},
		{"SELECT a FROM lineitm", qerr.NotFound, "Did you mean lineitem?", 15},
		{"SELECT a FROM t JOIN custmer ON true", qerr.NotFound, "customer", 22},
		{"SELECT a FROM othr.t", qerr.NotFound, "othr.t does not exist", 15},
		{"SELECT * FROM sys.querys", qerr.NotFound, "sys.queries", 15},
		{"WITH u AS (SELECT * FROM v), v AS (SELECT 1) SELECT * FROM u", qerr.NotFound, "v does not exist", 26},
		{"SELECT * FROM 'data.csv'", qerr.PermissionDenied, "data.csv", 15},
		{"SELECT * FROM '/etc/passwd'", qerr.PermissionDenied, "/etc/passwd", 15},
		{"SELECT * FROM 'https://x.y/z.parquet'", qerr.PermissionDenied, "z.parquet", 15},
		{"SELECT * FROM read_csv('/etc/passwd')", qerr.PermissionDenied, "read_csv", 15},
		{"SELECT * FROM read_parquet('x')", qerr.PermissionDenied, "not files by path", 15},
		{"SELECT * FROM parquet_scan('x')", qerr.PermissionDenied, "parquet_scan", 15},
		{"SELECT * FROM read_text('/etc/passwd')", qerr.PermissionDenied, "read_text", 15},
		{"SELECT * FROM glob('*')", qerr.PermissionDenied, "glob", 15},
		{"SELECT * FROM sniff_csv('x')", qerr.PermissionDenied, "sniff_csv", 15},
		{"SELECT * FROM t WHERE a IN (SELECT i FROM read_csv('x') c(i))", qerr.PermissionDenied, "read_csv", -1},
		{"SELECT * FROM query('SELECT 1')", qerr.PermissionDenied, "query", 15},
		{"SELECT * FROM query_table('t')", qerr.PermissionDenied, "query_table", 15},
		{"SELECT * FROM duckdb_settings()", qerr.PermissionDenied, "sys.settings", 15},
		{"SELECT * FROM duckdb_secrets()", qerr.PermissionDenied, "duckdb_secrets", 15},
		{"SELECT * FROM pragma_database_size()", qerr.PermissionDenied, "pragma_database_size", 15},
		{"SELECT * FROM arbalest_stub_1()", qerr.PermissionDenied, "arbalest_stub_1", 15},
		{"SELECT * FROM json_execute_serialized_sql('x')", qerr.PermissionDenied, "json_execute", 15},
		{"SELECT * FROM pg_catalog.pg_settings", qerr.PermissionDenied, "pg_settings", 15},
		{"SELECT current_setting('temp_directory')", qerr.PermissionDenied, "sys.settings", 8},
		{"SELECT current_setting(b) FROM t", qerr.PermissionDenied, "sys.settings", 8},
		{"SELECT json_serialize_plan('SELECT 1')", qerr.PermissionDenied, "json_serialize_plan", 0},
		{"SELECT 'it''s é', nope FROM t", qerr.User, `"nope"`, 20},
		{"SELECT * FROM arrow_scan(1, 2, 3)", qerr.PermissionDenied, "arrow_scan", 15},
		{"SELECT * FROM t, information_schema.tables", qerr.Unsupported, "one after the other", 0},
	} {
		for what, call := range map[string]func() error{
			"plan":     func() error { _, err := f.Plan(t.Context(), request(t, c.sql)); return err },
			"describe": func() error { _, err := f.Describe(t.Context(), request(t, c.sql)); return err },
		} {
			err := call()
			if what == "describe" && c.kind == qerr.Unsupported {
				continue
			}
			if !qerr.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || (c.position >= 0 && positionOf(err) != c.position) {
				t.Errorf("%s %s: %v (%v at %d), want %v at %d saying %q", what, c.sql, err, qerr.KindOf(err), positionOf(err), c.kind, c.position, c.says)
			}
			if p, err := f.Plan(t.Context(), request(t, "SELECT count(*) FROM t")); err != nil || p.Statement.Tree == nil {
				t.Fatalf("after %s: %v", c.sql, err)
			}
		}
	}
}
