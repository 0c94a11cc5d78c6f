package etcd

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster/clustertest"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// ledgerLease is longer than a very busy machine lets a process wait: the suite's lives fall only when they are told to.
const ledgerLease = 2 * time.Minute

// TestLedger runs the suite against a real etcd of three members.
func TestLedger(t *testing.T) {
	servers := etcdtest.Start(t, 3)
	n := 0
	clustertest.RunLedger(t, func(t *testing.T) clustertest.LedgerFixture {
		n++
		return &ledgerFixture{t: t, cfg: Config{Endpoints: servers.Endpoints(), Prefix: fmt.Sprintf("/ledger-%d", n),
			Keys: auth.GenerateKeyring(), CoordinatorTTL: ledgerLease}}
	})
}

type ledgerFixture struct {
	t   *testing.T
	cfg Config
}

func (f *ledgerFixture) Open(id string) (driver.Ledger, func()) {
	f.t.Helper()
	way := &line{}
	cfg := f.cfg
	cfg.dial = []grpc.DialOption{grpc.WithContextDialer(way.dial)}
	m, err := Open(f.t.Context(), cfg, life(id), []string{"/data"})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = m.Close() })
	return m, func() {
		way.cut()
		f.expire(m.keeper.key)
	}
}

// expire ends the lease of a key before its time.
func (f *ledgerFixture) expire(key string) {
	f.t.Helper()
	client, err := f.cfg.connect()
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	reply, err := client.Get(f.t.Context(), key)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, kv := range reply.Kvs {
		if _, err := client.Revoke(f.t.Context(), clientv3.LeaseID(kv.Lease)); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *ledgerFixture) Forge(life, query string, value []byte) {
	f.t.Helper()
	client, err := f.cfg.connect()
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if _, err := client.Put(f.t.Context(), f.cfg.queriesPrefix()+life+"/"+query, string(value)); err != nil {
		f.t.Fatal(err)
	}
}

func awaitLives(t *testing.T, l driver.Ledger, holds func(driver.Lives) bool) {
	t.Helper()
	for {
		version, lives := l.Lives()
		if holds(lives) {
			return
		}
		if err := l.WaitLives(t.Context(), version); err != nil {
			t.Fatal(err)
		}
	}
}

// A claim whose answer is lost has happened all the same: the next try finds its record.
func TestClaimIsNotAnswered(t *testing.T) {
	servers := etcdtest.Start(t, 1)
	queries := []string{"q1", "q2", "q3", "q4"}
	for n := range len(queries) {
		f := &ledgerFixture{t: t, cfg: Config{Endpoints: servers.Endpoints(), Prefix: fmt.Sprintf("/doubt-%d", n),
			Keys: auth.GenerateKeyring(), CoordinatorTTL: ledgerLease}}
		a, err := Open(t.Context(), f.cfg, life("a"), nil)
		if err != nil {
			t.Fatal(err)
		}
		awaitLives(t, a, func(l driver.Lives) bool { return l.Live["a"].ID != "" })
		for _, q := range queries {
			if err := a.Put(t.Context(), &pb.QueryRecord{QueryId: q, CoordinatorId: "a", Epoch: 1}); err != nil {
				t.Fatal(err)
			}
		}
		var left atomic.Int64 // transactions until an answer is lost
		cfg := f.cfg
		cfg.dial = []grpc.DialOption{grpc.WithChainUnaryInterceptor(
			func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
				err := invoke(ctx, method, req, reply, conn, opts...)
				if method == "/etcdserverpb.KV/Txn" && left.Add(-1) == 0 {
					return status.Error(codes.Unavailable, "the answer was lost")
				}
				return err
			})}
		b, err := Open(t.Context(), cfg, life("b"), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Close()
		awaitLives(t, b, func(l driver.Lives) bool { return l.Live["a"].ID == "" && l.Live["b"].ID != "" })
		if mine, err := b.Succeed(t.Context(), "a"); !mine || err != nil {
			t.Fatalf("succeed: %v, %v", mine, err)
		}
		left.Store(int64(n + 1))
		claimed, err := b.Claim(t.Context(), "a")
		if err == nil {
			t.Errorf("claim %d was answered", n+1)
		}
		more, err := b.Claim(t.Context(), "a")
		if err != nil {
			t.Errorf("claim again: %v", err)
		}
		var got []string
		for _, r := range append(claimed, more...) {
			got = append(got, fmt.Sprintf("%s#%d of %s", r.GetQueryId(), r.GetEpoch(), r.GetCoordinatorId()))
		}
		slices.Sort(got)
		if want := []string{"q1#2 of b", "q2#2 of b", "q3#2 of b", "q4#2 of b"}; !slices.Equal(got, want) {
			t.Errorf("when answer %d is lost, %v are claimed, want %v", n+1, got, want)
		}
		_ = b.Close()
	}
}

// A write that was given up, and reaches etcd after a newer one, changes nothing.
func TestLatePut(t *testing.T) {
	servers := etcdtest.Start(t, 1)
	cfg := Config{Endpoints: servers.Endpoints(), Prefix: "/late", Keys: auth.GenerateKeyring(), CoordinatorTTL: ledgerLease}
	var hold atomic.Bool
	var late func() error
	cfg.dial = []grpc.DialOption{grpc.WithChainUnaryInterceptor(
		func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			if method == "/etcdserverpb.KV/Txn" && hold.Swap(false) {
				late = func() error {
					return invoke(context.WithoutCancel(ctx), method, req, &etcdserverpb.TxnResponse{}, conn, opts...)
				}
				return status.Error(codes.FailedPrecondition, "given up")
			}
			return invoke(ctx, method, req, reply, conn, opts...)
		})}
	a, err := Open(t.Context(), cfg, life("a"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	awaitLives(t, a, func(l driver.Lives) bool { return l.Live["a"].ID != "" })
	write := func(statement string) error {
		return a.Put(t.Context(), &pb.QueryRecord{QueryId: "q", CoordinatorId: "a", Epoch: 1, Statement: statement})
	}
	stored := func(want string) {
		t.Helper()
		reply, err := a.client.Get(t.Context(), a.queryKey("a", "q"))
		if err != nil || len(reply.Kvs) != 1 {
			t.Fatalf("%v, %v", reply, err)
		}
		if r, err := a.unpack(reply.Kvs[0].Value); err != nil || r.GetStatement() != want {
			t.Errorf("stored is %q, %v; want %q", r.GetStatement(), err, want)
		}
	}
	giveUp := func(statement string) (arrive func()) {
		t.Helper()
		hold.Store(true)
		if write(statement) == nil {
			t.Fatal("the write was answered")
		}
		return func() {
			t.Helper()
			if err := late(); err != nil {
				t.Fatal(err)
			}
		}
	}
	newer := func(statement string) {
		t.Helper()
		if err := write(statement); err != nil {
			t.Fatal(err)
		}
		stored(statement)
	}
	arrive := giveUp("first of all")
	newer("newer")
	arrive()
	stored("newer")
	arrive = giveUp("later")
	newer("newer still")
	arrive()
	stored("newer still")
	giveUp("not answered, and it happened")()
	stored("not answered, and it happened")
	newer("newest")
	if err := a.Delete(t.Context(), "q"); err != nil || len(a.records.of) != 0 {
		t.Errorf("after the end: %v, %v", err, a.records.of)
	}
}
