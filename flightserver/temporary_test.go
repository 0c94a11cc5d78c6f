package flightserver

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc/codes"
)

// writer runs statements over temporary tables by a client's usual calls.
type writer struct {
	*flightsql.Client
	t *testing.T
}

// do runs an update, and returns its count.
func (w writer) do(sql string) int64 {
	w.t.Helper()
	n, err := w.ExecuteUpdate(testContext(w.t), sql)
	if err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func (w writer) want(sql string, count int64) {
	w.t.Helper()
	if n := w.do(sql); n != count {
		w.t.Errorf("%s: %d rows, want %d", sql, n, count)
	}
}

// rows reads a query's rows as text.
func (w writer) rows(sql string) string {
	w.t.Helper()
	info, err := w.Execute(testContext(w.t), sql)
	if err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	var rows []string
	for _, b := range read(w.t, w.Client, info) {
		for i := range int(b.NumRows()) {
			cells := make([]string, b.NumCols())
			for c := range cells {
				cells[c] = b.Column(c).ValueStr(i)
			}
			rows = append(rows, strings.Join(cells, ","))
		}
	}
	return strings.Join(rows, " ")
}

func (w writer) see(sql, rows string) {
	w.t.Helper()
	if got := w.rows(sql); got != rows {
		w.t.Errorf("%s: %s; want %s", sql, got, rows)
	}
}

func (w writer) refuse(sql string, code codes.Code, text string) {
	w.t.Helper()
	_, err := w.ExecuteUpdate(testContext(w.t), sql)
	wantCode(w.t, err, code)
	if err == nil || !strings.Contains(err.Error(), text) {
		w.t.Errorf("%s: %v; want %q in it", sql, err, text)
	}
}

func newWriter(t *testing.T, r *real) writer {
	t.Helper()
	w := writer{r.session(t), t}
	w.rows("SELECT 1") // takes the session's cookie
	t.Cleanup(func() {
		if _, err := w.CloseSession(testContext(t), &flight.CloseSessionRequest{}); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestTemporaryTables(t *testing.T) {
	r := startReal(t, 3, nil)
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the sessions are closed
	w := newWriter(t, r)
	w.want("CREATE TEMP TABLE big AS SELECT id, kind FROM events WHERE id < 1000", 1000)
	w.see("SELECT count(*), sum(id), max(kind) FROM big", "1000,499500,kind 2")
	w.see("SELECT count(*) FROM temp.main.big b JOIN events e USING (id) WHERE e.kind = b.kind", "1000")
	w.want("CREATE TEMPORARY TABLE few (a INTEGER, b VARCHAR, c DECIMAL(10,2), d TIMESTAMP, e INTEGER[])", 0)
	w.see("SELECT count(*), max(a) FROM few", "0,(null)")
	w.want("INSERT INTO few VALUES (1, 'one', 1.5, '2024-01-01', [1, 2]), (2, 'two''s', NULL, NULL, NULL)", 2)
	w.want("INSERT INTO few (b, a) SELECT kind, id FROM events WHERE id BETWEEN 10 AND 12", 3)
	w.want("INSERT INTO few (a) VALUES (20), (DEFAULT)", 2)
	w.see("SELECT a, b, c, d, e FROM few WHERE a < 10 ORDER BY a", `1,one,1.5,2024-01-01T00:00:00,[1,2] 2,two's,(null),(null),(null)`)
	w.want("UPDATE few SET b = b || '!', c = a WHERE a >= 10 AND b IS NOT NULL", 3)
	w.see("SELECT a, b, c FROM few WHERE a >= 10 ORDER BY a", "10,kind 1!,10 11,kind 2!,11 12,kind 0!,12 20,(null),(null)")
	w.want("UPDATE few AS f SET a = f.a + 1", 7)
	w.want("DELETE FROM few WHERE a > 11", 3)
	w.see("SELECT a FROM few ORDER BY a NULLS LAST", "2 3 11 (null)")
	w.want("DELETE FROM few f WHERE f.a IS NULL", 1)
	w.want("DELETE FROM few WHERE false", 0)
	w.want("INSERT INTO few SELECT * FROM few", 3)
	w.want("TRUNCATE few", 6)
	w.see("SELECT count(*) FROM few", "0")
	w.want("CREATE OR REPLACE TEMP TABLE few AS SELECT 1 AS x, NULL AS y", 1)
	w.see("SELECT x, y, typeof(y) FROM few", "1,(null),INTEGER")
	w.want("CREATE TEMP TABLE IF NOT EXISTS few AS SELECT 2 AS x", 0)
	w.see("SELECT x FROM few", "1")
	w.want("DROP TABLE few", 0)
	w.want("DROP TABLE IF EXISTS few", 0)
	w.refuse("DROP TABLE few", codes.NotFound, "few")
	w.refuse("CREATE TEMP TABLE big (a INT)", codes.AlreadyExists, "big")
	w.refuse("CREATE TEMP TABLE x (a INT PRIMARY KEY)", codes.Unimplemented, "constraints")
	w.refuse("CREATE TEMP TABLE x (a INT); DROP TABLE big", codes.InvalidArgument, "one statement")
	w.refuse("CREATE TEMP TABLE x (a NOTYPE)", codes.InvalidArgument, "NOTYPE")
	w.refuse("CREATE TEMP TABLE x AS SELECT 1 AS a, 2 AS a", codes.InvalidArgument, "twice")
	w.refuse("CREATE TABLE x (a INT)", codes.Unimplemented, "create_temporary")
	w.refuse("INSERT INTO events VALUES (1, 'x')", codes.Unimplemented, "read-only")
	w.refuse("INSERT INTO big VALUES (1)", codes.InvalidArgument, "2 values")
	w.refuse("INSERT INTO big VALUES ('x', 'y')", codes.InvalidArgument, "x")
	w.refuse("UPDATE big SET nope = 1", codes.InvalidArgument, "nope")
	w.refuse("DELETE FROM big WHERE nope = 1", codes.InvalidArgument, "nope")
	w.refuse("DELETE FROM big RETURNING id", codes.Unimplemented, "RETURNING")
	w.see("SELECT count(*) FROM big", "1000")
	w.do("SET arbalest.create_temporary = true")
	w.want("CREATE TABLE x (a INT)", 0)
	// A temporary table comes before the catalog's of that name, which has another way to be named.
	w.want("CREATE TEMP TABLE events AS SELECT 7 AS id", 1)
	w.see("SELECT id FROM events", "7")
	w.see("SELECT count(*) FROM main.events", "20000")
	w.see("SELECT table_catalog, table_schema, table_type FROM information_schema.tables WHERE table_name = 'x'", "temp,main,LOCAL TEMPORARY")
	w.see("SELECT table_catalog, column_name, data_type FROM information_schema.columns WHERE table_name = 'events' ORDER BY ALL",
		"arbalest,id,BIGINT arbalest,kind,VARCHAR temp,id,INTEGER")
	if tables := w.rows("SHOW TABLES"); !strings.Contains(tables, "x") {
		t.Errorf("SHOW TABLES gives %s", tables)
	}
	other := newWriter(t, r)
	other.see("SELECT count(*) FROM information_schema.tables WHERE table_catalog = 'temp'", "0")
	other.see("SELECT count(*) FROM events", "20000")
	other.refuse("DROP TABLE big", codes.NotFound, "big")
}

// Many small inserts do not pile up: a table is of a bounded number of parts.
func TestTemporaryTableIsCompacted(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the sessions are closed
	w := newWriter(t, r)
	w.do("CREATE TEMP TABLE t (a BIGINT)")
	for range 70 {
		w.want("INSERT INTO t VALUES (1), (2)", 2)
	}
	w.see("SELECT count(*), sum(a) FROM t", "140,210")
	if n := r.cluster.Coordinator.Usage().Live; n > 33 {
		t.Errorf("%d live queries", n)
	}
}

func TestTemporaryTransactions(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the sessions are closed
	w := newWriter(t, r)
	w.do("CREATE TEMP TABLE t AS SELECT 1 AS a")
	txn, err := w.BeginTransaction(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	in := func(sql string) {
		t.Helper()
		if _, err := txn.ExecuteUpdate(testContext(t), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	in("INSERT INTO t VALUES (2)")
	point, err := txn.BeginSavepoint(testContext(t), "p")
	if err != nil {
		t.Fatal(err)
	}
	in("DELETE FROM t")
	w.see("SELECT count(*) FROM t", "0")
	if err := txn.RollbackSavepoint(testContext(t), point); err != nil {
		t.Fatal(err)
	}
	w.see("SELECT count(*) FROM t", "2")
	if err := txn.Rollback(testContext(t)); err != nil {
		t.Fatal(err)
	}
	w.see("SELECT count(*) FROM t", "1")
	w.do("BEGIN")
	w.do("UPDATE t SET a = 5")
	w.do("CREATE TEMP TABLE u AS SELECT 1 AS b")
	w.refuse("BEGIN", codes.InvalidArgument, "open already")
	w.do("COMMIT")
	w.see("SELECT a, b FROM t, u", "5,1")
}

// A worker that dies takes what it kept of a table with it: who reads that is told its name, and can make it again.
func TestLostTemporaryTable(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the sessions are closed
	w := newWriter(t, r)
	w.do("CREATE TEMP TABLE mine AS SELECT id FROM events")
	r.cluster.Workers[1].Kill()
	w.refuse("SELECT count(*) FROM mine", codes.NotFound, `"mine" is lost`)
	w.refuse("INSERT INTO mine SELECT id FROM mine", codes.NotFound, `"mine" is lost`)
	w.do("CREATE OR REPLACE TEMP TABLE mine AS SELECT id FROM events")
	w.see("SELECT count(*) FROM mine", "20000")
}

// Temporary tables go with their sessions, and those with the server: nothing waits for them when it is drained.
func TestDrainWithTemporaryTables(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the sessions are closed
	w := newWriter(t, r)
	w.do("CREATE TEMP TABLE t AS SELECT id FROM events")
	w.do("INSERT INTO t VALUES (1)")
	if err := r.cluster.Coordinator.Drain(testContext(t)); err != nil {
		t.Error(err)
	}
	w.refuse("SELECT count(*) FROM t", codes.Unavailable, "")
}
