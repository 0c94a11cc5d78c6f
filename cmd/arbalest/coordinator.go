package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/catalog/dirdriver"
	"github.com/arbalest-sql/arbalest/flightserver"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/memory"
	"github.com/arbalest-sql/arbalest/internal/config"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/duck/sniff"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

// A door is a running coordinator with its Flight SQL server.
type door struct {
	listener    net.Listener
	keys        *auth.Keyring
	clients     *flightx.Clients
	membership  *memory.Membership // nil when the nodes meet elsewhere
	cluster     *cluster.Cluster
	coordinator *coordinator.Coordinator
	flight      *flightserver.Server
	data        []string
	tables      int
	server      *grpc.Server
	health      *health.Server
	draining    atomic.Bool
}

func runCoordinator(args []string, out io.Writer) error {
	n, err := newNode(config.Coordinator, args, out)
	if err != nil {
		return err
	}
	return n.runDoor(out, func(*door) error { return nil })
}

// runDoor opens the parts of a coordinator, lets embed add workers of this process, and serves until told to stop.
func (n *node) runDoor(out io.Writer, embed func(*door) error) (err error) {
	defer func() { err = errors.Join(err, n.close()) }()
	failure := make(chan error, 1)
	fail := func(err error) {
		select {
		case failure <- err:
		default: // the first failure is the reason; later ones follow from it
		}
	}
	d, err := n.openDoor(embed, fail)
	if err != nil {
		return err
	}
	metrics, err := startHTTP(n.config.HTTP, d.ready, d.coordinator.Metrics(), d.flight.Metrics(), n.metrics)
	if err != nil {
		return err
	}
	n.onClose(metrics.close)
	n.serve(d.server, d.listener, fail)
	fmt.Fprintf(out, "arbalest %s: %d tables, %d workers; Flight SQL at %s://%s, HTTP at %s\n",
		n.config.Role, d.tables, len(d.cluster.Members().Usable()), n.scheme(), n.advertised(d.listener), metrics.address())
	err = n.wait(failure, d.drain)
	if d.coordinator.Fallen() { // what it passes on of others' results goes on to its end
		ctx, cancel := context.WithTimeout(context.Background(), fallenTimeout)
		defer cancel()
		_ = d.drain(ctx) // it was cut short: the error above is why
	}
	return err
}

// fallenTimeout is how long a coordinator that has fallen finishes the streams that it only passes on.
const fallenTimeout = 5 * time.Second

func (n *node) scheme() string {
	if n.config.TLSCert != "" {
		return "grpc+tls"
	}
	return "grpc"
}

// openDoor makes the parts in the order of their dependence; close undoes them backwards. fail is told why the process has to end.
func (n *node) openDoor(embed func(*door) error, fail func(error)) (*door, error) {
	d := &door{health: health.NewServer()}
	var err error
	if d.data, err = dirdriver.Resolve(n.config.Data); err != nil {
		return nil, err
	}
	if err := n.openKeys(d); err != nil {
		return nil, err
	}
	tables, err := n.openCatalog(d)
	if err != nil {
		return nil, err
	}
	if d.listener, err = n.listen(); err != nil {
		return nil, err
	}
	n.onClose(func() error { return ignoreClosed(d.listener.Close()) })
	if err := n.openMembership(d); err != nil {
		return nil, err
	}
	if err := embed(d); err != nil {
		return nil, err
	}
	front, err := frontend.New(frontend.Config{Log: n.log})
	if err != nil {
		return nil, err
	}
	n.onClose(front.Close)
	n.onRest(front.Rest)
	c := coordinator.Config{Frontend: front, Catalog: tables, Cluster: d.cluster, Keys: d.keys,
		Clients: d.clients, Local: n.local, ProxyResults: n.config.ProxyResults, Log: n.log, Fallen: fail,
		Limits: coordinator.Limits{RunningMax: n.config.MaxRunning, QueuedMax: n.config.MaxQueued}, Groups: n.groups()}
	if ledger, err := d.cluster.Ledger(); err == nil { // else queries end with this coordinator
		c.Ledger = ledger
	}
	d.coordinator, err = coordinator.New(c)
	if err != nil {
		return nil, err
	}
	n.onClose(d.coordinator.Close)
	return d, n.openFlight(d, tables)
}

