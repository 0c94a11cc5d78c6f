package testcluster

import (
	"net"
	"sync"
)

// A gate is a listener whose connections can be stopped and let go on: to those at the other ends the process hangs, or
// the network is cut. Nothing is lost, it only waits.
type gate struct {
	net.Listener

	mu   sync.Mutex
	open chan struct{} // closed while bytes may pass
}

func newGate(l net.Listener) *gate {
	g := &gate{Listener: l, open: make(chan struct{})}
	close(g.open)
	return g
}

// shut stops all connections, and those to come, until the returned function is called.
func (g *gate) shut() (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	opened := make(chan struct{})
	g.open = opened
	return sync.OnceFunc(func() { close(opened) })
}

func (g *gate) passing() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gated{Conn: conn, gate: g, closed: make(chan struct{})}, nil
}

type gated struct {
	net.Conn
	gate   *gate
	once   sync.Once
	closed chan struct{}
}

func (c *gated) wait() {
	select {
	case <-c.gate.passing():
	case <-c.closed:
	}
}

// Read implements net.Conn.
func (c *gated) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wait() // what came while the gate was shut comes out when it opens
	return n, err
}

// Write implements net.Conn.
func (c *gated) Write(b []byte) (int, error) {
	c.wait()
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *gated) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// Hang makes the worker hang as a stopped process does, as seen by all others, until the returned function is called: what it is
// sent waits, and so does what it says. Its membership stays, as another connection carries that.
func (n *Node) Hang() (goOn func()) {
	n.cluster.t.Helper()
	goOn = n.gate.shut()
	n.cluster.t.Cleanup(goOn)
	return goOn
}
