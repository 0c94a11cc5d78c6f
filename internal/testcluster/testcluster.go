package testcluster

import (
	"cmp"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/catalog/dirdriver"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/memory"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/duck/sniff"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
)

// patience bounds every wait of a test on a busy machine.
const patience = 60 * time.Second

// Options say what to start.
type Options struct {
	// Workers is how many workers run; 0 is none (statements that need one wait).
	Workers int
	// Embedded makes the workers part of the coordinator's process, as `arbalest serve` does: results are read through it.
	Embedded bool
	// Data is the directory of tables; empty for none.
	Data string
	// WorkerThreads and WorkerMemoryBytes size each worker's engine. Default 1 thread and 256 MiB.
	WorkerThreads     int
	WorkerMemoryBytes int64
	// Lease is how long a worker may be silent before it counts as lost. Default 1 min: on a machine with far more work than
	// cores the goroutine that pings may wait for seconds, and a worker that is stopped ends its stream at once.
	Lease time.Duration
	// Limits are the coordinator's; PingSilenceMax is Lease unless it is given.
	Limits coordinator.Limits
	// SmallBytes is the coordinator's; default 1, so that even the small tables of tests are distributed.
	SmallBytes int64
	// PlanDeadline is the frontend's.
	PlanDeadline time.Duration
	// ProxyResults is the coordinator's.
	ProxyResults bool
	// Door adds services to the coordinator's gRPC server: the options it needs, and the registration. Nil for none.
	Door func(c *Cluster) ([]grpc.ServerOption, func(grpc.ServiceRegistrar))
	// RequireToken and Users are the workers' (see worker.Config).
	RequireToken bool
	Users        *auth.Users
	Log          zerolog.Logger
}

// A Cluster is a running coordinator and its workers.
type Cluster struct {
	Coordinator *coordinator.Coordinator
	Catalog     *catalog.Catalog
	Frontend    *frontend.Frontend
	Keys        *auth.Keyring
	Membership  *memory.Membership
	Cluster     *cluster.Cluster
	// Address is the coordinator's gRPC server, host:port.
	Address string
	// Workers are those started so far, the ended ones included.
	Workers []*Node

	t       testing.TB
	options Options
	clients *flightx.Clients
	faults  faults
	idle    int // goroutines when nothing runs
}

// Start starts a cluster and waits until every worker can be given tasks.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	if o.SmallBytes == 0 {
		o.SmallBytes = 1
	}
	if o.WorkerThreads == 0 {
		o.WorkerThreads = 1
	}
	if o.WorkerMemoryBytes == 0 {
		o.WorkerMemoryBytes = 256 << 20
	}
	o.Lease = cmp.Or(o.Lease, time.Minute)
	o.Limits.PingSilenceMax = cmp.Or(o.Limits.PingSilenceMax, o.Lease)
	c := &Cluster{t: t, options: o, Keys: auth.GenerateKeyring()}
	c.openCatalog()
	c.Membership = memory.New(memory.Config{Keys: c.Keys, LeaseTTL: o.Lease, DataLocations: c.locations(), Log: o.Log})
	c.onClose("membership", c.Membership.Close)
	c.Cluster = cluster.New(c.Membership, member.Requirement{Protocol: cluster.ProtocolVersion, DuckDB: duck.Version()})
	c.clients = flightx.NewClients(flightx.ClientConfig{Keys: c.Keys})
	c.onClose("clients", c.clients.Close)
	front, err := frontend.New(frontend.Config{PlanDeadline: o.PlanDeadline, Log: o.Log})
	c.must("open frontend", err)
	c.Frontend = front
	c.onClose("frontend", front.Close)

	local := map[ids.WorkerID]coordinator.LocalWorker{}
	if o.Embedded {
		for range o.Workers {
			n := c.addNode(c.embed)
			local[n.ID] = n.Worker
		}
	}
	c.Coordinator, err = coordinator.New(coordinator.Config{
		Frontend: front, Catalog: c.Catalog, Cluster: c.Cluster, Keys: c.Keys, Clients: c.clients, Local: local,
		ProxyResults: o.ProxyResults, SmallBytes: o.SmallBytes, Limits: o.Limits, Log: o.Log,
	})
	c.must("open coordinator", err)
	c.onClose("coordinator", c.Coordinator.Close)
	c.openServer()
	if !o.Embedded {
		for range o.Workers {
			c.addNode(c.register)
		}
	}
	c.eventually("all workers are up", func() bool { return c.Coordinator.Usage().LinksUp == o.Workers })
	return c
}

func (c *Cluster) openCatalog() {
	c.t.Helper()
	var err error
	if c.options.Data == "" {
		c.Catalog, err = catalog.New()
		c.must("open catalog", err)
		c.onClose("catalog", c.Catalog.Close)
		return
	}
	sniffer, err := sniff.New(c.locations())
	c.must("open sniffer", err)
	c.onClose("sniffer", sniffer.Close)
	files, err := dirdriver.New(dirdriver.Config{Dirs: c.locations(), Sniffer: sniffer})
	c.must("open data directory", err)
	c.Catalog, err = catalog.New(files)
	c.must("open catalog", err)
	c.onClose("catalog", c.Catalog.Close)
}

func (c *Cluster) locations() []string {
	if c.options.Data == "" {
		return nil
	}
	return []string{c.options.Data}
}

// openServer serves the membership, and the door if there is one.
func (c *Cluster) openServer() {
	c.t.Helper()
	options := flightx.ServerOptions(c.options.Log)
	register := func(grpc.ServiceRegistrar) {}
	if c.options.Door != nil {
		var more []grpc.ServerOption
		more, register = c.options.Door(c)
		options = append(options, more...)
	}
	server := grpc.NewServer(options...)
	c.Membership.Register(server)
	register(server)
	listener := c.listen()
	c.Address = listener.Addr().String()
	c.serve(server, listener)
}

func (c *Cluster) listen() net.Listener {
	c.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	c.must("listen", err)
	return listener
}

// serve runs a server until the returned function stops it, at the latest at the test's end.
func (c *Cluster) serve(server *grpc.Server, listener net.Listener) (stop func()) {
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	stop = func() { server.Stop(); serving.Wait() }
	c.t.Cleanup(stop)
	return stop
}

// onClose closes a part at the test's end, before those that were opened earlier.
func (c *Cluster) onClose(what string, closePart func() error) {
	c.t.Cleanup(func() {
		if err := closePart(); err != nil {
			c.t.Errorf("close %s: %v", what, err)
		}
	})
}

func (c *Cluster) must(what string, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

// eventually polls with a deadline; it is for states that nobody signals.
func (c *Cluster) eventually(what string, holds func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			c.t.Fatalf("never: %s\n%s", what, c.describe())
		case <-time.After(2 * time.Millisecond):
		}
	}
}
