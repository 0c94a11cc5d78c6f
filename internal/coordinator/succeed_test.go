package coordinator

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// newPair starts coordinator a of a bench and another one, b, over the same workers and a store.
func newPair(t *testing.T, change ...func(*Config)) (*bench, *Coordinator, *fakeStore) {
	t.Helper()
	store := newFakeStore()
	var cfg Config
	b := newBench(t, 2, append(change, func(c *Config) { c.Ledger = store.list("a"); cfg = *c })...)
	cfg.ID, cfg.Ledger, cfg.Cluster = "", store.list("b"), cluster.New(b.membership, member.Requirement{Protocol: 1})
	other, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	b.eventually("the other one follows the workers", func() bool { return other.Usage().LinksUp == 2 })
	b.eventually("the other one knows the first", func() bool { _, l := cfg.Ledger.Lives(); return l.Live["a"].ID == "a" })
	return b, other, store
}

// holds has a fake worker answer that it has the tasks that are to be kept, in these states by stage.
func (b *bench) holds(states ...pb.TaskState) {
	for _, id := range []string{"w1", "w2"} {
		w := b.worker(id)
		w.mu.Lock()
		w.has = func(key *pb.TaskKey) pb.TaskState { return states[key.GetStage()] }
		w.mu.Unlock()
	}
}

func promised(t *testing.T, q *Query) {
	t.Helper()
	if err := q.Promise(t.Context()); err != nil {
		t.Fatal(err)
	}
}

const (
	isDone   = pb.TaskState_TASK_STATE_FINISHED
	isPlaced = pb.TaskState_TASK_STATE_PLACED
	isGone   = pb.TaskState_TASK_STATE_UNSPECIFIED
)

// inherited waits until a coordinator has a query of a fallen one.
func inherited(t *testing.T, c *Coordinator, q *Query) *Query {
	t.Helper()
	found, at, err := c.Owner(t.Context(), q.ID(), "a")
	if err != nil || found == nil || at != (Place{}) {
		t.Fatalf("the query is %v at %v: %v", found, at, err)
	}
	return found
}

// A query whose result is placed goes on: nothing runs again, and its end is told to the workers by the successor.
func TestSuccessorKeepsWhatIsDone(t *testing.T) {
	b, other, store := newPair(t)
	q := b.submit("group", func(r *Request) { r.User = "anna"; r.Settings, _ = r.Settings.Set(settings.TimeZone, "Europe/Berlin") })
	b.runLeaves(func(string, int) bool { return true })
	for _, id := range []string{"w1", "w2"} {
		take(t, b.worker(id).created, "root task")
	}
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	promised(t, q)
	if store.record("a", q.ID()) == nil {
		t.Fatal("a client may be told of a query without a record")
	}
	before := store.puts
	promised(t, q)
	if store.puts != before {
		t.Error("the same record was written twice")
	}
	b.holds(isDone, isPlaced)
	store.unlist("a")
	next := inherited(t, other, q)
	if err := next.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	state := next.State()
	if len(state.Endpoints) != 2 || state.Settings.TimeZone() != "Europe/Berlin" || !next.Schema().Equal(q.Schema()) || next.user != "anna" || next.epoch != 2 {
		t.Errorf("the query goes on as %+v of %q, epoch %d", state, next.user, next.epoch)
	}
	for _, id := range []string{"w1", "w2"} {
		if n := len(b.worker(id).created); n != 0 {
			t.Errorf("%s was sent %d tasks again", id, n)
		}
		b.worker(id).report(&pb.TaskKey{QueryId: string(q.ID()), Stage: 1, Task: map[string]uint32{"w1": 0, "w2": 1}[id], Attempt: 1}, isDone)
	}
	b.eventually("the query has finished", func() bool { return next.State().Status == Finished })
	for _, id := range []string{"w1", "w2"} {
		take(t, b.worker(id).released, "end")
	}
	b.eventually("the record is gone", func() bool { return store.count() == 0 })
	// The fallen one has noticed, answers that, and has told the workers nothing.
	if s := q.State(); s.Status != Failed || !qerr.Is(s.Err, qerr.Unavailable) {
		t.Errorf("at the fallen one the query is %s: %v", s.Status, s.Err)
	}
	if _, err := b.trySubmit("group"); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("the fallen one takes statements: %v", err)
	}
	if err := q.Promise(t.Context()); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("the fallen one promises: %v", err)
	}
	_ = b.c.Close()
	for _, id := range []string{"w1", "w2"} {
		if n := len(b.worker(id).released); n != 0 {
			t.Errorf("%s was told %d more ends", id, n)
		}
	}
}

