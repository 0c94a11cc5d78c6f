package testcluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A large scan comes from every worker, each giving its own part only.
func TestEachWorkerGivesItsPart(t *testing.T) {
	c := Start(t, Options{Workers: 3, Data: writeTables(t)})
	q, err := c.Submit(t, "SELECT id FROM sales")
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	locations := map[string]bool{}
	for _, e := range q.State().Endpoints {
		rows, err := c.ReadEndpoint(t.Context(), q.Schema(), e)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			t.Error("a worker gave nothing")
		}
		locations[e.Locations[0]] = true
		for _, row := range rows {
			if seen[row] {
				t.Fatalf("row %s came twice", row)
			}
			seen[row] = true
		}
	}
	if len(locations) != 3 || len(seen) != salesFiles*salesPerFile {
		t.Errorf("%d rows from %d workers, want %d from 3", len(seen), len(locations), salesFiles*salesPerFile)
	}
	c.Idle(t)
}

func TestProxyGivesAllParts(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t), ProxyResults: true})
	if rows := c.Rows(t, "SELECT id FROM sales"); len(rows) != salesFiles*salesPerFile {
		t.Errorf("%d rows", len(rows))
	}
	c.Idle(t)
}

func TestErrorsLeaveNothing(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	for sql, kind := range map[string]qerr.Kind{
		"SELEC 1":                qerr.User,
		"SELECT nope FROM sales": qerr.User,
		"SELECT * FROM nope":     qerr.NotFound,
		"SELECT CAST(region AS INTEGER) FROM sales":                    qerr.User, // while it runs
		"SELECT k, count(*) FROM sales WHERE error('boom') GROUP BY k": qerr.User,
		"COPY sales TO '/tmp/x'":                                       qerr.PermissionDenied,
		"CREATE TABLE x(a INT)":                                        qerr.Unsupported,
	} {
		if _, err := c.Run(t, sql); !qerr.Is(err, kind) {
			t.Errorf("%s: %v (%s), want kind %s", sql, err, qerr.KindOf(err), kind)
		}
	}
	c.Idle(t)
	if rows := c.Rows(t, "SELECT count(*) FROM sales"); rows[0] != fmt.Sprint(salesFiles*salesPerFile) {
		t.Errorf("the next query gives %v", rows)
	}
	c.Idle(t)
}

// slow takes minutes unless it is interrupted, in a stage below the root.
const slow = "SELECT a.k, count(*) FROM sales a, sales b, sales c WHERE a.id + b.id + c.id <> 3 GROUP BY a.k"

func TestCancelInterruptsTheEngines(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	always := Settings(t, map[string]any{settings.Distributed: settings.Always})
	for _, sql := range []string{slow, "SELECT a.id FROM sales a, sales b, sales c"} {
		q, err := c.Submit(t, sql, func(r *coordinator.Request) { r.Settings = always })
		if err != nil {
			t.Fatal(err)
		}
		if sql == slow {
			c.eventually("a task runs", func() bool { return c.Workers[0].Worker.Usage().Running+c.Workers[1].Worker.Usage().Running > 0 })
		} else {
			c.readOneBatch(t, q)
		}
		q.Cancel(nil)
		if err := q.Ready(t.Context()); !qerr.Is(err, qerr.Cancelled) {
			t.Errorf("Ready after Cancel: %v", err)
		}
		c.Idle(t)
	}
}

// readOneBatch reads the begin of the first endpoint and goes away.
func (c *Cluster) readOneBatch(t *testing.T, q *coordinator.Query) {
	t.Helper()
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	reader, err := c.Open(t.Context(), q.State().Endpoints[0])
	if err != nil {
		t.Fatal(err)
	}
	batch, err := reader.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	batch.Release()
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}

