package etcd

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster/clustertest"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
)

// ledgerLease is longer than a very busy machine lets a process wait: the suite's lives must not fall by themselves.
const ledgerLease = 3 * time.Second

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
	return m, way.cut
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