// What was not done, or is not there any more, runs again under new attempt numbers; consumers read what is there.
func TestSuccessorRunsTheRestAgain(t *testing.T) {
	b, other, store := newPair(t)
	q := b.submit("group")
	promised(t, q) // a polled query: nothing is done yet
	leaf := take(t, b.worker("w1").created, "leaf task")
	take(t, b.worker("w2").created, "leaf task")
	b.worker("w1").report(leaf.GetKey(), isDone, func(e *pb.TaskEvent) {
		for range leaf.GetPartitions() {
			e.PartitionRows, e.PartitionBytes = append(e.PartitionRows, 1), append(e.PartitionBytes, 8)
		}
	})
	b.eventually("the first leaf is done", func() bool { return q.tasks()[0][leaf.GetKey().GetTask()].State == 4 })
	b.c.record(t.Context(), q) // nothing that is worth it has happened since
	if r := store.record("a", q.ID()); r == nil || r.GetRevealed() || r.GetStages()[0].GetTasks()[0].GetState() != isGone {
		t.Fatalf("the record is %v", r)
	}
	b.holds(isDone, isPlaced)
	store.unlist("a")
	next := inherited(t, other, q)
	for _, id := range []string{"w1", "w2"} {
		spec := take(t, b.worker(id).created, "leaf task again")
		if spec.GetKey().GetStage() != 0 || spec.GetKey().GetAttempt() != 1001 || spec.GetEpoch() != 2 || spec.GetCoordinatorId() != "b" || len(spec.GetScans()[0].GetSplits()) == 0 ||
			spec.GetFragment() != leaf.GetFragment() {
			t.Errorf("%s was sent %v", id, spec)
		}
		b.worker(id).report(spec.GetKey(), isDone, func(e *pb.TaskEvent) {
			for range spec.GetPartitions() {
				e.PartitionRows, e.PartitionBytes = append(e.PartitionRows, 1), append(e.PartitionBytes, 8)
			}
		})
	}
	for _, id := range []string{"w1", "w2"} {
		root := take(t, b.worker(id).created, "root task")
		if root.GetKey().GetStage() != 1 || len(root.GetInputs()) != 1 || len(root.GetInputs()[0].GetProducers()) != 2 || len(root.GetInputs()[0].GetColumns()) == 0 {
			t.Errorf("%s was sent %v", id, root)
		}
		for _, p := range root.GetInputs()[0].GetProducers() {
			if ticket, err := b.keys.VerifyTicket(p.GetTicket(), b.clock()); err != nil || p.GetKey().GetAttempt() != 1001 || len(ticket.GetPartitions()) == 0 {
				t.Errorf("the root is to read %v: %v", p.GetKey(), err)
			}
		}
	}
	if err := next.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.eventually("the stages are in the record", func() bool {
		r := store.record("b", q.ID())
		return r.GetRevealed() && r.GetStages()[0].GetTasks()[0].GetState() == isDone && r.GetEpoch() == 2
	})
	next.Cancel(nil)
	b.eventually("the record is gone", func() bool { return store.count() == 0 })
}

// A worker that has died with the coordinator is as any lost worker.
func TestSuccessorMissesAWorker(t *testing.T) {
	b, other, store := newPair(t)
	q := b.submit("group")
	b.runLeaves(func(string, int) bool { return true })
	for _, id := range []string{"w1", "w2"} {
		take(t, b.worker(id).created, "root task")
	}
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	promised(t, q)
	b.holds(isDone, isPlaced)
	w := b.worker("w2")
	w.mu.Lock()
	w.has = func(*pb.TaskKey) pb.TaskState { return isGone }
	w.mu.Unlock()
	store.unlist("a")
	next := inherited(t, other, q)
	seen := map[uint32]bool{}
	for len(seen) < 1 { // its leaf, anywhere
		select {
		case spec := <-b.worker("w1").created:
			seen[spec.GetKey().GetStage()] = spec.GetKey().GetAttempt() == 1001
		case spec := <-w.created:
			seen[spec.GetKey().GetStage()] = spec.GetKey().GetAttempt() == 1001
		case <-time.After(20 * time.Second):
			t.Fatal("nothing is run again")
		}
	}
	if !seen[0] {
		t.Errorf("first again is %v", seen)
	}
	next.Cancel(nil)
}

// A result that was read through the fallen coordinator is read anew, from another attempt; others stay.
func TestSuccessorGivesUpWhatCoordinatorsRead(t *testing.T) {
	b, other, store := newPair(t)
	q := b.submit("group")
	b.runLeaves(func(string, int) bool { return true })
	for _, id := range []string{"w1", "w2"} {
		take(t, b.worker(id).created, "root task")
	}
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	promised(t, q)
	b.holds(isDone, isDone)
	w := b.worker("w1")
	w.mu.Lock()
	w.proxied = true
	w.mu.Unlock()
	store.unlist("a")
	next := inherited(t, other, q)
	spec := take(t, w.created, "root task anew")
	if spec.GetKey().GetStage() != 1 || spec.GetKey().GetAttempt() != 1001 {
		t.Errorf("w1 was sent %v", spec.GetKey())
	}
	if given := take(t, w.canceled, "end of the attempt"); given.GetKey().GetAttempt() != 1 || given.GetCoordinatorId() != "b" {
		t.Errorf("w1 was told to cancel %v", given)
	}
	w.report(spec.GetKey(), isDone)
	b.eventually("the query has finished", func() bool { return next.State().Status == Finished })
}

