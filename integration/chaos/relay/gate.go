package relay

import (
	"net"
	"sync"
)

// A gate holds every connection of a relay while it is shut.
type gate struct {
	mu    sync.Mutex
	open  *sync.Cond
	shut  bool // guarded by mu
	ended bool // guarded by mu
	conns map[net.Conn]struct{}
}

func newGate() *gate {
	g := &gate{conns: map[net.Conn]struct{}{}}
	g.open = sync.NewCond(&g.mu)
	return g
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	g.open.Broadcast()
}

// end resets all connections and lets their users see it.
func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	g.open.Broadcast()
	for c := range g.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, as from a host on which the process is gone
		}
		_ = c.Close()
	}
}

// wait returns when the gate is not shut.
func (g *gate) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut && !g.ended {
		g.open.Wait()
	}
}

type gatedListener struct {
	net.Listener
	gate *gate
}

// Accept implements net.Listener.
func (l gatedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.gate.mu.Lock()
	l.gate.conns[c] = struct{}{}
	l.gate.mu.Unlock()
	return &gatedConn{c, l.gate}, nil
}

type gatedConn struct {
	net.Conn
	gate *gate
}

// Read implements net.Conn. What came in before the gate was shut is not seen by a host that hangs either.
func (c *gatedConn) Read(b []byte) (int, error) {
	c.gate.wait()
	n, err := c.Conn.Read(b)
	c.gate.wait()
	return n, err
}

// Write implements net.Conn.
func (c *gatedConn) Write(b []byte) (int, error) {
	c.gate.wait()
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *gatedConn) Close() error {
	c.gate.mu.Lock()
	delete(c.gate.conns, c.Conn)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}
