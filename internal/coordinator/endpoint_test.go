package coordinator

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// ticketOf reads what an endpoint's ticket says.
func (b *bench) ticketOf(e Endpoint) *pb.Ticket {
	b.t.Helper()
	t, err := b.keys.VerifyTicket(e.Ticket, b.clock())
	if err != nil {
		b.t.Fatal(err)
	}
	return t
}

// readAll reports that every root task was read.
func (b *bench) readAll(q *Query) {
	for _, e := range q.State().Endpoints {
		t := b.ticketOf(e)
		b.worker(t.GetWorkerId()).report(t.GetKey(), finished, func(e *pb.TaskEvent) { e.Rows = 5 })
	}
}

func TestOneStageIsNotDispatched(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("scan")
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	state := q.State()
	if len(state.Endpoints) != 2 || !state.Complete {
		t.Fatalf("%d endpoints, complete=%t; want one a worker", len(state.Endpoints), state.Complete)
	}
	files := map[string]bool{}
	for _, e := range state.Endpoints {
		ticket := b.ticketOf(e)
		if ticket.GetTask().GetFragment() == "" || ticket.GetAudience() != pb.Audience_AUDIENCE_RESULT {
			t.Errorf("the ticket does not carry its task: %v", ticket)
		}
		want := "grpc+tcp://" + ticket.GetWorkerId() + ".public:1"
		if len(e.Locations) != 2 || e.Locations[0] != want || e.Locations[1] != reuseConnection {
			t.Errorf("locations are %v, want %s and the connection itself", e.Locations, want)
		}
		for _, split := range ticket.GetTask().GetScans()[0].GetSplits() {
			if files[split.GetPath()] {
				t.Errorf("%s is read twice", split.GetPath())
			}
			files[split.GetPath()] = true
		}
	}
	if len(files) != 8 {
		t.Errorf("%d of 8 files are read", len(files))
	}
	b.readAll(q)
	b.ended(q, Finished)
	for _, id := range []string{"w1", "w2"} {
		if got := take(t, b.worker(id).released, "release"); got != string(q.ID()) {
			t.Errorf("%s was told the end of %s, want %s", id, got, q.ID())
		}
		if n := len(b.worker(id).created); n != 0 {
			t.Errorf("%s was sent %d tasks", id, n)
		}
	}
	b.idle()
}

func TestTasksTooLargeForTicketsAreDispatched(t *testing.T) {
	b := newBench(t, 1, func(c *Config) { c.Limits.TicketTaskBytesMax = 100 })
	q := b.submit("scan")
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	spec := take(t, b.worker("w1").created, "task")
	ticket := b.ticketOf(q.State().Endpoints[0])
	if ticket.GetTask() != nil || spec.GetPartitions() != 0 {
		t.Errorf("the ticket still carries its task, or the task is no result: %v", ticket)
	}
	b.readAll(q)
	b.ended(q, Finished)
	b.idle()
}

// runLeaves reports the leaf tasks done, with rows only in the partitions that keep says.
func (b *bench) runLeaves(keep func(worker string, partition int) bool) (specs []*pb.TaskSpec) {
	for _, id := range []string{"w1", "w2"} {
		spec := take(b.t, b.worker(id).created, "leaf task")
		specs = append(specs, spec)
		b.worker(id).report(spec.GetKey(), finished, func(e *pb.TaskEvent) {
			for p := range spec.GetPartitions() {
				var rows uint64
				if keep(id, int(p)) {
					rows = 1
				}
				e.PartitionRows = append(e.PartitionRows, rows)
				e.PartitionBytes = append(e.PartitionBytes, 8*rows)
			}
		})
	}
	return specs
}

func TestStagesRunInOrder(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("group")
	if s := q.State(); len(s.Endpoints) != 0 || s.Complete {
		t.Fatal("endpoints are placed before the stages below are done")
	}
	// Worker 2 has nothing in partition 0: its consumer must not be sent there.
	b.runLeaves(func(worker string, p int) bool { return worker == "w1" || p != 0 })
	asked := map[string][]string{} // partition -> producers
	for _, id := range []string{"w1", "w2"} {
		spec := take(t, b.worker(id).created, "root task")
		if spec.GetPartitions() != 0 || len(spec.GetInputs()) != 1 {
			t.Fatalf("not a root task: %v", spec)
		}
		for _, p := range spec.GetInputs()[0].GetProducers() {
			ticket, err := b.keys.VerifyTicket(p.GetTicket(), b.clock())
			if err != nil {
				t.Fatal(err)
			}
			if ticket.GetAudience() != pb.Audience_AUDIENCE_EXCHANGE || ticket.GetWorkerId() != p.GetWorkerId() || p.GetAddress() != p.GetWorkerId()+":1" {
				t.Errorf("the exchange ticket is %v for producer %v", ticket, p)
			}
			for _, n := range ticket.GetPartitions() {
				key := fmt.Sprint(n)
				asked[key] = append(asked[key], p.GetWorkerId())
			}
		}
	}
	if got := fmt.Sprint(asked["0"]); got != "[w1]" {
		t.Errorf("partition 0 is fetched from %s, want [w1]", got)
	}
	if len(asked) != 8 || len(asked["1"]) != 2 {
		t.Errorf("partitions are fetched so: %v; want 8, each once from each producer that has rows", asked)
	}
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.readAll(q)
	b.ended(q, Finished)
	if got := q.State().Progress; got != 1 {
		t.Errorf("progress is %v at the end", got)
	}
	b.idle()
}

