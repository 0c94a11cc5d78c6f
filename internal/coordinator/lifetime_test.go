package coordinator

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// TestCancelAtEachPoint cancels at every step of a query of two stages; each time all workers that may have heard of it
// are told, and nothing is left.
func TestCancelAtEachPoint(t *testing.T) {
	steps := map[string]func(b *bench, q *Query){
		"submitted": func(*bench, *Query) {},
		"leaves run": func(b *bench, _ *Query) {
			spec := take(b.t, b.worker("w1").created, "task")
			b.worker("w1").report(spec.GetKey(), running)
		},
		"root dispatched": func(b *bench, _ *Query) { b.runLeaves(func(string, int) bool { return true }) },
		"placed": func(b *bench, q *Query) {
			b.runLeaves(func(string, int) bool { return true })
			_ = q.Ready(b.t.Context())
		},
		"being read": func(b *bench, q *Query) {
			b.runLeaves(func(string, int) bool { return true })
			_ = q.Ready(b.t.Context())
			t := b.ticketOf(q.State().Endpoints[0])
			b.worker(t.GetWorkerId()).report(t.GetKey(), running)
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 2)
			q := b.submit("group")
			step(b, q)
			q.Cancel(nil)
			if err := q.Ready(t.Context()); !qerr.Is(err, qerr.Cancelled) {
				t.Errorf("Ready = %v, want Cancelled", err)
			}
			for _, id := range []string{"w1", "w2"} {
				take(t, b.worker(id).released, "release at "+id)
			}
			b.idle()
		})
	}
}

// A Create that is under way when its query ends is followed by another Release: the first may have come too early.
func TestReleaseFollowsALateCreate(t *testing.T) {
	b := newBench(t, 1)
	enter, leave := make(chan struct{}), make(chan struct{})
	w := b.worker("w1")
	w.mu.Lock()
	w.createErr = func() error { close(enter); <-leave; return nil }
	w.mu.Unlock()
	q := b.submit("group")
	take(t, enter, "call of Create")
	q.Cancel(nil)
	take(t, w.released, "release")
	close(leave)
	take(t, w.released, "release after the task arrived")
	b.idle()
}

func TestReleaseIsTriedAgain(t *testing.T) {
	b := newBench(t, 1)
	w := b.worker("w1")
	var mu sync.Mutex
	left := 2
	w.mu.Lock()
	w.relErr = func() error {
		mu.Lock()
		defer mu.Unlock()
		if left--; left >= 0 {
			return qerr.New(qerr.Unavailable, "not now")
		}
		return nil
	}
	w.mu.Unlock()
	q := b.submit("scan")
	q.Cancel(nil)
	take(t, w.released, "release")
	b.idle()
}

func TestReleaseGivesUpOnAGoneWorker(t *testing.T) {
	b := newBench(t, 1)
	w := b.worker("w1")
	w.mu.Lock()
	w.relErr = func() error { return qerr.New(qerr.Unavailable, "never") }
	w.mu.Unlock()
	b.submit("scan").Cancel(nil)
	_ = w.seat.Close()
	b.idle()
}

func TestTaskFailureEndsTheQuery(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("group", once)
	spec := take(t, b.worker("w1").created, "task")
	b.worker("w1").report(spec.GetKey(), failed, func(e *pb.TaskEvent) {
		e.Error = grpcerr.ToProto(qerr.New(qerr.IO, "file /data/x is corrupt"))
	})
	err := q.Ready(t.Context())
	if !qerr.Is(err, qerr.IO) || !strings.Contains(err.Error(), "/data/x") {
		t.Errorf("Ready = %v, want the file's error", err)
	}
	if cause := take(t, b.worker("w2").causes, "release"); !qerr.Is(cause, qerr.IO) || cause.Error() != err.Error() {
		t.Errorf("the other worker was told %v", cause)
	}
	b.idle()
}

func TestDispatchFailureEndsTheQuery(t *testing.T) {
	b := newBench(t, 1)
	w := b.worker("w1")
	w.mu.Lock()
	w.createErr = func() error { return qerr.New(qerr.Resource, "full") }
	w.mu.Unlock()
	q := b.submit("group", once)
	if err := q.Ready(t.Context()); !qerr.Is(err, qerr.Resource) {
		t.Errorf("Ready = %v, want Resource", err)
	}
	b.idle()
}

func TestLostWorkerFailsItsQueries(t *testing.T) {
	ways := map[string]func(b *bench){
		"leaves":       func(b *bench) { _ = b.worker("w2").seat.Close() },
		"stream broke": func(b *bench) { b.worker("w2").tell(nil) },
		"process died": func(b *bench) { b.worker("w2").server.Stop() },
	}
	for name, lose := range ways {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 2)
			q := b.submit("group", once)
			lose(b)
			if err := q.Ready(t.Context()); !qerr.Is(err, qerr.Unavailable) {
				t.Errorf("Ready = %v, want Unavailable", err)
			}
			// The other worker goes on serving.
			b.eventually("w2 is down", func() bool {
				u := b.c.Usage()
				return u.LinksUp == 1 || u.LinksUp == 2 && name == "stream broke" // comes back by itself
			})
			next := b.submit("scan")
			if err := next.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			next.Cancel(nil)
			_ = b.worker("w2").seat.Close() // lets a release to a dead process end
			b.idle()
		})
	}
}

