package hosts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/chaos/host"
	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
)

const (
	workers = 3
	scale   = 0.01
	parts   = 8
	// testLimit bounds a test: a partition is noticed by timeouts.
	testLimit = 5 * time.Minute
	// flight and http are the ports of every host.
	flight, http = ":7001", ":7002"
	// keepalive finds hosts that do not answer.
	keepalive = 10 * time.Second
)

// queries need every worker; the second and the third need them to exchange with each other.
var queries = []string{
	"SELECT count(*) FROM lineitem WHERE l_quantity > 10",
	"SELECT count(*) FROM (SELECT o_custkey, count(*) AS n FROM orders JOIN lineitem ON o_orderkey = l_orderkey GROUP BY o_custkey)",
	"SELECT count(*) FROM (SELECT l_partkey, sum(l_quantity) AS n FROM lineitem GROUP BY l_partkey HAVING sum(l_quantity) > 100)",
}

// A site is a running cluster and its network.
type site struct {
	network *host.Network
	cluster *harness.Cluster
	want    []int64
}

// start runs a coordinator on host 0 and a worker on each of the others.
func start(ctx context.Context, t *testing.T, flags ...string) *site {
	t.Helper()
	data, err := harness.TPCH(ctx, scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	network, err := host.NewNetwork(1 + workers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	key := filepath.Join(t.TempDir(), "key")
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	if err := os.WriteFile(key, []byte(base64.StdEncoding.EncodeToString(secret)), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(h *host.Host) harness.Site {
		return harness.Site{Listen: h.Address + flight, HTTP: h.Address + http, Enter: h.Enter}
	}
	common := []string{"--cluster-key", key, "--insecure"}
	s := &site{network: network}
	s.cluster = harness.Start(t, harness.Options{Data: []string{data}, Workers: workers, Flags: append(flags, common...), WorkFlags: common,
		DoorSite: func(int) harness.Site { return at(network.Hosts[0]) },
		Site:     func(i int) harness.Site { return at(network.Hosts[1+i]) }})
	// What is right is what one task says.
	for _, sql := range queries {
		session := s.dial(ctx, t, "arbalest.distributed = 'never'")
		n, err := harness.Count(ctx, session, sql)
		if err != nil || n == 0 {
			t.Fatalf("%s: %d, %v", sql, n, err)
		}
		s.want = append(s.want, n)
	}
	return s
}

func (s *site) dial(ctx context.Context, t *testing.T, setting string) *client.Session {
	t.Helper()
	session, err := client.Dial(ctx, s.cluster.Door.Address, client.Options{Keepalive: keepalive})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	if err := session.Exec(ctx, "SET "+setting); err != nil {
		t.Fatal(err)
	}
	return session
}

// same runs every query on all workers.
func (s *site) same(ctx context.Context, t *testing.T, session *client.Session, when string) {
	t.Helper()
	for i, sql := range queries {
		if n, err := harness.Count(ctx, session, sql); err != nil || n != s.want[i] {
			t.Errorf("%s: %s: %d, %v; want %d", when, sql, n, err, s.want[i])
		}
	}
}

// locations are where the rows of a scan were read.
func (s *site) locations(ctx context.Context, t *testing.T, session *client.Session) map[string]int64 {
	t.Helper()
	r, err := session.Query(ctx, "SELECT l_orderkey FROM lineitem")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	rows := map[string]int64{}
	for _, p := range r.Parts {
		rows[strings.TrimPrefix(p.Location, "grpc+tcp://")] += p.Rows
	}
	return rows
}

// The client is told addresses that it reaches, and reads from each worker's host.
func TestEndpointsAreReachable(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	s := start(ctx, t)
	session := s.dial(ctx, t, "arbalest.distributed = 'always'")
	s.same(ctx, t, session, "at first")
	read := s.locations(ctx, t, session)
	for _, h := range s.network.Hosts[1:] {
		if read[h.Address+flight] == 0 {
			t.Errorf("no rows were read at %s: %v", h.Address, read)
		}
	}
}

// Two workers cannot reach each other, in one direction or in both, while everybody else can: queries that need them to
// exchange are answered all the same, during the partition and after it.
func TestPartitionBetweenWorkers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	s := start(ctx, t)
	session := s.dial(ctx, t, "arbalest.distributed = 'always'")
	s.same(ctx, t, session, "at first")
	one, two := s.network.Hosts[1], s.network.Hosts[2]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(one.Lose(two.Address))
	s.same(ctx, t, session, "worker 1 cannot answer worker 2")
	must(two.Lose(one.Address))
	s.same(ctx, t, session, "workers 1 and 2 cannot reach each other")
	must(one.Regain(two.Address))
	must(two.Regain(one.Address))
	s.same(ctx, t, session, "healed")
	if err := s.cluster.WaitIdle(ctx); err != nil {
		t.Error(err)
	}
}

// A client that reaches the coordinator's host alone gets every result through it.
func TestProxyForClientsOutside(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	s := start(ctx, t, "--proxy-results")
	for _, h := range s.network.Hosts[1:] {
		if err := h.Lose(s.network.Near); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Regain(s.network.Near) }) // for the look at the processes' ends
	}
	session := s.dial(ctx, t, "arbalest.distributed = 'always'")
	s.same(ctx, t, session, "through the coordinator")
	for location, rows := range s.locations(ctx, t, session) {
		if location != "" {
			t.Errorf("%d rows were read at %s", rows, location)
		}
	}
}
