package memory

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster/clustertest"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConformance runs the suite with the real Registrar and the real Membership over streams made of channels, in a
// bubble where time passes only when everybody waits.
func TestConformance(t *testing.T) {
	clustertest.RunConformance(t, clustertest.Harness{
		LeaseTTL: leaseTTL,
		Run: func(t *testing.T, test func(t *testing.T, f clustertest.Fixture)) {
			synctest.Test(t, func(t *testing.T) {
				keys := auth.GenerateKeyring()
				f := &fixture{t: t, keys: keys, membership: New(Config{Keys: keys})}
				defer f.close()
				test(t, f)
			})
		},
	})
}

type fixture struct {
	t          *testing.T
	keys       *auth.Keyring
	membership *Membership
	workers    []*worker
}

func (f *fixture) Driver() driver.Driver { return f.membership }

func (f *fixture) Join(record *pb.WorkerRecord) clustertest.Worker { return f.JoinAt(record, time.Now) }

func (f *fixture) JoinAt(record *pb.WorkerRecord, clock func() time.Time) clustertest.Worker {
	w := &worker{conn: &channelConn{server: f.membership}}
	w.registrar = NewRegistrar(RegistrarConfig{Conn: w.conn, Keys: f.keys, Now: clock}, record)
	if _, err := w.registrar.Welcome(f.t.Context()); err != nil {
		f.t.Fatalf("join: %v", err)
	}
	f.workers = append(f.workers, w)
	return w
}

func (f *fixture) close() {
	for _, w := range f.workers {
		w.Leave()
	}
	_ = f.membership.Close()
	for _, w := range f.workers {
		w.conn.wg.Wait()
	}
}

type worker struct {
	registrar *Registrar
	conn      *channelConn
}

func (w *worker) Update(record *pb.WorkerRecord) { w.registrar.Update(record) }
func (w *worker) Leave()                         { _ = w.registrar.Close() }
func (w *worker) Silence()                       { w.conn.mute() }

// serve runs a membership on a loopback listener and returns a connection to it.
func serve(t *testing.T, cfg Config) (*Membership, *grpc.ClientConn) {
	t.Helper()
	m := New(cfg)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	m.Register(server)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = m.Close()
		server.Stop()
		serving.Wait()
		_ = conn.Close()
	})
	return m, conn
}

func join(t *testing.T, cfg RegistrarConfig, record *pb.WorkerRecord) (*Registrar, Welcome, error) {
	t.Helper()
	r := NewRegistrar(cfg, record)
	t.Cleanup(func() { _ = r.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	welcome, err := r.Welcome(ctx)
	return r, welcome, err
}

func workerIDs(m *Membership) []string {
	_, joined := m.Records()
	var all []string
	for _, j := range joined {
		all = append(all, string(j.ID))
	}
	return all
}

func TestJoinOverNetwork(t *testing.T) {
	keys := auth.GenerateKeyring()
	m, conn := serve(t, Config{Keys: keys, DataLocations: []string{"/data/a", "/data/b"}})
	r, welcome, err := join(t, RegistrarConfig{Conn: conn, Keys: keys}, clustertest.Record("w1", "1"))
	if err != nil {
		t.Fatal(err)
	}
	if len(welcome.DataLocations) != 2 || welcome.Key != nil {
		t.Errorf("welcome is %+v; want two locations and no key", welcome)
	}
	if !r.Joined() || len(workerIDs(m)) != 1 {
		t.Errorf("joined=%t, members=%v", r.Joined(), workerIDs(m))
	}
	version, _ := m.Records()
	_ = r.Close()
	if err := m.Wait(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	if got := workerIDs(m); len(got) != 0 {
		t.Errorf("members after leaving: %v", got)
	}
}

func TestKeyIsHandedOverOnlyWhenMadeHere(t *testing.T) {
	keys := auth.GenerateKeyring()
	_, conn := serve(t, Config{Keys: keys, HandOver: true})
	_, welcome, err := join(t, RegistrarConfig{Conn: conn}, clustertest.Record("w1", "1"))
	if err != nil {
		t.Fatal(err)
	}
	credential := auth.NewKeyring(welcome.KeyID, welcome.Key).Credential(time.Now())
	if err := keys.VerifyCredential(credential, time.Now()); err != nil {
		t.Errorf("the key that was handed over does not prove membership: %v", err)
	}

	_, conn = serve(t, Config{Keys: keys})
	if _, _, err := join(t, RegistrarConfig{Conn: conn}, clustertest.Record("w1", "1")); !qerr.Is(err, qerr.PermissionDenied) {
		t.Errorf("asking for a configured key gave %v, want PermissionDenied", err)
	}
}

func TestKeyIsNotHandedOverTheNetwork(t *testing.T) {
	m := New(Config{Keys: auth.GenerateKeyring(), HandOver: true})
	far := peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1}})
	for name, ctx := range map[string]context.Context{"far": far, "unknown": t.Context()} {
		if _, err := m.admit(ctx, &pb.JoinRequest{WantsKey: true}); !qerr.Is(err, qerr.PermissionDenied) {
			t.Errorf("%s: %v, want PermissionDenied", name, err)
		}
	}
}