// A worker that says nothing for PingSilenceMax is lost although its connection stands.
func TestSilentWorkerIsLost(t *testing.T) {
	b := newBench(t, 1, func(c *Config) { c.Limits.PingSilenceMax = 50 * time.Millisecond })
	b.worker("w1").mu.Lock()
	b.worker("w1").mute = true // it answered once; from now on nothing
	b.worker("w1").mu.Unlock()
	b.eventually("lost", func() bool { return testutil.ToFloat64(b.c.metrics.workersLost) >= 1 })
	b.eventually("down", func() bool { return b.c.Usage().LinksUp == 0 })
}

func TestNoWorker(t *testing.T) {
	b := newBench(t, 0)
	q := b.submit("scan")
	b.eventually("waiting", func() bool { return b.c.Usage().Waiting == 1 })
	b.advance(29 * time.Second)
	if s := q.State().Status; s != Queued {
		t.Fatalf("after 29 s the query is %s", s)
	}
	b.advance(time.Second)
	if err := q.Ready(t.Context()); !qerr.Is(err, qerr.Unavailable) || !strings.Contains(err.Error(), "no worker") {
		t.Errorf("Ready = %v", err)
	}
	b.idle()
}

func TestWorkerComesInTime(t *testing.T) {
	b := newBench(t, 0)
	q := b.submit("scan")
	b.addWorker("w1")
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.readAll(q)
	b.ended(q, Finished)
	b.idle()
}

func TestUnreadResultsExpire(t *testing.T) {
	for _, sql := range []string{"SELECT 1", "scan"} {
		t.Run(sql, func(t *testing.T) {
			b := newBench(t, 2, func(c *Config) { c.Limits.ResultTTL = 5 * time.Second })
			q := b.submit(sql)
			e := q.State().Endpoints[0]
			b.advance(4 * time.Second)
			if s := q.State().Status; s != Running {
				t.Fatalf("after 4 s the query is %s", s)
			}
			b.advance(time.Second)
			b.ended(q, Expired)
			if _, err := b.c.Open(t.Context(), e.Ticket, ""); !qerr.Is(err, qerr.Deadline) {
				t.Errorf("reading it now gives %v, want Deadline", err)
			}
			b.idle()
		})
	}
}

// A ticket that is redeemed at a worker after its query was cancelled is stopped there.
func TestLateReaderIsStopped(t *testing.T) {
	b := newBench(t, 1)
	q := b.submit("scan")
	ticket := b.ticketOf(q.State().Endpoints[0])
	q.Cancel(nil)
	take(t, b.worker("w1").released, "release")
	b.idle()
	b.worker("w1").report(ticket.GetKey(), running)
	if got := take(t, b.worker("w1").released, "second release"); got != string(q.ID()) {
		t.Errorf("released %s", got)
	}
	b.idle()
}

func TestReaderGoneCancels(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("scan")
	ticket := b.ticketOf(q.State().Endpoints[0])
	b.worker(ticket.GetWorkerId()).report(ticket.GetKey(), cancelled)
	b.ended(q, Cancelled)
	for _, id := range []string{"w1", "w2"} {
		take(t, b.worker(id).released, "release")
	}
	b.idle()
}

func TestQueryTimeout(t *testing.T) {
	b := newBench(t, 1)
	q := b.submit("scan", func(r *Request) { r.Settings, _ = r.Settings.Set(settings.QueryTimeout, "10s") })
	if got := b.ticketOf(q.State().Endpoints[0]).GetTask().GetDeadlineUnixMs(); got != b.clock().Add(10*time.Second).UnixMilli() {
		t.Errorf("the task's deadline is %d", got)
	}
	b.advance(10 * time.Second)
	if err := q.err(); !qerr.Is(err, qerr.Deadline) {
		t.Errorf("after its time the query has %v, want Deadline", err)
	}
	b.idle()
}

func TestCloseEndsEverything(t *testing.T) {
	b := newBench(t, 2)
	running, local := b.submit("group"), b.submit("SELECT 1")
	for range 2 {
		if err := b.c.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, q := range []*Query{running, local} {
		if !q.State().Status.Final() {
			t.Errorf("%s is still %s", q.statement, q.State().Status)
		}
	}
	take(t, b.worker("w1").released, "release")
	if _, err := b.trySubmit("scan"); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("Submit after Close gave %v", err)
	}
	if u := b.c.Usage(); u.Live != 0 || u.Releasing != 0 {
		t.Errorf("usage after Close: %+v", u)
	}
}

func TestReadyEndsWithItsContext(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("group")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Ready(ctx); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("Ready = %v", err)
	}
	if q.State().Status != Running {
		t.Error("the query ended with the wait")
	}
	q.Cancel(nil)
	b.idle()
}

// Nobody may be reached under an id that was taken over: a query's tasks name one life of a worker.
func TestRestartedWorkerIsAnotherLife(t *testing.T) {
	b := newBench(t, 1)
	q := b.submit("scan", once)
	w := b.worker("w1")
	_ = w.seat.Close()
	w.record.Incarnation = "2"
	seat, err := b.membership.Add(w.record)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = seat.Close() }()
	b.ended(q, Failed)
	b.eventually("the new life is followed", func() bool {
		link := b.c.links.find(ids.WorkerID("w1"))
		return link != nil && link.record.Incarnation == "2" && b.c.Usage().LinksUp == 1
	})
	b.idle()
}