func TestLocalStatementsNeedNoWorker(t *testing.T) {
	b := newBench(t, 0)
	q := b.submit("SELECT 1")
	if err := q.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := q.State().Endpoints[0]
	if len(e.Locations) != 0 {
		t.Errorf("locations: %v", e.Locations)
	}
	if rows := b.read(e, ""); rows != 1 {
		t.Errorf("%d rows", rows)
	}
	b.ended(q, Finished)
	if _, err := b.c.Open(t.Context(), e.Ticket, ""); !qerr.Is(err, qerr.NotFound) {
		t.Errorf("reading it again gave %v, want NotFound", err)
	}
	b.idle()
}

func (b *bench) read(e Endpoint, user string) (rows int64) {
	b.t.Helper()
	r, err := b.c.Open(b.t.Context(), e.Ticket, user)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for {
		batch, err := r.Next(b.t.Context())
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			b.t.Fatal(err)
		}
		rows += batch.NumRows()
		batch.Release()
	}
}

func TestForeignAndForgedTickets(t *testing.T) {
	b := newBench(t, 1)
	for _, sql := range []string{"SELECT 1", "scan"} {
		q := b.submit(sql, func(r *Request) { r.User = "ann" })
		ticket := q.State().Endpoints[0].Ticket
		if _, err := b.c.Open(t.Context(), ticket, "bob"); !qerr.Is(err, qerr.NotFound) {
			t.Errorf("%s: another user's ticket gave %v, want NotFound", sql, err)
		}
		forged := append([]byte(nil), ticket...)
		forged[len(forged)-1] ^= 1
		if _, err := b.c.Open(t.Context(), forged, "ann"); !qerr.Is(err, qerr.Unauthenticated) {
			t.Errorf("%s: a forged ticket gave %v, want Unauthenticated", sql, err)
		}
		b.mu.Lock()
		b.now = b.now.Add(2 * time.Hour)
		b.mu.Unlock()
		if _, err := b.c.Open(t.Context(), ticket, "ann"); !qerr.Is(err, qerr.Unauthenticated) {
			t.Errorf("%s: an expired ticket gave %v, want Unauthenticated", sql, err)
		}
		q.Cancel(nil)
	}
	b.idle()
}

func TestProxyReachesTheWorker(t *testing.T) {
	b := newBench(t, 1)
	b.clients.open = func(address string) (flightx.Reader, error) {
		if address != "w1:1" {
			t.Errorf("opened at %s", address)
		}
		return nil, qerr.New(qerr.IO, "from the worker")
	}
	q := b.submit("scan", once)
	if _, err := b.c.Open(t.Context(), q.State().Endpoints[0].Ticket, ""); !qerr.Is(err, qerr.IO) {
		t.Errorf("got %v, want the worker's answer", err)
	}
	b.ended(q, Failed)
	q = b.submit("scan", once)
	e := q.State().Endpoints[0]
	_ = b.worker("w1").seat.Close()
	b.ended(q, Failed)
	if _, err := b.c.Open(t.Context(), e.Ticket, ""); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("got %v for a worker that is gone, want Unavailable", err)
	}
	b.idle()
}

func TestProxyResultsHideWorkers(t *testing.T) {
	b := newBench(t, 2, func(c *Config) { c.ProxyResults = true })
	q := b.submit("scan")
	for _, e := range q.State().Endpoints {
		if len(e.Locations) != 0 {
			t.Errorf("locations: %v", e.Locations)
		}
	}
	q.Cancel(nil)
	b.idle()
}

func TestLocationsAreBounded(t *testing.T) {
	b := newBench(t, 5, func(c *Config) { c.Limits.LocationsMax = 3 })
	q := b.submit("scan")
	distinct := map[string]bool{}
	for _, e := range q.State().Endpoints {
		if len(e.Locations) == 0 {
			t.Error("an endpoint has no location left")
		}
		for _, l := range e.Locations {
			distinct[l] = true
		}
	}
	if len(q.State().Endpoints) != 5 || len(distinct) != 3 {
		t.Errorf("%d endpoints at %d distinct locations, want 5 at 3", len(q.State().Endpoints), len(distinct))
	}
	q.Cancel(nil)
	b.idle()
}

func TestKillInterruptsALocalRead(t *testing.T) {
	b := newBench(t, 0)
	q := b.submit("SELECT 1")
	r, err := b.c.Open(t.Context(), q.State().Endpoints[0].Ticket, "")
	if err != nil {
		t.Fatal(err)
	}
	q.Cancel(nil)
	if _, err := r.Next(t.Context()); err == nil {
		t.Error("the read goes on after the query was cancelled")
	}
	_ = r.Close()
	b.idle()
}

func TestLocalFailure(t *testing.T) {
	b := newBench(t, 0)
	b.frontend.evaluated = func(string) error { return qerr.New(qerr.User, "division by zero") }
	q := b.submit("SELECT 1")
	if _, err := b.c.Open(t.Context(), q.State().Endpoints[0].Ticket, ""); !qerr.Is(err, qerr.User) {
		t.Errorf("got %v, want User", err)
	}
	b.ended(q, Failed)
	b.idle()
}

func TestAbandonedLocalReadCancels(t *testing.T) {
	b := newBench(t, 0)
	q := b.submit("SELECT 1")
	r, err := b.c.Open(t.Context(), q.State().Endpoints[0].Ticket, "")
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	b.ended(q, Cancelled)
	b.idle()
}
