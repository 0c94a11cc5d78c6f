package frontend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

func plan(t *testing.T, f *Frontend, r Request) *Planned {
	t.Helper()
	p, err := f.Plan(t.Context(), r)
	if err != nil {
		t.Fatalf("%s: %v", r.SQL, err)
	}
	return p
}

// evaluate runs a local plan and prints its rows.
func evaluate(t *testing.T, f *Frontend, p *Planned) string {
	t.Helper()
	if !p.Local {
		t.Fatalf("not local: %+v", p)
	}
	rd, err := f.Evaluate(t.Context(), p.LocalSQL, p.Columns, "UTC")
	if err != nil {
		t.Fatalf("%s: %v", p.LocalSQL, err)
	}
	defer func() { _ = rd.Close() }()
	var rows []string
	for {
		b, err := rd.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return strings.Join(rows, ";")
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(b.NumRows()) {
			var vs []string
			for _, c := range b.Columns() {
				vs = append(vs, strings.Clone(c.ValueStr(i))) // It points into the batch.
			}
			rows = append(rows, strings.Join(vs, "|"))
		}
		b.Release()
	}
}

func TestLocal(t *testing.T) {
	f := front(t)
	for _, c := range []struct{ sql, rows string }{
		{"SELECT 1 AS x, 'a' AS y", "1|a"},
		{"VALUES (1), (2)", "1;2"},
		{"SELECT sum(i) FROM range(10) r(i)", "45"},
		{"SELECT 1 WHERE false", ""},
		{"SELECT current_user, session_user, current_user()", "ann|ann|ann"},
		{"SELECT current_setting('timezone') AS z, current_setting('arbalest.partitions')", "UTC|0"},
		{"SELECT current_schema(), current_database()", "main|arbalest"},
		{"SELECT name, value FROM sys.settings ORDER BY name", "TimeZone|UTC;x|(null)"},
		{"SELECT count(*) FROM sys.queries", "0"},
		{"SELECT count(*) FROM SYS.Settings WHERE value IS NULL", "1"},
		{"SELECT s.value, r.i FROM sys.settings s, range(1) r(i) WHERE name = 'TimeZone'", "UTC|0"},
		{"WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 3) SELECT * FROM r ORDER BY i", "1;2;3"},
		{"SELECT list_transform([1, 2], x -> x + 1)", "[2,3]"},
		{"SHOW TABLES", "customer;empty;lineitem;nation;orders;part;partsupp;region;supplier;t;u"},
		{"SELECT table_name FROM information_schema.tables WHERE table_schema = 'other'", "t"},
		{"SELECT DISTINCT table_type FROM information_schema.tables", "BASE TABLE"},
		{"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'nation' ORDER BY ordinal_position LIMIT 2", "n_nationkey|BIGINT;n_name|VARCHAR"},
		{"SELECT schema_name FROM information_schema.schemata WHERE catalog_name = 'arbalest' ORDER BY ALL", "main;other;sys"},
		{"SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sys'", "2"},
		{"SELECT column_name FROM (DESCRIBE nation) LIMIT 1", "n_nationkey"},
		{"SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'other'", "t"},
		{"SELECT 1 UNION ALL SELECT 2 ORDER BY 1 DESC -- a comment", "2;1"},
	} {
		p := plan(t, f, request(t, c.sql))
		if got := evaluate(t, f, p); got != c.rows {
			t.Errorf("%s: %q, want %q (%s)", c.sql, got, c.rows, p.LocalSQL)
		}
	}
}