// A client that goes away in the middle of a result cancels its query by that alone.
func TestReaderGoneEndsTheQuery(t *testing.T) {
	for _, embedded := range []bool{false, true} {
		c := Start(t, Options{Workers: 2, Embedded: embedded, Data: writeTables(t)})
		q, err := c.Submit(t, "SELECT a.id FROM sales a, sales b, sales c")
		if err != nil {
			t.Fatal(err)
		}
		c.readOneBatch(t, q)
		c.Idle(t)
		if s := q.State().Status; s != coordinator.Cancelled {
			t.Errorf("embedded=%t: the query is %s", embedded, s)
		}
	}
}

func TestKillAndSystemTables(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	q, err := c.Submit(t, slow)
	if err != nil {
		t.Fatal(err)
	}
	rows := c.Rows(t, "SELECT query_id, state FROM sys.queries WHERE state IN ('running', 'queued') AND statement LIKE '%a.id + b.id%' AND statement NOT LIKE '%sys.queries%'")
	if len(rows) != 1 || !strings.HasPrefix(rows[0], string(q.ID())) {
		t.Fatalf("sys.queries shows %v, want %s", rows, q.ID())
	}
	c.Rows(t, "KILL '"+string(q.ID())+"'")
	if err := q.Ready(t.Context()); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("after KILL: %v", err)
	}
	for sql, want := range map[string]string{
		"SELECT count(*) FROM sys.workers WHERE status = 'usable' AND connected":                           "2",
		"SELECT value FROM sys.settings WHERE name = 'arbalest.task_attempts'":                             "4",
		"SELECT files, rows, rows_exact FROM sys.tables WHERE table_name = 'sales'":                        fmt.Sprintf("%d|%d|true", salesFiles, salesFiles*salesPerFile),
		"SELECT count(*) > 0 FROM sys.tasks":                                                               "true",
		"SELECT error_kind, ended >= submitted FROM sys.queries WHERE query_id = '" + string(q.ID()) + "'": "CANCELLED|true",
	} {
		if rows := c.Rows(t, sql); len(rows) != 1 || rows[0] != want {
			t.Errorf("%s: %v, want %s", sql, rows, want)
		}
	}
	c.Idle(t)
}

func TestExplainAndAnalyze(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	always := func(r *coordinator.Request) {
		r.Settings = Settings(t, map[string]any{settings.Distributed: settings.Always})
	}
	plan := strings.Join(c.Rows(t, "EXPLAIN SELECT region, count(*) FROM sales GROUP BY region", always), "\n")
	if !strings.Contains(plan, "stages=2 tasks=4") {
		t.Errorf("EXPLAIN: %s", plan)
	}
	ran := strings.Join(c.Rows(t, "EXPLAIN ANALYZE SELECT region, count(*) FROM sales GROUP BY region", always), "\n")
	if !strings.Contains(ran, "stage 1 ran tasks=2 rows=5") || !strings.Contains(ran, "stages=2 tasks=4") {
		t.Errorf("EXPLAIN ANALYZE: %s", ran)
	}
	c.Idle(t)
}

func TestSetChangesTheSession(t *testing.T) {
	c := Start(t, Options{Workers: 1, Data: writeTables(t)})
	q, err := c.Submit(t, "SET TimeZone = 'Europe/Berlin'")
	if err != nil {
		t.Fatal(err)
	}
	after := q.State().Settings
	if _, err := c.ReadEndpoint(t.Context(), q.Schema(), q.State().Endpoints[0]); err != nil {
		t.Fatal(err)
	}
	rows := c.Rows(t, "SELECT CAST(TIMESTAMPTZ '2024-01-01 00:00:00+00' AS VARCHAR)", func(r *coordinator.Request) { r.Settings = after })
	if rows[0] != "2024-01-01 01:00:00+01" {
		t.Errorf("in Berlin it is %v", rows)
	}
	if q, err = c.Submit(t, "USE sys"); err != nil {
		t.Fatal(err)
	}
	inSys := q.State().Settings
	q.Cancel(nil)
	rows = c.Rows(t, "SELECT count(*) FROM workers", func(r *coordinator.Request) { r.Settings = inSys })
	if rows[0] != "1" {
		t.Errorf("after USE sys, workers has %v rows", rows)
	}
	c.Idle(t)
}

