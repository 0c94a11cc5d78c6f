package etcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/clustertest"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// life is one run of a coordinator.
func life(id string) driver.Life { return driver.Life{ID: id, Address: id + ":1"} }

// shortLease is the shortest that etcd grants with its default election timeout.
const shortLease = 2 * time.Second

// TestConformance runs the suite against a real etcd of three members, each fixture under a prefix of its own.
func TestConformance(t *testing.T) {
	servers := etcdtest.Start(t, 3)
	n := 0
	clustertest.RunConformance(t, clustertest.Harness{
		LeaseTTL: shortLease,
		Run: func(t *testing.T, test func(t *testing.T, f clustertest.Fixture)) {
			n++
			f := newFixture(t, servers, fmt.Sprintf("/test-%d", n))
			defer f.close()
			test(t, f)
		},
	})
}

type fixture struct {
	t          *testing.T
	cfg        Config
	membership *Membership
	workers    []*joined
}

func newFixture(t *testing.T, servers *etcdtest.Servers, prefix string) *fixture {
	t.Helper()
	f := &fixture{t: t, cfg: Config{Endpoints: servers.Endpoints(), Prefix: prefix, Keys: auth.GenerateKeyring(), LeaseTTL: shortLease}}
	var err error
	if f.membership, err = Open(t.Context(), f.cfg, life("c1"), []string{"/data"}); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) Driver() driver.Driver { return f.membership }

func (f *fixture) Join(record *pb.WorkerRecord) clustertest.Worker {
	w := &joined{line: &line{}}
	cfg := f.cfg
	cfg.dial = []grpc.DialOption{grpc.WithContextDialer(w.line.dial)}
	var err error
	if w.registrar, err = Register(cfg, record, nil); err != nil {
		f.t.Fatal(err)
	}
	if _, err := w.registrar.Locations(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	f.workers = append(f.workers, w)
	return w
}

func (f *fixture) close() {
	for _, w := range f.workers {
		w.Leave()
	}
	_ = f.membership.Close()
}

// joined is a worker side whose connections can be cut.
type joined struct {
	registrar *Registrar
	line      *line
}

func (j *joined) Update(record *pb.WorkerRecord) { j.registrar.Update(record) }
func (j *joined) Leave()                         { _ = j.registrar.Close() }
func (j *joined) Silence()                       { j.line.cut() }

// A line is the way of one worker to etcd.
type line struct {
	mu    sync.Mutex
	gone  bool
	conns []net.Conn
}

func (l *line) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.gone {
		_ = conn.Close()
		return nil, errors.New("the line is cut")
	}
	l.conns = append(l.conns, conn)
	return conn, err
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
	for _, c := range l.conns {
		_ = c.Close()
	}
}

// until waits for the members to look as wanted.
func until(t *testing.T, m *Membership, want string) {
	t.Helper()
	c := cluster.New(m, member.Requirement{Protocol: 1, DuckDB: "v1.5.5"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		s := c.Members()
		var all []string
		for _, w := range s.Members {
			all = append(all, string(w.ID))
		}
		if strings.Join(all, " ") == want {
			return
		}
		if err := m.Wait(ctx, s.Version); err != nil {
			t.Fatalf("members are %v, want %s: %v", all, want, err)
		}
	}
}

// Members of etcd die, its leader among them: the membership keeps what it knows, and learns what happened meanwhile.
func TestEtcdMembersDie(t *testing.T) {
	servers := etcdtest.Start(t, 3)
	f := newFixture(t, servers, "/die")
	defer f.close()
	f.Join(clustertest.Record("a", "1"))
	until(t, f.membership, "a")
	for round := range 3 {
		leader := servers.Leader()
		servers.Kill(leader)
		name := fmt.Sprintf("b%d", round)
		w := f.Join(clustertest.Record(name, "1")) // two of three members go on
		until(t, f.membership, "a "+name)
		w.Leave()
		until(t, f.membership, "a")
		servers.Restart(leader)
		servers.Await()
	}

	for i := range 3 { // none is left
		servers.Kill(i)
	}
	if _, joined := f.membership.Records(); len(joined) != 1 {
		t.Errorf("without etcd the membership forgot its members: %v", joined)
	}
	for i := range 3 {
		servers.Restart(i)
	}
	servers.Await()
	f.Join(clustertest.Record("c", "1"))
	until(t, f.membership, "a c")
}

// Nobody becomes a worker by write access to etcd alone, nor by a copy of another's record.
func TestForgedRecordsDoNotCount(t *testing.T) {
	servers := etcdtest.Start(t, 1)
	f := newFixture(t, servers, "/forged")
	defer f.close()
	client, err := f.cfg.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	put := func(key string, value []byte) {
		t.Helper()
		if _, err := client.Put(t.Context(), key, string(value)); err != nil {
			t.Fatal(err)
		}
	}
	forger := f.cfg
	forger.Keys = auth.GenerateKeyring()
	record := clustertest.Record("forged", "1")
	forged, _ := forger.Keys.SealRecord(kindWorker, record)
	mine, _ := f.cfg.Keys.SealRecord(kindWorker, record)
	asCoordinator, _ := f.cfg.Keys.SealRecord(kindCoordinator, record)
	put(f.cfg.workerKey(record), forged)
	put(f.cfg.workerKey(record), asCoordinator)
	put(f.cfg.workersPrefix()+"another/1", mine)
	put(f.cfg.workersPrefix()+"junk", []byte("junk"))
	f.Join(clustertest.Record("real", "1"))
	until(t, f.membership, "real")
}

// A worker learns the data of all coordinators, and every change of it.
func TestLocations(t *testing.T) {
	servers := etcdtest.Start(t, 1)
	cfg := Config{Endpoints: servers.Endpoints(), Prefix: "/locations", Keys: auth.GenerateKeyring(), LeaseTTL: shortLease}
	told := make(chan []string, 10)
	r, err := Register(cfg, clustertest.Record("a", "1"), func(l []string) { told <- l })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	early, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if l, err := r.Locations(early); err == nil {
		t.Errorf("locations %v without a coordinator", l)
	}
	one, err := Open(t.Context(), cfg, life("c1"), []string{"/b", "/a"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = one.Close() }()
	got, err := r.Locations(t.Context())
	if err != nil || !slices.Equal(got, []string{"/a", "/b"}) {
		t.Fatalf("locations %v, %v", got, err)
	}
	two, err := Open(t.Context(), cfg, life("c2"), []string{"/a", "/c"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = two.Close() }()
	if got := <-told; !slices.Equal(got, []string{"/a", "/b", "/c"}) {
		t.Errorf("with a second coordinator: %v", got)
	}
	_ = two.Close()
	if got := <-told; !slices.Equal(got, []string{"/a", "/b"}) {
		t.Errorf("after the second left: %v", got)
	}
}

func TestOpenWithoutEtcd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	m, err := Open(ctx, Config{Endpoints: []string{"127.0.0.1:1"}, Keys: auth.GenerateKeyring()}, life("c"), nil)
	if err == nil {
		_ = m.Close()
		t.Fatal("opened without etcd")
	}
	if !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("%v does not name the address", err)
	}
}