// TestWhatIsScanned holds that plans say which tables they read, and that system tables join with real ones.
func TestWhatIsScanned(t *testing.T) {
	f := front(t)
	p := plan(t, f, request(t, "SELECT t.a FROM u JOIN t USING (a) JOIN t AS again USING (a) WHERE EXISTS (SELECT 1 FROM nation)"))
	if got := fmt.Sprint(p.Tables); got != "[arbalest.main.nation arbalest.main.t arbalest.main.u]" {
		t.Errorf("tables %s", got)
	}
	p = plan(t, f, request(t, "SELECT t.b FROM t JOIN sys.settings s ON s.name = t.b"))
	values := 0
	operator.Walk(p.Statement.Tree, func(n operator.Node) bool {
		if _, ok := n.(*operator.Values); ok {
			values++
		}
		return true
	})
	if p.Local || values != 1 || len(operator.Scans(p.Statement.Tree)) != 1 {
		t.Errorf("local %v, %d values", p.Local, values)
	}
	p = plan(t, f, request(t, "SELECT t.b, unnest(t.l) FROM t JOIN sys.settings s ON s.name = t.b"))
	if p.Statement.Tree != nil || len(p.Statement.TextScans) != 1 || !strings.Contains(p.Statement.Text, "TimeZone") {
		t.Errorf("text %q", p.Statement.Text)
	}
	// Estimates come with the tree.
	p = plan(t, f, request(t, "SELECT a FROM t WHERE a > 5"))
	if e := p.Statement.Tree.Estimate(); e <= 0 || e >= 1000 {
		t.Errorf("estimate %v", e)
	}
}

// TestSession holds that names, time zone and user come from the request.
func TestSession(t *testing.T) {
	f := front(t)
	r := request(t, "SELECT z FROM t")
	if _, err := f.Plan(t.Context(), r); !qerr.Is(err, qerr.User) {
		t.Errorf("in main: %v", err)
	}
	r.Settings, _ = r.Settings.Set(settings.Schema, "other")
	if p := plan(t, f, r); len(p.Columns) != 1 || p.Tables[0].Schema != "other" {
		t.Errorf("in other: %+v", p)
	}
	r = request(t, "SELECT TIMESTAMPTZ '2020-07-01 12:00:00' AS x, date_trunc('day', TIMESTAMPTZ '2020-07-01 00:30:00+00')::VARCHAR AS y")
	utc := evaluate(t, f, plan(t, f, r))
	r.Settings, _ = r.Settings.Set(settings.TimeZone, "Asia/Tokyo")
	if tokyo := evaluate(t, f, plan(t, f, r)); tokyo == utc {
		t.Errorf("the time zone does not count: %s", tokyo)
	}
	r = request(t, "SELECT current_user")
	r.User = "o'hara"
	if got := evaluate(t, f, plan(t, f, r)); got != "o'hara" {
		t.Errorf("user %s", got)
	}
}

func TestCache(t *testing.T) {
	f := front(t)
	again := func(r Request) bool {
		plan(t, f, r)
		return plan(t, f, r).Cached
	}
	for sql, want := range map[string]bool{
		"SELECT count(*) AS cached_once FROM t":        true,
		"SELECT a, unnest(l) AS cached_text FROM t":    true,
		"SELECT 42 AS cached_constant":                 true,
		"SELECT now() FROM t":                          false,
		"SELECT a FROM t WHERE ts < current_timestamp": false,
		"SELECT current_date":                          false,
		"SELECT 'today'::DATE":                         false,
		"SELECT random() FROM t":                       false,
		"SELECT uuid()":                                false,
		"SELECT current_user":                          false,
		"SELECT current_setting('TimeZone')":           false,
		"SELECT ago(INTERVAL 1 DAY)":                   false,
		"SELECT * FROM sys.settings":                   false,
		"SHOW TABLES":                                  false,
	} {
		if got := again(request(t, sql)); got != want {
			t.Errorf("%s: cached %v", sql, got)
		}
	}
	r := request(t, "SELECT count(*) AS cached_once FROM t")
	other := *world(t)
	other.version = "another"
	r.Snapshot = &other
	if plan(t, f, r).Cached {
		t.Error("cached over snapshots")
	}
	r = request(t, "SELECT count(*) AS cached_once FROM t")
	r.Settings, _ = r.Settings.Set(settings.TimeZone, "Asia/Tokyo")
	if plan(t, f, r).Cached {
		t.Error("cached over settings")
	}
}

