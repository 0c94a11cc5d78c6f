package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster/clustertest"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// A fixture is a membership with workers whose network is in memory; list stands for the controllers that write slices.
type fixture struct {
	t          *testing.T
	cfg        Config
	membership *Membership
	list       func(places []place)

	mu      sync.Mutex
	places  []place
	doors   map[string]*joined // by address
	workers []*joined
}

// newFixture prepares a fixture of a Service of the name that the suite's records have in their addresses.
func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, doors: map[string]*joined{}}
	f.cfg = Config{Namespace: "default", Service: "example", Keys: auth.GenerateKeyring(), DataLocations: []string{"/data"}, dial: f.dial}
	return f
}

func (f *fixture) Driver() driver.Driver { return f.membership }

// Join runs a worker and lists its place.
func (f *fixture) Join(record *pb.WorkerRecord) clustertest.Worker {
	f.t.Helper()
	w := f.serve(record, f.cfg.Keys)
	f.show(w.place)
	if _, err := w.registrar.Locations(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return w
}

// serve runs a worker that nobody knows yet, under the hostname of its record's address.
func (f *fixture) serve(record *pb.WorkerRecord, keys *auth.Keyring) *joined {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := &joined{fixture: f, registrar: NewRegistrar(RegistrarConfig{Keys: keys}, record),
		place:    place{ip: fmt.Sprintf("10.1.0.%d", len(f.workers)+1), port: "1", hostname: record.GetWorkerId()},
		listener: bufconn.Listen(1 << 16), server: grpc.NewServer(grpc.WaitForHandlers(true))}
	w.registrar.Register(w.server)
	w.serving.Go(func() { _ = w.server.Serve(w.listener) })
	f.workers, f.doors[w.place.address()] = append(f.workers, w), w
	return w
}

func (f *fixture) show(p place) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.places = append(f.places, p)
	f.list(f.places)
}

func (f *fixture) hide(p place) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var kept []place
	for _, other := range f.places {
		if other != p {
			kept = append(kept, other)
		}
	}
	f.places = kept
	f.list(f.places)
}

func (f *fixture) dial(ctx context.Context, address string) (net.Conn, error) {
	f.mu.Lock()
	w := f.doors[address]
	f.mu.Unlock()
	if w == nil {
		return nil, errors.New("nobody is at " + address)
	}
	return w.dial(ctx)
}

func (f *fixture) close() {
	_ = f.membership.Close()
	for _, w := range f.workers {
		w.Leave()
		w.server.Stop()
		_ = w.listener.Close()
		w.serving.Wait()
	}
}

// joined is a worker side whose connections can be made to hang.
type joined struct {
	fixture   *fixture
	place     place
	registrar *Registrar
	listener  *bufconn.Listener
	server    *grpc.Server
	serving   sync.WaitGroup

	mu     sync.Mutex
	silent bool
	lines  []*line
}

func (j *joined) Update(record *pb.WorkerRecord) { j.registrar.Update(record) }

func (j *joined) Leave() {
	_ = j.registrar.Close()
	j.fixture.hide(j.place)
}

func (j *joined) Silence() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.silent = true
	for _, l := range j.lines {
		l.mute()
	}
}

func (j *joined) dial(ctx context.Context) (net.Conn, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.silent {
		return nil, errors.New("nobody answers")
	}
	conn, err := j.listener.DialContext(ctx)
	if err != nil {
		return nil, err
	}
	l := &line{Conn: conn, muted: make(chan struct{}), closed: make(chan struct{})}
	j.lines = append(j.lines, l)
	return l, nil
}

// A line is a connection on which, once muted, nothing arrives any more, and no end either.
type line struct {
	net.Conn
	muting, closing sync.Once
	muted, closed   chan struct{}
}

func (l *line) mute() { l.muting.Do(func() { close(l.muted) }) }

func (l *line) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	select {
	case <-l.muted:
		<-l.closed
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

func (l *line) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return l.Conn.Close()
}
