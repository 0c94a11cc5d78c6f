package testcluster

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/cluster/memory"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/worker"
)

// A Node is one worker with its own engine, listener and connections.
type Node struct {
	ID     ids.WorkerID
	Worker *worker.Worker
	Engine *duck.Engine
	// Address is the worker's gRPC server, host:port; SpillDir is where its exchanged data is spilled.
	Address, SpillDir string

	cluster *Cluster
	gate    *gate // of the server's connections
	leave   func()
	stop    func() // of the server
	once    sync.Once
	ended   bool
}

// AddWorker starts one more worker and waits until it can be given tasks.
func (c *Cluster) AddWorker() *Node {
	c.t.Helper()
	up := c.Coordinator.Usage().LinksUp
	n := c.addNode(c.register)
	c.eventually("the new worker is up", func() bool { return c.Coordinator.Usage().LinksUp == up+1 })
	return n
}

func (c *Cluster) addNode(join func(n *Node) (leave func())) *Node {
	c.t.Helper()
	o := c.options
	n := &Node{ID: ids.WorkerID(fmt.Sprintf("w%d", len(c.Workers)+1)), SpillDir: c.t.TempDir(), cluster: c}
	var err error
	n.Engine, err = duck.Open(duck.Config{
		Threads: o.WorkerThreads, MemoryBytes: o.WorkerMemoryBytes, TempDir: c.t.TempDir(), DataLocations: c.locations(),
	})
	c.must("open engine", err)
	c.onClose("engine", n.Engine.Close)
	clients := flightx.NewClients(flightx.ClientConfig{Keys: c.Keys})
	c.onClose("clients of "+string(n.ID), clients.Close)
	listener := c.listen()
	n.Address = listener.Addr().String()
	n.Worker, err = worker.New(worker.Config{
		ID: n.ID, Address: n.Address, Advertised: n.Address, Engine: n.Engine, Keys: c.Keys, Clients: clients,
		Threads: uint32(o.WorkerThreads), MemoryBytes: uint64(o.WorkerMemoryBytes), RequireToken: o.RequireToken, Users: o.Users,
		SpillDir: n.SpillDir, Version: "test", Log: o.Log,
	})
	c.must("open worker", err)
	c.onClose("worker", n.Worker.Close)
	server := grpc.NewServer(append(flightx.ServerOptions(o.Log), grpc.ChainStreamInterceptor(n.interceptor))...)
	n.Worker.Register(server)
	n.gate = newGate(listener)
	n.stop = c.serve(server, n.gate)
	n.leave = join(n)
	c.t.Cleanup(func() { n.leave() })
	c.Workers = append(c.Workers, n)
	return n
}

// embed makes the worker a member without a network.
func (c *Cluster) embed(n *Node) (leave func()) {
	c.t.Helper()
	seat, err := c.Membership.Add(n.Worker.Record())
	c.must("add worker", err)
	return func() { _ = seat.Close() }
}

// register makes the worker join the coordinator's server.
func (c *Cluster) register(n *Node) (leave func()) {
	c.t.Helper()
	link := flightx.NewClients(flightx.ClientConfig{})
	conn, err := link.Conn(c.Address, false)
	c.must("reach the coordinator", err)
	registrar := memory.NewRegistrar(memory.RegistrarConfig{Conn: conn, Keys: c.Keys, PingInterval: c.options.Lease / 4, Log: c.options.Log}, n.Worker.Record())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err = registrar.Welcome(ctx)
	c.must("join", err)
	return func() {
		_ = registrar.Close()
		_ = link.Close()
	}
}

// Kill ends the worker as a crash does: its connections break, and nothing it holds is served any more. It returns when the
// coordinator has noticed.
func (n *Node) Kill() {
	n.cluster.t.Helper()
	n.once.Do(func() {
		up := n.cluster.Coordinator.Usage().LinksUp
		n.ended = true
		n.stop()
		n.leave()
		_ = n.Worker.Close()
		n.cluster.eventually("the loss of "+string(n.ID)+" is noticed", func() bool { return n.cluster.Coordinator.Usage().LinksUp == up-1 })
	})
}
