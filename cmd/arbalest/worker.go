package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/config"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/worker"
	"google.golang.org/grpc"
)

const (
	// exchangeShare is the part of a worker's memory that kept outputs and fetched inputs may fill: a fourth. goShare is the Go
	// heap's: an eighth, for messages under way and what is compressed on its way to disk. The engine gets the rest, since it
	// can spill and has the larger appetite.
	exchangeShare = 4
	goShare       = 8
	// goBytesMin is below which the collector would run all the time; coordinatorBytes is what a coordinator in the same process
	// may have on top, whose catalog can be large.
	goBytesMin       = 128 << 20
	coordinatorBytes = 512 << 20
)

// limitGo makes the collector keep the process's Go heap below the workers' share of memory, unless the environment says
// otherwise. It is a soft limit: what is in use is never refused.
func limitGo(c *config.Node) error {
	all, err := memoryBytes(c.MemoryLimit, 1)
	if err != nil || os.Getenv("GOMEMLIMIT") != "" {
		return err
	}
	limit := max(all/goShare, goBytesMin)
	if c.Role == config.Serve {
		limit += coordinatorBytes
	}
	debug.SetMemoryLimit(limit)
	return nil
}

// spillShare is the part of a worker's spill space that kept outputs and fetched inputs may fill: half; the engine's operators
// get the rest.
const spillShare = 2

func runWorker(args []string, out io.Writer) (err error) {
	n, err := newNode(config.Worker, args, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	l, err := n.listen()
	if err != nil {
		return err
	}
	n.onClose(func() error { return ignoreClosed(l.Close()) })
	address := n.advertised(l)
	record := &pb.WorkerRecord{WorkerId: workerID(address), Incarnation: newIncarnation(), ProtocolVersion: worker.ProtocolVersion,
		DuckdbVersion: duck.Version(), Version: versionText()}
	failure := make(chan error, 1)
	fail := func(err error) {
		select {
		case failure <- err:
		default: // the first failure is the reason
		}
	}
	registrar, keys, locations, err := n.join(l, record, fail)
	if err != nil {
		return err
	}
	n.onClose(registrar.Close)
	tlsConfig, err := n.clientTLS()
	if err != nil {
		return err
	}
	clients := flightx.NewClients(flightx.ClientConfig{Keys: keys, TLS: tlsConfig})
	n.onClose(clients.Close)
	w, err := n.openWorker(workerPlace{id: record.WorkerId, incarnation: record.Incarnation, address: address, advertised: address, tls: n.config.TLSCert != "",
		threads: n.config.Threads, workers: 1}, keys, clients, locations)
	if err != nil {
		return err
	}
	transport, err := n.serverTransport()
	if err != nil {
		return err
	}
	server := grpc.NewServer(append(flightx.ServerOptions(n.log), grpc.Creds(transport))...)
	w.Register(server)
	if visited, ok := registrar.(interface{ Register(s grpc.ServiceRegistrar) }); ok {
		visited.Register(server)
	}
	metrics, err := startHTTP(n.config.HTTP, func() error {
		if !registrar.Joined() {
			return fmt.Errorf("not joined to %s", n.meeting())
		}
		return nil
	}, w.Metrics())
	if err != nil {
		return err
	}
	n.onClose(metrics.close)
	n.serve(server, l, fail)
	registrar.Update(w.Record())
	fmt.Fprintf(out, "arbalest worker %s: joined %s; serves %s://%s, HTTP at %s\n", record.WorkerId, n.meeting(), n.scheme(), address, metrics.address())
	return n.wait(failure, func(ctx context.Context) error {
		draining := w.Record()
		draining.Draining = true
		registrar.Update(draining)
		return w.Drain(ctx)
	})
}

// A workerPlace is what tells one worker of a process from another.
type workerPlace struct {
	id, incarnation     string
	address, advertised string
	tls                 bool
	threads, workers    int // its share: threads, and the memory of one of so many workers
}

// openWorker opens an engine and the worker over it; close undoes both.
func (n *node) openWorker(p workerPlace, keys *auth.Keyring, clients *flightx.Clients, locations []string) (*worker.Worker, error) {
	memoryMax, err := memoryBytes(n.config.MemoryLimit, p.workers)
	if err != nil {
		return nil, err
	}
	spill, err := n.spillDir()
	if err != nil {
		return nil, err
	}
	if err := limitGo(n.config); err != nil {
		return nil, err
	}
	exchange := memoryMax / exchangeShare
	spillMax := int64(n.config.MaxSpill) / int64(p.workers)
	engine, err := duck.Open(duck.Config{Threads: p.threads, MemoryBytes: memoryMax - exchange - memoryMax/goShare, TempDir: spill,
		TempBytesMax: spillMax - spillMax/spillShare, DataLocations: locations})
	if err != nil {
		return nil, err
	}
	n.onClose(engine.Close)
	n.onRest(engine.Rest)
	var l logins // Clients of embedded workers come through the coordinator, which asks them.
	if n.config.Role == config.Worker {
		if l, err = n.openLogins(); err != nil {
			return nil, err
		}
	}
	w, err := worker.New(worker.Config{ID: ids.WorkerID(p.id), Incarnation: ids.Incarnation(p.incarnation), Address: p.address,
		Advertised: p.advertised, TLS: p.tls, Engine: engine, Keys: keys, Clients: clients, Users: l.users, Tokens: l.tokens, Certificates: l.certificates,
		RequireToken:     n.config.Role == config.Worker && n.config.LogsIn(),
		ExchangeBytesMax: exchange, SpillDir: n.config.SpillDir, SpillBytesMax: spillMax / spillShare,
		Version: versionText(), Threads: uint32(p.threads), MemoryBytes: uint64(memoryMax), Log: n.log.With().Str("worker", p.id).Logger()})
	if err != nil {
		return nil, err
	}
	n.onClose(w.Close)
	return w, nil
}

// workerID is stable over restarts on the same address.
func workerID(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if config.Loopback(host) {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return host + ":" + port
}
