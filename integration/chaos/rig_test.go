//go:build linux

package chaos

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/chaos/host"
	"github.com/arbalest-sql/arbalest/integration/chaos/relay"
	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/ports"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

const (
	workers = 3
	parts   = 8
	// diskBytes of each worker hold what a query spills of the sample's data, with room.
	diskBytes = 512 << 20
	// keepalive is the shortest that gRPC allows. A client that reads at a worker which hangs finds out by it alone.
	keepalive = 10 * time.Second
	// queryLimit is when a query counts as hung: the longest way is a hang that the client's keepalive finds after 15 s.
	queryLimit = 90 * time.Second
)

// full reports whether everything is to run, not only the sample.
func full() bool { return os.Getenv("ARBALEST_CHAOS") == "full" }

// A rig is a cluster with a relay before each worker.
type rig struct {
	cluster *harness.Cluster
	relays  []*relay.Relay
	network *host.Network // nil: all on loopback
	disks   []*host.Disk  // one a worker, when there is a network
	ids     map[string]int

	script atomic.Pointer[relay.Script]

	stale  bool     // something is left that will not go away
	undo   []func() // what close does, backwards
	closed sync.Once
}

// close ends the cluster and gives its surroundings back; the test's end does, if nobody did before.
func (r *rig) close() {
	r.closed.Do(func() {
		for _, f := range slices.Backward(r.undo) {
			f()
		}
	})
}

func (r *rig) onClose(f func()) { r.undo = append(r.undo, f) }

// newRig starts a cluster. hosts gives each worker a network namespace and a disk of its own.
func newRig(t *testing.T, data string, hosts bool, flags ...string) *rig {
	t.Helper()
	r := &rig{}
	t.Cleanup(r.close)
	o := harness.Options{Data: []string{data}, Workers: workers, Dir: t.TempDir(), WorkFlags: flags}
	addresses := make([]string, 3*workers)
	var err error
	if hosts {
		key := filepath.Join(o.Dir, "cluster.key")
		secret := make([]byte, 32)
		_, _ = rand.Read(secret)
		must(t, os.WriteFile(key, []byte(base64.StdEncoding.EncodeToString(secret)), 0o600))
		r.network, err = host.NewNetwork(workers)
		must(t, err)
		r.onClose(func() { logged(t, r.network.Close()) })
		o.Listen = r.network.Near
		o.Flags = []string{"--cluster-key", key, "--insecure"}
		o.WorkFlags = append(o.WorkFlags, o.Flags...)
	} else {
		addresses, err = ports.Free("127.0.0.1", 3*workers)
		must(t, err)
	}
	sites := make([]harness.Site, workers)
	for i := range workers {
		address := addresses[2*workers+i]
		site := harness.Site{Listen: addresses[2*i], HTTP: addresses[2*i+1]}
		var listen func(string) (net.Listener, error)
		if hosts {
			h := r.network.Hosts[i]
			disk, err := host.NewDisk(filepath.Join(o.Dir, "disk-"+strconv.Itoa(i+1)), diskBytes)
			must(t, err)
			r.onClose(func() { logged(t, disk.Close()) })
			r.disks = append(r.disks, disk)
			address, listen = h.Address+":7000", h.Listen
			site = harness.Site{Listen: h.Address + ":7001", HTTP: h.Address + ":7002", Spill: filepath.Join(disk.Path, "spill"), Enter: h.Enter}
		}
		front, err := relay.New(i, address, site.Listen, r.see, listen)
		must(t, err)
		r.onClose(front.Down)
		r.relays = append(r.relays, front)
		site.Advertise = front.Address
		sites[i] = site
	}
	o.Site = func(i int) harness.Site { return sites[i] }
	r.cluster, err = harness.Launch(t.Context(), o)
	must(t, err)
	r.onClose(func() {
		r.cluster.Stop() // workers that were killed on purpose are reported by it too
		if t.Failed() {
			for _, p := range r.cluster.Processes() {
				t.Log(p.LogTail())
			}
		}
	})
	r.identify(t)
	return r
}

// see gives an event to the script of the moment.
func (r *rig) see(ctx context.Context, e relay.Event) error {
	if script := r.script.Load(); script != nil {
		return (*script)(ctx, e)
	}
	return nil
}

// arm makes a script the one of the moment; nil is none.
func (r *rig) arm(script relay.Script) {
	if script == nil {
		r.script.Store(nil)
		return
	}
	r.script.Store(&script)
}

// identify learns which worker is behind which relay.
func (r *rig) identify(t *testing.T) {
	t.Helper()
	session := r.dial(t)
	result, err := session.Query(t.Context(), "SELECT worker_id, address FROM sys.workers")
	must(t, err)
	defer result.Release()
	r.ids = map[string]int{}
	for _, row := range oracle.FromBatches(result.Schema, result.Batches).Cells {
		for i, front := range r.relays {
			if front.Address == row[1].String() {
				r.ids[row[0].String()] = i
			}
		}
	}
	if len(r.ids) != workers {
		t.Fatalf("sys.workers has %v behind the relays", r.ids)
	}
}

// dial opens a session with options set.
func (r *rig) dial(t *testing.T, settings ...string) *client.Session {
	t.Helper()
	session, err := client.Dial(t.Context(), r.cluster.Door.Address, client.Options{Keepalive: keepalive})
	must(t, err)
	t.Cleanup(func() { session.Close() })
	for _, set := range settings {
		must(t, session.Exec(t.Context(), "SET "+set))
	}
	return session
}

// answers gives the tables of a scale and what DuckDB says of some queries; of all 22 when none is named.
func answers(t *testing.T, scale float64, some ...int) (dir string, want map[int]*oracle.Rows) {
	t.Helper()
	dir, err := harness.TPCH(t.Context(), scale, parts)
	must(t, err)
	tables, err := harness.Tables(dir)
	must(t, err)
	question := oracle.Question{Tables: tables, Out: t.TempDir()}
	asked := slices.DeleteFunc(tpch.Queries(), func(q tpch.Query) bool { return len(some) > 0 && !slices.Contains(some, q.Number) })
	for _, q := range asked {
		question.Statements = append(question.Statements, oracle.Statement{Name: q.Name, SQL: q.SQL})
	}
	given, err := oracle.Ask(t.Context(), question)
	must(t, err)
	want = map[int]*oracle.Rows{}
	for _, q := range asked {
		want[q.Number], err = given[q.Name].Rows()
		must(t, err)
	}
	return dir, want
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func logged(t *testing.T, err error) {
	if err != nil {
		t.Log(err)
	}
}
