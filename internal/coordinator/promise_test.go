package coordinator

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// placed runs a query until its endpoints are placed.
func (b *bench) placed(q *Query) {
	b.t.Helper()
	b.runLeaves(func(string, int) bool { return true })
	for _, id := range []string{"w1", "w2"} {
		take(b.t, b.worker(id).created, "root task")
	}
	if err := q.Ready(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// While an old record can be neither replaced nor removed, no client is told more than it tells: a successor would go on from there,
// perhaps with other tasks.
func TestNothingIsToldBeyondTheRecord(t *testing.T) {
	b, _, store := newPair(t)
	q := b.submit("group")
	promised(t, q) // a polled query, without an endpoint
	store.change(func() { store.away = true })
	promised(t, q)
	b.placed(q)
	if err := q.Promise(t.Context()); !qerr.Is(err, qerr.Unavailable) || errors.Is(err, errFallen) {
		t.Errorf("endpoints that the record does not tell: %v", err)
	}
	if s := q.State(); s.Status != Running {
		t.Errorf("the query is %s: %v", s.Status, s.Err)
	}
	store.change(func() { store.away = false })
	b.advance(ledgerPause)
	promised(t, q)
	if r := store.record("a", q.ID()); !r.GetRevealed() {
		t.Errorf("the record is %v", r)
	}
	q.Cancel(nil)
	b.eventually("the record is gone", func() bool { return store.count() == 0 })
}

// A record that has become too large goes: nobody may go on from the older one.
func TestRecordBecomesTooLarge(t *testing.T) {
	b, _, store := newPair(t)
	q := b.submit("group")
	promised(t, q)
	if store.count() != 1 {
		t.Fatal("there is no record")
	}
	store.change(func() { store.refusal = qerr.New(qerr.Resource, "too large") })
	b.placed(q)
	promised(t, q)
	if store.count() != 0 {
		t.Error("the older record is still there")
	}
	store.change(func() { store.refusal = nil })
	promised(t, q)
	if store.count() != 0 {
		t.Error("a query that cannot be handed over has a record")
	}
	q.Cancel(nil)
}

// A client that goes away is not taken for a store that does not answer.
func TestClientLeavesWhileItIsPromised(t *testing.T) {
	b, _, store := newPair(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		q := b.submit("group")
		_ = q.Promise(ctx) // its error is of no interest: nobody hears it
		if store.record("a", q.ID()) == nil {
			t.Error("there is no record")
		}
		q.Cancel(nil)
	}
}

// An output that was lost and computed again is in the record as it is now.
func TestRecordFollowsLostOutputs(t *testing.T) {
	b, _, store := newPair(t)
	q := b.submit("group")
	b.placed(q)
	promised(t, q)
	_ = b.worker("w2").seat.Close()
	again := take(t, b.worker("w1").created, "leaf task again")
	if again.GetKey().GetStage() != 0 || again.GetKey().GetAttempt() < 2 {
		t.Fatalf("w1 was sent %v", again.GetKey())
	}
	b.worker("w1").report(again.GetKey(), isDone, func(e *pb.TaskEvent) {
		for range again.GetPartitions() {
			e.PartitionRows, e.PartitionBytes = append(e.PartitionRows, 1), append(e.PartitionBytes, 8)
		}
	})
	b.eventually("the record tells of the new output", func() bool {
		task := store.record("a", q.ID()).GetStages()[0].GetTasks()[again.GetKey().GetTask()]
		return task.GetState() == isDone && task.GetWorkerId() == "w1" && task.GetAttempt() == again.GetKey().GetAttempt()
	})
	q.Cancel(nil)
}

// The first coordinator after all were gone goes on with what the workers have, though it has only just begun to follow them.
func TestSuccessorBeginsAfterTheFall(t *testing.T) {
	store := newFakeStore()
	var cfg Config
	b := newBench(t, 2, func(c *Config) { c.Ledger = store.list("a"); cfg = *c })
	q := b.submit("group")
	b.placed(q)
	promised(t, q)
	b.holds(isDone, isPlaced)
	store.unlist("a")
	cfg.ID, cfg.Ledger = "", store.list("b")
	other, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	b.eventually("the query goes on", func() bool {
		next, ok := other.Query(q.ID())
		return ok && next.State().Complete
	})
	for _, id := range []string{"w1", "w2"} {
		if n := len(b.worker(id).created); n != 0 {
			t.Errorf("%s was sent %d tasks again", id, n)
		}
		b.worker(id).report(&pb.TaskKey{QueryId: string(q.ID()), Stage: 1, Task: map[string]uint32{"w1": 0, "w2": 1}[id], Attempt: 1}, isDone)
	}
	b.eventually("the record is gone", func() bool { return store.count() == 0 })
}

// Who comes for a result of a query that is just being taken over waits.
func TestReadersWaitForTheResumption(t *testing.T) {
	b, other, store := newPair(t)
	q := b.submit("group")
	b.placed(q)
	promised(t, q)
	endpoint := q.State().Endpoints[0]
	i, err := other.inherit(store.record("a", q.ID()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := other.Open(ctx, endpoint.Ticket, ""); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("a reader that does not wait any longer: %v", err)
	}
	i.q.Cancel(nil)
	if _, err := other.Open(t.Context(), endpoint.Ticket, ""); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("a reader of a query that was cancelled: %v", err)
	}
	other.resume(i, nil)
	if s := i.q.State(); s.Status != Cancelled || len(s.Endpoints) != 0 {
		t.Errorf("a cancelled query was resumed: %+v", s)
	}
	q.Cancel(nil)
}

// A coordinator that stops while it takes queries over leaves them to the next one.
func TestWhoStopsInheritsNothing(t *testing.T) {
	b, other, store := newPair(t)
	q := b.submit("group")
	promised(t, q)
	record := store.record("a", q.ID())
	other.registry.close()
	if i, err := other.inherit(record); i != nil || !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("a coordinator that stops inherits %v: %v", i, err)
	}
	_ = other.Close()
	if store.count() != 1 {
		t.Error("the record is gone")
	}
	q.Cancel(nil)
}

// A coordinator whose tasks the workers refuse, since it has fallen, fails its queries as Unavailable, also before it hears of that.
func TestWorkersRefuseTheFallen(t *testing.T) {
	b := newBench(t, 2)
	for _, id := range []string{"w1", "w2"} {
		w := b.worker(id)
		w.mu.Lock()
		w.createErr = func() error { return qerr.New(qerr.Fenced, "fallen") }
		w.mu.Unlock()
	}
	q := b.submit("group", func(r *Request) { r.Settings, _ = r.Settings.Set(settings.TaskAttempts, 1) })
	if err := q.Ready(t.Context()); !qerr.Is(err, qerr.Unavailable) || qerr.Is(err, qerr.Fenced) {
		t.Errorf("the query ends with %v", err)
	}
}

// A result that one coordinator holds is read there by any other.
func TestRowsOfAnotherCoordinator(t *testing.T) {
	b, other, _ := newPair(t)
	q := b.submit("anything " + strings.Repeat("x", localTicketBytesMax))
	var asked string
	b.clients.mu.Lock()
	b.clients.open = func(address string) (flightx.Reader, error) { asked = address; return oneRow(q.Schema()), nil }
	b.clients.mu.Unlock()
	r, err := other.Open(t.Context(), q.State().Endpoints[0].Ticket, "")
	if err != nil || asked != "a:1" {
		t.Fatalf("asked %q: %v", asked, err)
	}
	_ = r.Close()
	q.Cancel(nil)
}

// A worker that has given a result to its owner gives it to nobody else; whether that owner lives is found out there.
func TestOwnersOfResultsAreAsked(t *testing.T) {
	b, other, _ := newPair(t)
	q := b.submit("group")
	b.placed(q)
	e := q.State().Endpoints[0]
	for _, c := range []struct {
		worker, owner error
		asked         []string
	}{
		{qerr.New(qerr.AlreadyExists, "read"), qerr.New(qerr.Unavailable, "dead"), []string{"worker", "a:1"}},
		{qerr.New(qerr.Cancelled, "its reader left"), qerr.New(qerr.Unavailable, "dead"), []string{"worker", "a:1"}},
		{qerr.New(qerr.NotFound, "gone"), qerr.New(qerr.NotFound, "forgotten"), []string{"worker", "a:1"}},
		{qerr.New(qerr.Unavailable, "away"), nil, []string{"worker"}},
		{qerr.New(qerr.User, "division by zero"), nil, []string{"worker"}},
	} {
		var asked []string
		b.clients.mu.Lock()
		b.clients.open = func(address string) (flightx.Reader, error) {
			if address == "a:1" {
				asked = append(asked, address)
				return nil, c.owner
			}
			asked = append(asked, "worker")
			return nil, c.worker
		}
		b.clients.mu.Unlock()
		_, err := other.Open(t.Context(), e.Ticket, "")
		if want := cmp.Or(c.owner, c.worker); !slices.Equal(asked, c.asked) || qerr.KindOf(err) != qerr.KindOf(want) {
			t.Errorf("the worker says %v: asked %v, told %v", c.worker, asked, err)
		}
	}
	q.Cancel(nil)
}

// A reader of a query that goes on is not held up by an attempt that never comes: the query's end ends it.
func TestPlaceOfUnknownTask(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("group")
	b.placed(q)
	if _, err := q.placeOf(t.Context(), ids.TaskIndex(99), 0, nil, nil); !qerr.Is(err, qerr.NotFound) {
		t.Errorf("an unknown task: %v", err)
	}
	q.step(lifecycle.Cancel{Cause: qerr.New(qerr.Cancelled, "enough"), Now: b.clock()})
}

// Without a ledger a promise costs nothing, and tickets carry nothing for other coordinators.
func TestPromisesWithoutLedger(t *testing.T) {
	b := newBench(t, 1)
	for _, sql := range []string{"scan", "anything"} {
		q := b.submit(sql)
		if err := q.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(10, func() {
			if err := q.Promise(t.Context()); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%s: a promise allocates %v times", sql, n)
		}
		if task := b.ticketOf(q.State().Endpoints[0]).GetTask(); sql == "anything" && task != nil {
			t.Errorf("the ticket carries %v", task)
		}
		q.Cancel(nil)
	}
}
