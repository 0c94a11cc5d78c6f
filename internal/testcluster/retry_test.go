package testcluster

import (
	"fmt"
	"slices"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// grouped runs in two stages everywhere.
const grouped = "SELECT region, k, count(*), sum(price) FROM sales GROUP BY region, k"

// heavy takes some time in its leaves: long enough to kill a worker in between on most machines, seconds at most.
const heavy = "SELECT a.k, count(*), sum(a.id) FROM sales a, sales b, sales c WHERE c.id < 20 AND a.id % 3 + c.id <> b.id % 5 GROUP BY a.k"

func trying(t *testing.T, attempts int) func(*coordinator.Request) {
	return func(r *coordinator.Request) {
		r.Settings = Settings(t, map[string]any{settings.Distributed: settings.Always, settings.TaskAttempts: attempts})
	}
}

// readAll reads every endpoint through the coordinator, as clients do that reach no worker, or find it gone.
func (c *Cluster) readAll(t *testing.T, q *coordinator.Query) (rows []string, err error) {
	t.Helper()
	if err := q.Ready(t.Context()); err != nil {
		return nil, err
	}
	for _, e := range q.State().Endpoints {
		e.Locations = nil
		some, err := c.ReadEndpoint(t.Context(), q.Schema(), e)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	slices.Sort(rows)
	return rows, nil
}

// sorted runs a statement without any fault.
func (c *Cluster) sorted(t *testing.T, sql string) []string {
	t.Helper()
	rows := c.Rows(t, sql, trying(t, 1))
	slices.Sort(rows)
	return rows
}

// A worker that is killed at any point of a query before the client has anything costs time only; with one attempt a task,
// it costs the query, whose error says that it may be sent again.
func TestKilledWorker(t *testing.T) {
	points := map[string]struct {
		sql  string
		wait func(c *Cluster, q *coordinator.Query)
	}{
		"leaf": {heavy, func(c *Cluster, _ *coordinator.Query) {
			c.eventually("the last worker runs a leaf, or has run it", func() bool {
				u := c.Workers[2].Worker.Usage()
				return u.Running+u.Kept > 0
			})
		}},
		"placed": {grouped, func(c *Cluster, q *coordinator.Query) { _ = q.Ready(c.t.Context()) }},
		"direct": {"SELECT id, region FROM sales", func(c *Cluster, q *coordinator.Query) { _ = q.Ready(c.t.Context()) }},
	}
	for name, point := range points {
		for _, attempts := range []int{4, 1} {
			t.Run(fmt.Sprintf("%s/attempts=%d", name, attempts), func(t *testing.T) {
				c := Start(t, Options{Workers: 3, Data: writeTables(t)})
				want := c.sorted(t, point.sql)
				q, err := c.Submit(t, point.sql, trying(t, attempts))
				if err != nil {
					t.Fatal(err)
				}
				point.wait(c, q)
				c.Workers[2].Kill()
				rows, err := c.readAll(t, q)
				switch {
				case attempts == 1 && !qerr.Is(err, qerr.Unavailable):
					t.Errorf("with one attempt: %v (%s), want Unavailable", err, qerr.KindOf(err))
				case attempts > 1 && err != nil:
					t.Errorf("%v (%s)", err, qerr.KindOf(err))
				case attempts > 1 && !slices.Equal(rows, want):
					t.Errorf("%s, want %s", clip(rows), clip(want))
				}
				c.Idle(t)
				if attempts > 1 {
					again := c.Rows(t, "SELECT count(*) FROM sys.tasks WHERE state = 'failed' AND error_kind = 'UNAVAILABLE' AND query_id = '"+string(q.ID())+"'")
					if again[0] == "0" {
						t.Error("no attempt was lost: the fault did not hit")
					}
				}
			})
		}
	}
}

// The worker dies while the coordinator opens its result, or after it has passed rows on.
func TestKilledWhileRead(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t), ProxyResults: true})
	q, err := c.Submit(t, endless, trying(t, 4))
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	reader, err := c.Open(t.Context(), q.State().Endpoints[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	batch, err := reader.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	batch.Release()
	c.killReader(t, q)
	for err == nil {
		if batch, err = reader.Next(t.Context()); err == nil {
			batch.Release()
		}
	}
	if flightx.AtEnd(err) || !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("the client was told %v (%s), want Unavailable", err, qerr.KindOf(err))
	}
	if err := q.State().Err; !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("the query has %v", err)
	}
	_ = reader.Close()
	c.Idle(t)
}

// killReader kills the worker that runs the query's first result.
func (c *Cluster) killReader(t *testing.T, q *coordinator.Query) {
	t.Helper()
	rows := c.Rows(t, "SELECT worker_id FROM sys.tasks WHERE state = 'running' AND query_id = '"+string(q.ID())+"' ORDER BY stage DESC, task LIMIT 1")
	for _, n := range c.Workers {
		if len(rows) == 1 && string(n.ID) == rows[0] {
			n.Kill()
			return
		}
	}
	t.Fatalf("nobody runs the result: %v", rows)
}

// A client at a worker that dies falls back to the coordinator with the ticket that it has.
func TestClientFallsBackToTheCoordinator(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	want := c.sorted(t, "SELECT id FROM sales")
	q, err := c.Submit(t, "SELECT id FROM sales", trying(t, 4))
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Workers[0].Kill()
	var rows []string
	for _, e := range q.State().Endpoints {
		some, err := c.ReadEndpoint(t.Context(), q.Schema(), e)
		if err != nil {
			e.Locations = nil
			some, err = c.ReadEndpoint(t.Context(), q.Schema(), e)
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, some...)
	}
	slices.Sort(rows)
	if !slices.Equal(rows, want) {
		t.Errorf("%s, want %s", clip(rows), clip(want))
	}
	c.Idle(t)
	if s := q.State().Status; s != coordinator.Finished {
		t.Errorf("the query is %s: %v", s, q.State().Err)
	}
}

// A draining worker refuses tasks, and others take them, also when nothing may be tried twice.
func TestDrainingWorkerIsReplaced(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	want := c.sorted(t, grouped)
	if err := c.Workers[0].Worker.Drain(t.Context()); err != nil { // the membership has not heard of it
		t.Fatal(err)
	}
	q, err := c.Submit(t, grouped, trying(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := c.readAll(t, q)
	if err != nil || !slices.Equal(rows, want) {
		t.Errorf("%s, %v; want %s", clip(rows), err, clip(want))
	}
	c.Idle(t)
}
