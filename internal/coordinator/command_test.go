package coordinator

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestFaultsOfTheStatementComeFromSubmit(t *testing.T) {
	b := newBench(t, 0)
	for _, sql := range []string{"BAD", "wrong", "SET nope=1", "USE nowhere", "KILL nothing", "EXPLAIN SET x=1", "ANALYZE wrong"} {
		if _, err := b.trySubmit(sql); !qerr.Is(err, qerr.User) && !qerr.Is(err, qerr.NotFound) && !qerr.Is(err, qerr.Unsupported) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	b.idle()
}

func TestSetAndReset(t *testing.T) {
	b := newBench(t, 0)
	q := b.submit("SET arbalest.partitions=7")
	if got := q.State().Settings.Partitions(); got != 7 {
		t.Errorf("partitions = %d after SET", got)
	}
	if got := q.Schema().Field(0).Name; got != "Success" {
		t.Errorf("the column is %q", got)
	}
	q.Cancel(nil)
	after := q.State().Settings
	q = b.submit("RESET arbalest.partitions", func(r *Request) { r.Settings = after })
	if got := q.State().Settings.Partitions(); got != 0 {
		t.Errorf("partitions = %d after RESET", got)
	}
	q.Cancel(nil)
	b.idle()
}

func TestKill(t *testing.T) {
	b := newBench(t, 1)
	as := func(user string) func(*Request) { return func(r *Request) { r.User = user } }
	q := b.submit("scan", as("ann"))
	if _, err := b.trySubmit("KILL "+string(q.ID()), as("bob")); !qerr.Is(err, qerr.NotFound) {
		t.Errorf("another user's KILL gave %v, want NotFound", err)
	}
	b.submit("KILL "+string(q.ID()), as("ann")).Cancel(nil)
	if err := q.err(); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("after KILL the query has %v", err)
	}
	b.idle()
}

func TestExplainShowsWhatRuns(t *testing.T) {
	b := newBench(t, 2)
	var shown string
	b.frontend.evaluated = func(sql string) error { shown = sql; return nil }
	q := b.submit("EXPLAIN group")
	b.read(q.State().Endpoints[0], "")
	if !strings.Contains(shown, "stages=2 tasks=4") {
		t.Errorf("EXPLAIN shows %s", shown)
	}
	if n := len(b.worker("w1").created); n != 0 {
		t.Errorf("EXPLAIN ran %d tasks", n)
	}
	run := b.submit("group")
	run.mu.Lock()
	tasks, _, _ := run.machine.Totals()
	stages := run.stages
	run.mu.Unlock()
	if stages != 2 || tasks != 4 {
		t.Errorf("ran stages=%d tasks=%d", stages, tasks)
	}
	if got := testutil.ToFloat64(b.c.metrics.tasks); got != 4 {
		t.Errorf("metrics count %v tasks", got)
	}
	run.Cancel(nil)
	b.idle()
}

func TestExplainAnalyze(t *testing.T) {
	b := newBench(t, 2)
	shown := make(chan string, 1)
	b.frontend.evaluated = func(sql string) error { shown <- sql; return nil }
	b.clients.open = func(address string) (flightx.Reader, error) {
		id := strings.TrimSuffix(address, ":1")
		for _, q := range b.c.registry.live() {
			if q.statement != "scan" {
				continue
			}
			for _, e := range q.State().Endpoints {
				if ticket := b.ticketOf(e); ticket.GetWorkerId() == id {
					b.worker(id).report(ticket.GetKey(), finished, func(e *pb.TaskEvent) { e.Rows = 5 })
				}
			}
			return oneRow(q.Schema()), nil
		}
		return nil, qerr.New(qerr.Internal, "no such query")
	}
	q := b.submit("ANALYZE scan")
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.read(q.State().Endpoints[0], "")
	if got := take(t, shown, "plan"); !strings.Contains(got, "stage 0 ran tasks=2 rows=10") {
		t.Errorf("EXPLAIN ANALYZE shows %s", got)
	}
	b.idle()
}

func TestCancelOfExplainAnalyzeEndsItsQuery(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("ANALYZE group")
	q.Cancel(nil)
	b.idle()
}