// When nothing is tried twice, a worker that dies takes its queries with it, soon and with an error that invites to try
// again; the others go on.
func TestLostWorker(t *testing.T) {
	c := Start(t, Options{Workers: 3, Data: writeTables(t)})
	q, err := c.Submit(t, slow, func(r *coordinator.Request) {
		r.Settings = Settings(t, map[string]any{settings.Distributed: settings.Always, settings.TaskAttempts: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	c.eventually("a task runs", func() bool {
		running := 0
		for _, n := range c.Workers {
			running += n.Worker.Usage().Running
		}
		return running > 0
	})
	for _, n := range c.Workers[:2] {
		n.Kill()
	}
	if err := q.Ready(t.Context()); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("Ready = %v, want Unavailable", err)
	}
	if rows := c.Rows(t, "SELECT count(*) FROM sales"); rows[0] != fmt.Sprint(salesFiles*salesPerFile) {
		t.Errorf("the last worker gives %v", rows)
	}
	c.Idle(t)
	c.AddWorker()
	q, err = c.Submit(t, "SELECT id FROM sales")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(q.State().Endpoints); n != 2 {
		t.Errorf("with a new worker there are %d endpoints, want 2", n)
	}
	q.Cancel(nil)
	c.Idle(t)
}

func TestUnreadEndpointsExpire(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t), Limits: coordinator.Limits{ResultTTL: 50 * time.Millisecond, TickInterval: 5 * time.Millisecond}})
	var queries []*coordinator.Query
	for _, sql := range []string{"SELECT 1", "SELECT id FROM sales", "SELECT k, count(*) FROM sales GROUP BY k"} {
		q, err := c.Submit(t, sql)
		if err != nil {
			t.Fatal(err)
		}
		queries = append(queries, q)
	}
	c.Idle(t)
	for _, q := range queries {
		if s := q.State().Status; s != coordinator.Expired {
			t.Errorf("the query is %s: %v", s, q.State().Err)
		}
	}
}

func TestQueryTimeoutInterrupts(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	_, err := c.Run(t, slow, func(r *coordinator.Request) {
		r.Settings = Settings(t, map[string]any{settings.QueryTimeout: "100ms"})
	})
	if !qerr.Is(err, qerr.Deadline) {
		t.Errorf("got %v (%s), want Deadline", err, qerr.KindOf(err))
	}
	c.Idle(t)
}

func TestManyQueriesAtOnce(t *testing.T) {
	const clients = 64
	c := Start(t, Options{Workers: 2, Data: writeTables(t), Limits: coordinator.Limits{RunningMax: 4, QueuedMax: clients}})
	want := c.Rows(t, "SELECT k, count(*) FROM sales GROUP BY k ORDER BY k")
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%3 == 0 {
				q, err := c.Submit(t, "SELECT a.id FROM sales a, sales b, sales c")
				if err != nil {
					t.Errorf("submit: %v", err)
					return
				}
				if err := q.Ready(ctx); err != nil {
					t.Errorf("ready: %v", err)
				}
				q.Cancel(nil)
				return
			}
			got, err := c.Run(t, "SELECT k, count(*) FROM sales GROUP BY k ORDER BY k")
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
		})
	}
	wg.Wait()
	c.Idle(t)
}

// The number of partitions changes how rows travel, never which there are; one partition, and more than there are groups,
// included.
func TestPartitionsDoNotMatter(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	const sql = "SELECT region, k, count(*), sum(price) FROM sales GROUP BY region, k"
	var want []string
	for _, partitions := range []int{0, 1, 3, 200} {
		got := c.Rows(t, sql, func(r *coordinator.Request) {
			r.Settings = Settings(t, map[string]any{settings.Distributed: settings.Always, settings.Partitions: partitions})
		})
		slices.Sort(got)
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("partitions=%d: %s, want %s", partitions, clip(got), clip(want))
		}
	}
	c.Idle(t)
}
