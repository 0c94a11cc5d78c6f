package coordinator

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// The tasks of a lost worker, and the consumers of what it kept, go to the others; tickets of the endpoints name them.
func TestLostWorkerIsReplaced(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("group")
	b.runLeaves(func(string, int) bool { return true })
	for _, id := range []string{"w1", "w2"} {
		take(t, b.worker(id).created, "root task")
	}
	_ = b.worker("w2").seat.Close()
	leaf := take(t, b.worker("w1").created, "leaf of the lost worker")
	if leaf.GetKey().GetStage() != 0 || leaf.GetKey().GetAttempt() != 2 {
		t.Fatalf("w1 was sent %v", leaf.GetKey())
	}
	if given := take(t, b.worker("w1").canceled, "end of the restarted root task"); given.GetKey().GetStage() != 1 || given.GetKey().GetAttempt() != 1 ||
		given.GetCause().GetKind() != qerr.Unavailable.String() {
		t.Errorf("w1 was told to cancel %v", given)
	}
	b.worker("w1").report(leaf.GetKey(), finished)
	for range 2 { // one was w2's, the other's inputs are gone
		root := take(t, b.worker("w1").created, "root task")
		if root.GetKey().GetStage() != 1 || root.GetKey().GetAttempt() != 2 {
			t.Errorf("w1 was sent %v", root.GetKey())
		}
		for _, p := range root.GetInputs()[0].GetProducers() {
			if p.GetWorkerId() != "w1" || p.GetKey().GetTask() == leaf.GetKey().GetTask() && p.GetKey().GetAttempt() != 2 {
				t.Errorf("the root is to read %v at %s", p.GetKey(), p.GetWorkerId())
			}
		}
	}
	q.Cancel(nil)
	b.idle()
	for outcome, want := range map[string]float64{"finished": 2, "lost": 2, "restarted": 1, "cancelled": 2, "failed": 0} {
		if got := testutil.ToFloat64(b.c.metrics.attempts.WithLabelValues(outcome)); got != want {
			t.Errorf("%v attempts were %s, want %v", got, outcome, want)
		}
	}
}

// A connection that is closed under a dispatch, as those to a lost worker are, says that the call was cancelled. Nobody
// cancelled the query.
func TestDispatchOverAClosedConnectionIsTriedAgain(t *testing.T) {
	b := newBench(t, 1)
	w := b.worker("w1")
	var calls atomic.Int32
	w.mu.Lock()
	w.createErr = func() error {
		if calls.Add(1) == 1 {
			return status.Error(codes.Canceled, "grpc: the client connection is closing")
		}
		return nil
	}
	w.mu.Unlock()
	q := b.submit("group")
	take(t, w.created, "leaf task")
	if s := q.State(); s.Status != Running {
		t.Errorf("the query is %s: %v", s.Status, s.Err)
	}
	q.Cancel(nil)
	b.idle()
}

func TestFailedTaskIsTriedElsewhereAfterAPause(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("group")
	spec := take(t, b.worker("w1").created, "leaf task")
	take(t, b.worker("w2").created, "leaf task")
	b.worker("w1").report(spec.GetKey(), failed, func(e *pb.TaskEvent) { e.Error = grpcerr.ToProto(qerr.New(qerr.IO, "bad disk")) })
	b.eventually("the failure is known", func() bool { return len(q.attempts()) == 5 })
	if n := len(b.worker("w2").created); n != 0 {
		t.Errorf("%d tasks were sent without a pause", n)
	}
	b.advance(time.Second)
	if next := take(t, b.worker("w2").created, "second attempt"); next.GetKey().GetAttempt() != 2 || len(next.GetScans()[0].GetSplits()) == 0 {
		t.Errorf("the second attempt is %v", next)
	}
	q.Cancel(nil)
	b.idle()
}

