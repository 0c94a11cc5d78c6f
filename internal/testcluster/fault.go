package testcluster

import (
	"path"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// A Fault breaks streams that workers serve (DoGet): those that match, as often as its budget says. One that never fires fails
// its test, which does not test what it says then.
type Fault struct {
	// Worker serves the stream; empty for any. Audience is whose ticket it is: another worker's (exchange), or a client's.
	Worker   ids.WorkerID
	Audience pb.Audience
	// Stage is the ticket's; negative for any.
	Stage int
	// After is how many messages are sent before it fires.
	After int
	// Err ends the stream; nil ends none.
	Err error
	// Delay comes before each further message: a slow worker, or link.
	Delay time.Duration
	// Budget is how many streams it breaks.
	Budget int
}

// Damage does something to the committed spool files of a worker whose names match a pattern of filepath.Match, to as many as
// the budget says. The test fails when there is none.
func (n *Node) Damage(pattern string, budget int, do func(path string) error) {
	n.cluster.t.Helper()
	found, err := filepath.Glob(filepath.Join(n.SpillDir, "*", pattern+".spool"))
	n.cluster.must("find spools", err)
	if len(found) == 0 {
		n.cluster.t.Fatalf("%s has no spool %s", n.ID, pattern)
	}
	for _, path := range found[:min(budget, len(found))] {
		n.cluster.must("damage a spool", do(path))
	}
}

// faults are those of a cluster.
type faults struct {
	mu    sync.Mutex
	armed []*armed // guarded by mu
}

type armed struct {
	Fault
	left, fired int // guarded by faults.mu
}

// Inject arms a fault for the rest of the test. It returns how often it has fired.
func (c *Cluster) Inject(t testing.TB, f Fault) (fired func() int) {
	a := &armed{Fault: f, left: f.Budget}
	c.faults.mu.Lock()
	c.faults.armed = append(c.faults.armed, a)
	c.faults.mu.Unlock()
	fired = func() int {
		c.faults.mu.Lock()
		defer c.faults.mu.Unlock()
		return a.fired
	}
	t.Cleanup(func() {
		if fired() == 0 {
			t.Errorf("the fault %+v never fired", f)
		}
	})
	return fired
}

// fire takes a fault for a stream that is about to send its n-th message, from 0; nil when there is none.
func (c *Cluster) fire(worker ids.WorkerID, ticket *pb.Ticket, n int) *Fault {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	for _, a := range c.faults.armed {
		if a.left > 0 && n == a.After && (a.Worker == "" || a.Worker == worker) && a.Audience == ticket.GetAudience() &&
			(a.Stage < 0 || uint32(a.Stage) == ticket.GetKey().GetStage()) {
			a.left--
			a.fired++
			return &a.Fault
		}
	}
	return nil
}

// interceptor puts the cluster's faults into the streams that a worker serves.
func (n *Node) interceptor(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if path.Base(info.FullMethod) != "DoGet" {
		return handler(srv, stream)
	}
	return handler(srv, &faultyStream{ServerStream: stream, node: n})
}

// A faultyStream is one DoGet; its handler uses it from one goroutine at a time.
type faultyStream struct {
	grpc.ServerStream
	node   *Node
	ticket *pb.Ticket
	sent   int
	delay  time.Duration
}

// RecvMsg implements grpc.ServerStream: the only message is the ticket.
func (s *faultyStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	if t, ok := m.(*flight.Ticket); ok {
		// What is no ticket is the worker's to refuse.
		s.ticket, _ = s.node.cluster.Keys.VerifyTicket(t.GetTicket(), time.Now())
	}
	return nil
}

// SendMsg implements grpc.ServerStream.
func (s *faultyStream) SendMsg(m any) error {
	if fault := s.node.cluster.fire(s.node.ID, s.ticket, s.sent); fault != nil {
		if fault.Err != nil {
			return grpcerr.ToStatus(fault.Err)
		}
		s.delay = fault.Delay
	}
	s.sent++
	if s.delay > 0 {
		select {
		case <-time.After(s.delay):
		case <-s.Context().Done():
		}
	}
	return s.ServerStream.SendMsg(m)
}
