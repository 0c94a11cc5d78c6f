package coordinator

import "testing"

// A connection that is opened while its worker leaves is closed, too: of a fleet that comes and goes nothing stays.
func TestLateConnectionsAreClosed(t *testing.T) {
	hold := make(chan struct{})
	b := newBench(t, 0, func(c *Config) { c.Clients.(*fakeClients).hold = hold })
	address := b.addWorker("w1").record.GetAddress()
	b.eventually("the worker is followed", func() bool { return b.c.Usage().Links == 1 })
	if err := b.worker("w1").seat.Close(); err != nil {
		t.Fatal(err)
	}
	b.eventually("it left, and its connection was dropped", func() bool {
		return b.c.Usage().Links == 0 && b.clients.last(address) == "dropped"
	})
	b.clients.mu.Lock()
	b.clients.calls[address] = "" // what is done from here on
	b.clients.mu.Unlock()
	close(hold)
	b.eventually("the late connection is dropped", func() bool { return b.clients.last(address) == "dropped" })
}