func TestLastWorkerIsReplacedInTime(t *testing.T) {
	b := newBench(t, 1)
	q, late := b.submit("group"), b.submit("group")
	take(t, b.worker("w1").created, "leaf task")
	_ = b.worker("w1").seat.Close()
	b.eventually("both wait", func() bool { return q.starved() && late.starved() })
	b.advance(29 * time.Second)
	b.addWorker("w9")
	if spec := take(t, b.worker("w9").created, "leaf task"); spec.GetKey().GetAttempt() != 2 {
		t.Errorf("w9 was sent %v", spec.GetKey())
	}
	q.Cancel(nil)
	b.eventually("the other one runs too", func() bool { return !late.starved() })
	_ = b.worker("w9").seat.Close()
	b.eventually("it waits again", late.starved)
	b.advance(30 * time.Second)
	if err := late.Ready(t.Context()); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("Ready = %v, want Unavailable", err)
	}
	b.idle()
}

// A ticket of the fast path whose worker is gone is run on another one.
func TestTicketOfALostWorkerRunsElsewhere(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("scan")
	lost := q.State().Endpoints[0]
	ticket := b.ticketOf(lost)
	other := map[string]string{"w1": "w2", "w2": "w1"}[ticket.GetWorkerId()]
	b.clients.open = func(address string) (flightx.Reader, error) {
		if address != other+":1" {
			return nil, qerr.New(qerr.Unavailable, "nobody is at %s", address)
		}
		return oneRow(q.Schema()), nil
	}
	_ = b.worker(ticket.GetWorkerId()).seat.Close()
	b.eventually("the loss is known", func() bool { return q.moved(ids.TaskIndex(ticket.GetKey().GetTask()), 1) })
	if rows := b.read(lost, ""); rows != 1 {
		t.Errorf("%d rows", rows)
	}
	q.Cancel(nil)
	b.idle()
}

// Before its loss is known, the failed reading itself moves the task.
func TestFailedReadingMovesTheTask(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("scan")
	first := b.ticketOf(q.State().Endpoints[0])
	task, attempt := ids.TaskIndex(first.GetKey().GetTask()), ids.Attempt(first.GetKey().GetAttempt())
	var pausing sync.WaitGroup
	b.clients.open = func(address string) (flightx.Reader, error) {
		if address == first.GetWorkerId()+":1" {
			pausing.Go(func() {
				b.eventually("the query has heard of it", func() bool { return q.moved(task, attempt) })
				b.advance(time.Second) // the pause
			})
			return nil, qerr.New(qerr.Unavailable, "connection refused")
		}
		return oneRow(q.Schema()), nil
	}
	if rows := b.read(q.State().Endpoints[0], ""); rows != 1 {
		t.Errorf("%d rows", rows)
	}
	pausing.Wait()
	q.Cancel(nil)
	b.idle()
}

// A task that takes much longer than its sibling is run a second time by the worker that is idle, and given up at its own.
func TestSlowTaskIsOutrun(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("group")
	quick, slow := take(t, b.worker("w1").created, "leaf task"), take(t, b.worker("w2").created, "leaf task")
	b.worker("w1").report(quick.GetKey(), finished)
	b.worker("w2").report(slow.GetKey(), running)
	b.eventually("both are known", func() bool {
		tasks := q.tasks()[0]
		return tasks[0].State+tasks[1].State == lifecycle.Done+lifecycle.Active
	})
	b.advance(4 * time.Second)
	rival := take(t, b.worker("w1").created, "second attempt")
	if rival.GetKey().GetTask() != slow.GetKey().GetTask() || rival.GetKey().GetAttempt() != 2 || len(rival.GetScans()[0].GetSplits()) == 0 {
		t.Errorf("w1 was sent %v", rival)
	}
	b.worker("w1").report(rival.GetKey(), finished)
	if given := take(t, b.worker("w2").canceled, "end of the slow attempt"); given.GetKey().GetAttempt() != 1 {
		t.Errorf("w2 was told to cancel %v", given)
	}
	for _, id := range []string{"w1", "w2"} {
		root := take(t, b.worker(id).created, "root task")
		for _, p := range root.GetInputs()[0].GetProducers() {
			if p.GetWorkerId() != "w1" {
				t.Errorf("the root is to read %v at %s", p.GetKey(), p.GetWorkerId())
			}
		}
	}
	q.Cancel(nil)
	b.idle()
	if got := testutil.ToFloat64(b.c.metrics.attempts.WithLabelValues("outrun")); got != 1 {
		t.Errorf("%v attempts were outrun", got)
	}
}