func TestCacheBounds(t *testing.T) {
	c := newCache(2, 1<<20)
	for _, k := range []string{"a", "b", "a", "c"} {
		if c.get(k) == nil {
			c.put(k, &Planned{LocalSQL: k})
		}
	}
	if c.get("a") == nil || c.get("b") != nil || c.get("c") == nil {
		t.Error("the least recently used did not go")
	}
	c.put("big", &Planned{LocalSQL: strings.Repeat("x", 2<<20)})
	if c.get("big") != nil {
		t.Error("a plan larger than the cache was kept")
	}
	c = newCache(100, 3*5000)
	for i := range 10 {
		c.put(itoa(i), &Planned{})
	}
	if n := c.order.Len(); n == 0 || n > 3 || c.bytes > c.bytesMax {
		t.Errorf("%d entries of %d bytes", n, c.bytes)
	}
	off := newCache(-1, 0)
	off.put("a", &Planned{})
	if off.get("a") != nil {
		t.Error("a cache that is off kept a plan")
	}
}

// TestDeadline holds that a statement whose join order takes too long runs as text, soon, and that planning goes on.
func TestDeadline(t *testing.T) {
	// Its join order takes four seconds, so that no machine is fast enough to meet the deadline.
	f, err := New(Config{PoolMax: 2, PlanDeadline: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	p := plan(t, f, request(t, star(120)))
	if p.Statement.Tree != nil || !strings.Contains(p.Statement.Unread, "deadline") || len(p.Statement.TextScans) != 2 {
		t.Fatalf("unread %q, %d scans", p.Statement.Unread, len(p.Statement.TextScans))
	}
	f.cfg.PlanDeadline = planDeadlineDefault
	if p := plan(t, f, request(t, "SELECT a FROM t")); p.Statement.Tree == nil {
		t.Error(p.Statement.Unread)
	}
	// A caller that goes away is told so.
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := f.Plan(ctx, request(t, star(121))); !qerr.Is(err, qerr.Deadline) {
		t.Errorf("after the caller's deadline: %v", err)
	}
}

// star is a join of one table with n others on columns of the one.
func star(n int) string {
	var b strings.Builder
	b.WriteString("SELECT count(*) FROM t")
	for i := range n {
		fmt.Fprintf(&b, ", u u%d", i)
	}
	b.WriteString(" WHERE true")
	for i := range n {
		fmt.Fprintf(&b, " AND t.a + %d = u%d.a + u%d.sm", i, i, i)
	}
	return b.String()
}

func TestConcurrency(t *testing.T) {
	f := front(t)
	all := queries()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 12 {
				n := (g*5 + i) % len(all)
				r := request(t, fmt.Sprintf("%s -- %d", all[n], g))
				if g%2 == 1 {
					r = request(t, fmt.Sprintf("SELECT %d AS x, a FROM t WHERE a > %d", g, i))
					snapshot := *world(t)
					snapshot.version = fmt.Sprint("v", g%3)
					r.Snapshot = &snapshot
				}
				p, err := f.Plan(t.Context(), r)
				if err != nil || p.Statement.Tree == nil {
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestSnapshots holds that a table whose columns changed between snapshots is seen as it is in each.
func TestSnapshots(t *testing.T) {
	f := front(t)
	for i, columns := range []string{"x INTEGER", "x VARCHAR; y DATE", "x INTEGER"} {
		r := request(t, "SELECT * FROM changing")
		r.Snapshot = &fake{version: fmt.Sprint("changing", i), tables: []*table.Table{newTable(t, "changing", 10, columns)}}
		p := plan(t, f, r)
		if len(p.Columns) != strings.Count(columns, ";")+1 || p.Columns[0].Type.SQL() != strings.Fields(strings.ReplaceAll(columns, ";", ""))[1] {
			t.Errorf("%s: %+v", columns, p.Columns)
		}
	}
}