func TestStrangersAreRefused(t *testing.T) {
	m, conn := serve(t, Config{Keys: auth.GenerateKeyring()})
	_, _, err := join(t, RegistrarConfig{Conn: conn, Keys: auth.GenerateKeyring()}, clustertest.Record("w1", "1"))
	if !qerr.Is(err, qerr.Unauthenticated) {
		t.Errorf("a foreign key gave %v, want Unauthenticated", err)
	}
	if got := workerIDs(m); len(got) != 0 {
		t.Errorf("members: %v", got)
	}
}

// A worker whose clock is too far off to have its calls believed is told so, instead of joining a cluster that can give it no task.
func TestWrongClocksAreRefused(t *testing.T) {
	keys := auth.GenerateKeyring()
	m, conn := serve(t, Config{Keys: keys})
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		_, _, err := join(t, RegistrarConfig{Conn: conn, Keys: keys, Now: func() time.Time { return time.Now().Add(off) }}, clustertest.Record("w1", "1"))
		if !qerr.Is(err, qerr.Unauthenticated) || !strings.Contains(err.Error(), "clocks differ") {
			t.Errorf("a clock that is %s off gave %v", off, err)
		}
	}
	if got := workerIDs(m); len(got) != 0 {
		t.Errorf("members: %v", got)
	}
}

func TestMalformedRecordsAreRefused(t *testing.T) {
	keys := auth.GenerateKeyring()
	_, conn := serve(t, Config{Keys: keys})
	for name, record := range map[string]*pb.WorkerRecord{
		"none":  {},
		"no id": clustertest.Record("", "1"),
		"long":  clustertest.Record(string(make([]byte, 10_000)), "1"),
	} {
		if _, _, err := join(t, RegistrarConfig{Conn: conn, Keys: keys}, record); !qerr.Is(err, qerr.User) {
			t.Errorf("%s: %v, want User", name, err)
		}
	}
	stream, err := pb.NewMembershipClient(conn).Join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); !qerr.Is(grpcerr.FromStatus(err), qerr.User) {
		t.Errorf("a stream without a record: %v, want User", err)
	}
}

// A registrar comes back by itself when its coordinator restarts.
func TestRegistrarJoinsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := auth.GenerateKeyring()
		first, second := New(Config{Keys: keys}), New(Config{Keys: keys, DataLocations: []string{"/new"}})
		conn := &channelConn{server: first}
		welcomes := make(chan Welcome, 10)
		r := NewRegistrar(RegistrarConfig{Conn: conn, Keys: keys, Welcomed: func(w Welcome) { welcomes <- w }}, clustertest.Record("w1", "1"))
		<-welcomes
		_ = first.Close()
		synctest.Wait()
		if r.Joined() {
			t.Error("joined to a coordinator that is closed")
		}
		conn.lead(second)
		r.Update(clustertest.Record("w1", "1", func(r *pb.WorkerRecord) { r.Draining = true }))
		if w := <-welcomes; len(w.DataLocations) != 1 {
			t.Errorf("the second welcome is %+v", w)
		}
		if _, joined := second.Records(); len(joined) != 1 || !joined[0].Draining {
			t.Errorf("the second coordinator has %+v, want the newest record", joined)
		}
		_ = r.Close()
		_ = second.Close()
		conn.wg.Wait()
	})
}

func TestEmbedded(t *testing.T) {
	m := New(Config{Keys: auth.GenerateKeyring()})
	defer func() { _ = m.Close() }()
	e, err := m.Add(clustertest.Record("w1", "1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Update(clustertest.Record("w1", "1", func(r *pb.WorkerRecord) { r.Draining = true })); err != nil {
		t.Error(err)
	}
	if err := e.Update(clustertest.Record("w2", "1")); err == nil {
		t.Error("a seat took the record of another worker")
	}
	if _, joined := m.Records(); len(joined) != 1 || !joined[0].Draining {
		t.Errorf("records: %+v", joined)
	}
	for range 2 {
		_ = e.Close()
	}
	if got := workerIDs(m); len(got) != 0 {
		t.Errorf("members after close: %v", got)
	}
}
