package coordinator

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster"
	clustermemory "github.com/arbalest-sql/arbalest/internal/cluster/memory"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// A bench is a coordinator over fakes.
type bench struct {
	t          *testing.T
	c          *Coordinator
	frontend   *fakeFrontend
	membership *clustermemory.Membership
	clients    *fakeClients
	keys       *auth.Keyring

	mu      sync.Mutex
	now     time.Time
	workers map[string]*seated
}

// newBench starts a coordinator whose clock stands still and whose time passes only by advance.
func newBench(t *testing.T, workers int, change ...func(*Config)) *bench {
	t.Helper()
	keys := auth.GenerateKeyring()
	b := &bench{t: t, frontend: &fakeFrontend{}, keys: keys, now: time.Unix(1_700_000_000, 0), workers: map[string]*seated{},
		membership: clustermemory.New(clustermemory.Config{Keys: keys}),
		clients:    &fakeClients{conns: map[string]*grpc.ClientConn{}, calls: map[string]string{}}}
	tables, err := catalog.New()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Frontend: b.frontend, Catalog: tables, Keys: keys, Clients: b.clients, Now: b.clock, SmallBytes: 1,
		Cluster: cluster.New(b.membership, member.Requirement{Protocol: 1}),
		Limits:  Limits{TickInterval: time.Hour, PingSilenceMax: time.Hour}}
	for _, c := range change {
		c(&cfg)
	}
	if b.c, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = b.c.Close()
		_ = b.membership.Close()
	})
	for i := range workers {
		b.addWorker(fmt.Sprintf("w%d", i+1))
	}
	b.eventually("all workers are up", func() bool { return b.c.Usage().LinksUp == workers })
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	b.now = b.now.Add(d)
	b.mu.Unlock()
	b.c.tick()
}

func (b *bench) addWorker(id string, change ...func(*fakeWorker)) *fakeWorker {
	b.t.Helper()
	w := &fakeWorker{
		record: &pb.WorkerRecord{WorkerId: id, Incarnation: "1", Address: id + ":1", Advertised: id + ".public:1",
			ProtocolVersion: 1, DuckdbVersion: "v", HashVector: []byte("h"), Threads: 1},
		server: grpc.NewServer(), listener: bufconn.Listen(1 << 16),
		created: make(chan *pb.TaskSpec, 1000), released: make(chan string, 1000),
		causes: make(chan error, 1000), canceled: make(chan *pb.CancelRequest, 1000),
		watchers: map[chan *pb.WatchEvent]struct{}{},
	}
	for _, c := range change {
		c(w)
	}
	pb.RegisterTasksServer(w.server, w)
	var serving sync.WaitGroup
	serving.Go(func() { _ = w.server.Serve(w.listener) })
	conn, err := grpc.NewClient("passthrough:///"+id, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return w.listener.DialContext(ctx) }))
	if err != nil {
		b.t.Fatal(err)
	}
	b.clients.mu.Lock()
	b.clients.conns[w.record.GetAddress()] = conn
	b.clients.mu.Unlock()
	seat, err := b.membership.Add(w.record)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.workers[id] = &seated{w, seat}
	b.mu.Unlock()
	b.t.Cleanup(func() {
		_ = b.c.Close()
		_ = seat.Close()
		w.server.Stop()
		serving.Wait()
		_ = conn.Close()
	})
	return w
}

type seated struct {
	*fakeWorker
	seat *clustermemory.Embedded
}

func (b *bench) worker(id string) *seated {
	b.mu.Lock()
	defer b.mu.Unlock()
	w, ok := b.workers[id]
	if !ok {
		b.t.Fatalf("no worker %s", id)
	}
	return w
}

// eventually polls with a deadline.
func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			b.t.Fatalf("never: %s; usage %+v", what, b.c.Usage())
		}
		time.Sleep(time.Millisecond)
	}
}

// idle waits until nothing of any query is left.
func (b *bench) idle() {
	b.t.Helper()
	b.eventually("idle", func() bool {
		u := b.c.Usage()
		u.Ended, u.Links, u.LinksUp = 0, 0, 0
		return u == Usage{}
	})
}

// told waits until no worker is being told anything.
func (b *bench) told() {
	b.t.Helper()
	b.eventually("told", func() bool { return b.c.releases.size() == 0 })
}

// once lets a query's tasks be tried once only.
func once(r *Request) { r.Settings, _ = r.Settings.Set(settings.TaskAttempts, 1) }

func (b *bench) submit(sql string, change ...func(*Request)) *Query {
	b.t.Helper()
	q, err := b.trySubmit(sql, change...)
	if err != nil {
		b.t.Fatalf("submit %q: %v", sql, err)
	}
	return q
}

func (b *bench) trySubmit(sql string, change ...func(*Request)) (*Query, error) {
	values, err := settings.Defaults().Set(settings.Distributed, settings.Always)
	if err != nil {
		b.t.Fatal(err)
	}
	r := Request{SQL: sql, Settings: values}
	for _, c := range change {
		c(&r)
	}
	return b.c.Submit(b.t.Context(), r)
}

func (b *bench) ended(q *Query, status Status) {
	b.t.Helper()
	b.eventually(fmt.Sprintf("query %q is %s, but %s", q.statement, status, q.State().Status), func() bool { return q.State().Status == status })
}

// take waits for a value.
func take[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}