// groups are the resource groups as the coordinator takes them.
func (n *node) groups() map[string]coordinator.ResourceGroup {
	groups := map[string]coordinator.ResourceGroup{}
	for _, g := range n.config.ResourceGroups {
		one := coordinator.ResourceGroup{Users: g.Users}
		one.Weight, one.RunningMax, one.QueuedMax = g.Weight, g.Running, g.Queued
		groups[g.Name] = one
	}
	return groups
}

// openKeys loads the cluster key, or makes one that only workers on this machine can get.
func (n *node) openKeys(d *door) (err error) {
	d.keys = auth.GenerateKeyring()
	if n.config.ClusterKey != "" {
		if d.keys, err = auth.LoadKeyring(n.config.ClusterKey); err != nil {
			return err
		}
	}
	tlsConfig, err := n.clientTLS()
	if err != nil {
		return err
	}
	d.clients = flightx.NewClients(flightx.ClientConfig{Keys: d.keys, TLS: tlsConfig})
	n.onClose(d.clients.Close)
	return nil
}

func (n *node) openCatalog(d *door) (*catalog.Catalog, error) {
	sniffer, err := sniff.New(d.data)
	if err != nil {
		return nil, err
	}
	n.onClose(sniffer.Close)
	files, err := dirdriver.New(dirdriver.Config{Dirs: d.data, Sniffer: sniffer, Log: n.log})
	if err != nil {
		return nil, err
	}
	tables, err := catalog.New(files)
	if err != nil {
		return nil, err
	}
	n.onClose(tables.Close)
	snapshot, err := tables.Snapshot(context.Background())
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	d.tables = len(snapshot.Names())
	return tables, nil
}

// openFlight makes the gRPC server with all services of a coordinator.
func (n *node) openFlight(d *door, tables *catalog.Catalog) error {
	l, err := n.openLogins()
	if err != nil {
		return err
	}
	c := flightserver.Config{Queries: flightserver.FromCoordinator(d.coordinator), Catalog: tables, Keys: d.keys, Version: versionText(), Log: n.log,
		Tokens: l.tokens, Certificates: l.certificates, TokenTTL: n.config.TokenTTL, LoginMax: n.config.LoginMax}
	if l.users != nil {
		c.Users = l.users
	}
	if ledger, err := d.cluster.Ledger(); err == nil { // else sessions end with this coordinator
		c.Sessions = ledger
	}
	if d.flight, err = flightserver.New(c); err != nil {
		return err
	}
	n.onClose(func() error { d.flight.Close(); return nil })
	transport, err := n.serverTransport()
	if err != nil {
		return err
	}
	options := append(flightx.ServerOptions(n.log), grpc.Creds(transport),
		grpc.ChainUnaryInterceptor(d.flight.UnaryInterceptor), grpc.ChainStreamInterceptor(d.flight.StreamInterceptor))
	d.server = grpc.NewServer(options...)
	d.flight.Register(d.server)
	if d.membership != nil {
		d.membership.Register(d.server)
	}
	healthpb.RegisterHealthServer(d.server, d.health)
	reflection.Register(d.server)
	return nil
}

// ready tells why no query could run now; nil when one could.
func (d *door) ready() error {
	if d.draining.Load() {
		return errors.New("draining")
	}
	if len(d.cluster.Members().Usable()) == 0 {
		return errors.New("no worker has joined")
	}
	return nil
}

// drain refuses new queries, lets those under way end, and then the calls. Only after the queries may the workers' streams end:
// their open ends would hold the server up.
func (d *door) drain(ctx context.Context) error {
	d.draining.Store(true)
	d.health.Shutdown()
	faults := []error{d.coordinator.Drain(ctx)}
	if d.membership != nil {
		faults = append(faults, d.membership.Close())
	}
	stopped := make(chan struct{})
	go func() { d.server.GracefulStop(); close(stopped) }()
	select {
	case <-stopped:
	case <-ctx.Done():
		d.server.Stop()
		<-stopped
		faults = append(faults, context.Cause(ctx))
	}
	return errors.Join(faults...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// localWorkers are the workers of this process by id.
type localWorkers = map[ids.WorkerID]coordinator.LocalWorker