// Others are told where a query is, and statements that ride in their tickets are answered by anybody.
func TestAnyCoordinatorAnswers(t *testing.T) {
	b, other, store := newPair(t)
	third := store.list("c")
	q := b.submit("group")
	if _, at, err := other.Owner(t.Context(), q.ID(), "a"); err != nil || at.Address != "a:1" {
		t.Errorf("a living one's query is at %v: %v", at, err)
	}
	if _, _, err := other.Owner(t.Context(), "q-unknown", "b"); !qerr.Is(err, qerr.NotFound) {
		t.Errorf("an unknown query of this one: %v", err)
	}
	local := b.submit("anything")
	ticket := local.State().Endpoints[0].Ticket
	r, err := other.Open(t.Context(), ticket, "")
	if err != nil {
		t.Fatalf("a statement in its ticket: %v", err)
	}
	batch, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	batch.Release()
	_ = r.Close()
	// c is the successor of a: b says so.
	store.change(func() { delete(store.live, "a"); store.fallen["a"] = fallenTo("a", "c", false) })
	if _, at, err := other.Owner(t.Context(), q.ID(), "a"); err != nil || at.Address != "c:1" {
		t.Errorf("a fallen one's query is at %v: %v", at, err)
	}
	_ = third.Settle(t.Context(), "a")
	if _, at, err := other.Owner(t.Context(), q.ID(), "a"); err != nil || at.Address != "c:1" {
		t.Errorf("a fallen one's query is at %v: %v", at, err)
	}
	// A query without a record is lost with it.
	store.change(func() { store.fallen["a"] = fallenTo("a", "b", true) })
	if _, _, err := other.Owner(t.Context(), q.ID(), "a"); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("a lost query: %v", err)
	}
}

// Without the store queries run as ever, and none waits for it twice.
func TestStoreIsAway(t *testing.T) {
	b, _, store := newPair(t)
	store.change(func() { store.away = true })
	for n := range 2 {
		q := b.submit("group")
		if n > 0 {
			promised(t, q) // it is not tried so soon
		}
		b.runLeaves(func(string, int) bool { return true })
		for _, id := range []string{"w1", "w2"} {
			take(t, b.worker(id).created, "root task")
		}
		if err := q.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		promised(t, q)
		q.Cancel(nil)
	}
	store.change(func() { store.away = false })
	b.advance(ledgerPause)
	q := b.submit("group")
	promised(t, q)
	if store.record("a", q.ID()) == nil {
		t.Error("no record although the store is there again")
	}
	q.Cancel(nil)
	b.idle()
	b.eventually("the record is gone", func() bool { return store.count() == 0 })
}

// A record survives its way through the store, and a damaged one ends its query only.
func TestRecordsOfNoUse(t *testing.T) {
	b, other, store := newPair(t)
	q := b.submit("group")
	promised(t, q)
	good := store.record("a", q.ID())
	for name, damage := range map[string]func(*pb.QueryRecord){
		"no stages": func(r *pb.QueryRecord) { r.Stages = nil },
		"a circle":  func(r *pb.QueryRecord) { r.Stages[0].Inputs = []uint32{1} },
		"inputs":    func(r *pb.QueryRecord) { r.Stages[1].Tasks[0].Readings = nil },
		"settings":  func(r *pb.QueryRecord) { r.Settings = map[string]string{"no.such": "1"} },
		"a type":    func(r *pb.QueryRecord) { r.Columns[0].Type = "NO SUCH(" },
	} {
		bad := proto.CloneOf(good)
		damage(bad)
		bad.QueryId = "bad " + name
		store.change(func() { store.records["a"][q.ID()+"/"+"bad"] = bad })
		if i, _ := other.inherit(bad); i != nil { // its error would be that this one stops
			other.resume(i, nil)
			if err := i.q.err(); err == nil {
				t.Errorf("%s: the query goes on", name)
			}
		}
	}
	q.Cancel(nil)
}

// An Open that waits for a successor ends with its client.
func TestOpenWaitsForTheSuccessor(t *testing.T) {
	b, other, store := newPair(t, func(c *Config) { c.ProxyResults = true })
	q := b.submit("group")
	b.runLeaves(func(string, int) bool { return true })
	for _, id := range []string{"w1", "w2"} {
		take(t, b.worker(id).created, "root task")
	}
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	promised(t, q)
	b.holds(isDone, isPlaced)
	ticket := q.State().Endpoints[0].Ticket
	b.clients.mu.Lock()
	sent := make(chan struct{})
	b.clients.open = func(string) (flightx.Reader, error) { <-sent; return nil, errors.New("not read here") }
	b.clients.mu.Unlock()
	store.unlist("a")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	opened := make(chan error, 1)
	go func() {
		_, err := other.Open(ctx, ticket, "")
		opened <- err
	}()
	// What may have been read through the fallen one runs anew.
	for _, id := range []string{"w1", "w2"} {
		if spec := take(t, b.worker(id).created, "root task anew"); spec.GetKey().GetStage() != 1 || spec.GetKey().GetAttempt() != 1001 {
			t.Errorf("%s was sent %v", id, spec.GetKey())
		}
	}
	close(sent)
	<-opened
	inherited(t, other, q).Cancel(nil)
}
