package fleet

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/integration/harness"
)

const (
	scale = 0.01
	parts = 4
	// testLimit bounds a whole test; it holds several elections and lease ends.
	testLimit = 5 * time.Minute
	// orderTotals needs an exchange, so that it proves both workers reachable from each other.
	orderTotals = "SELECT count(*) FROM (SELECT o_custkey, count(*) AS n FROM orders JOIN lineitem ON o_orderkey = l_orderkey GROUP BY o_custkey)"
)

// patientLease keeps coordinators from being taken for dead on a machine that is very busy, where a test does not need their deaths
// noticed.
var patientLease = []string{"--coordinator-lease", "2m"}

// start runs two coordinators and two workers over an etcd of three members.
func start(t *testing.T) (*etcdtest.Servers, *harness.Cluster) {
	t.Helper()
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	servers := etcdtest.Start(t, 3)
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: 2, Standby: 1, Flags: patientLease, Meet: []string{
		"--cluster", "etcd://" + strings.Join(servers.Endpoints(), ",") + "/fleet", "--cluster-key", keyFile(t)}})
	cluster.CheckIdle(t)
	return servers, cluster
}

func keyFile(t *testing.T) string {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(key)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// distributed opens a session whose queries all use every worker.
func distributed(ctx context.Context, t *testing.T, door *harness.Process) *client.Session {
	t.Helper()
	s, err := client.Dial(ctx, door.Address, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Exec(ctx, "SET arbalest.distributed = 'always'"); err != nil {
		t.Fatal(err)
	}
	return s
}

func count(ctx context.Context, t *testing.T, s *client.Session, sql string) int64 {
	t.Helper()
	n, err := harness.Count(ctx, s, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// awaitWorkers waits until a coordinator counts so many usable workers, by its own system table.
func awaitWorkers(ctx context.Context, t *testing.T, s *client.Session, want int64) {
	t.Helper()
	for {
		n, err := harness.Count(ctx, s, "SELECT count(*) FROM sys.workers WHERE status = 'usable'")
		if err == nil && n == want {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d usable workers, want %d: %v", n, want, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Any coordinator answers over the same workers; what is lost of the store, of the coordinators and of the workers is not
// missed as long as enough is left.
func TestEtcd(t *testing.T) {
	servers, cluster := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	first, second := distributed(ctx, t, cluster.Door), distributed(ctx, t, cluster.Standby[0])
	want := count(ctx, t, first, orderTotals)
	if want == 0 {
		t.Fatal("the query counts nothing")
	}
	same := func(when string, sessions ...*client.Session) {
		t.Helper()
		for i, s := range sessions {
			if got := count(ctx, t, s, orderTotals); got != want {
				t.Errorf("%s: session %d counts %d, want %d", when, i+1, got, want)
			}
		}
	}
	same("at first", second)

	servers.Kill(servers.Leader())
	same("without etcd's leader", first, second)
	for i := range servers.Endpoints() {
		servers.Kill(i)
	}
	same("without etcd", first, second)
	for i := range servers.Endpoints() {
		servers.Restart(i)
	}
	servers.Await()
	same("with etcd again", first, second)

	cluster.Workers[0].Kill()
	awaitWorkers(ctx, t, first, 1)
	awaitWorkers(ctx, t, second, 1)
	same("with one worker", first, second)

	cluster.Door.Kill()
	same("with one coordinator", second)
	if _, err := harness.Count(ctx, first, "SELECT count(*) FROM orders"); err == nil {
		t.Error("the killed coordinator still answers")
	}
}

// A coordinator that is told to stop does so when its last query has ended: its workers' open streams hold nothing up.
func TestCoordinatorDrains(t *testing.T) {
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: 1})
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	s := distributed(ctx, t, cluster.Door)
	info, err := s.SQL.Execute(ctx, "SELECT * FROM lineitem")
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Door.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Door.WaitLog(ctx, "draining"); err != nil {
		t.Fatal(err)
	}
	r, err := s.Read(ctx, info)
	if err != nil {
		t.Fatalf("the result of a query that was there before: %v", err)
	}
	if r.Rows() == 0 {
		t.Error("no rows")
	}
	r.Release()
	select {
	case <-cluster.Door.Ended():
	case <-ctx.Done():
		t.Fatal("the coordinator did not end")
	}
	if log := cluster.Door.LogTail(); strings.Contains(log, "drain ended early") {
		t.Errorf("the coordinator waited for its whole limit:\n%s", log)
	}
}
