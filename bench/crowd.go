package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	membership "github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/memory"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// A crowd is simulated workers: each joins by the real registrar and answers the coordinator's control stream at a port of its
// own, and none runs a task.
type crowd struct {
	door    *harness.Process
	session *client.Session
	engine  string // the version that the coordinator plans for
	workers []*simulated
	lives   int
	literal int
}

func newCrowd(ctx context.Context, door *harness.Process, session *client.Session) (*crowd, error) {
	r, err := session.Query(ctx, "SELECT version()")
	if err != nil {
		return nil, err
	}
	defer r.Release()
	text, ok := r.Batches[0].Column(0).(*array.String)
	if !ok {
		return nil, fmt.Errorf("version() gives %s", r.Batches[0].Column(0).DataType())
	}
	return &crowd{door: door, session: session, engine: text.Value(0)}, nil
}

func (c *crowd) close() {
	for _, w := range c.workers {
		w.close()
	}
	c.workers = nil
}

// resize lets workers come or go until there are n, and waits until the coordinator knows.
func (c *crowd) resize(ctx context.Context, n int) error {
	for len(c.workers) < n {
		w, err := newSimulated(c.door.Address)
		if err != nil {
			return err
		}
		c.workers = append(c.workers, w)
		c.join(len(c.workers) - 1)
	}
	for _, w := range c.workers[n:] {
		w.close()
	}
	c.workers = c.workers[:n]
	return c.await(ctx)
}

// flap lets all workers leave, and come back in another life.
func (c *crowd) flap(ctx context.Context) error {
	var leaving sync.WaitGroup
	for _, w := range c.workers {
		leaving.Go(w.leave)
	}
	leaving.Wait()
	for i := range c.workers {
		c.join(i)
	}
	return c.await(ctx)
}

func (c *crowd) join(i int) {
	c.lives++
	c.workers[i].join(&pb.WorkerRecord{
		WorkerId: fmt.Sprintf("simulated-%d", i), Incarnation: fmt.Sprint(c.lives), ProtocolVersion: membership.ProtocolVersion, DuckdbVersion: c.engine,
		HashVector: []byte("simulated"), Threads: 2, MemoryBytes: 1 << 30, Version: "simulated",
	})
}

// await waits until the coordinator counts the crowd, beside the real worker, which is of another kind than many.
func (c *crowd) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rosterWait)
	defer cancel()
	want := max(1, len(c.workers))
	for {
		m, err := c.door.Metrics(ctx)
		if err != nil {
			return err
		}
		usable, _ := m.Sum("arbalest_workers", `status="usable"`)
		all, _ := m.Sum("arbalest_workers")
		if int(usable) == want && int(all) == 1+len(c.workers) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the coordinator counts %v workers, %v of them usable, and there are %d: %w", all, usable, len(c.workers), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// A simulated is one worker.
type simulated struct {
	pb.UnimplementedTasksServer
	listener  net.Listener
	server    *grpc.Server
	serving   sync.WaitGroup
	conn      *grpc.ClientConn
	registrar *memory.Registrar
}

func newSimulated(coordinator string) (*simulated, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("passthrough:///"+coordinator, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		_ = l.Close() // the error above is the reason
		return nil, err
	}
	s := &simulated{listener: l, server: grpc.NewServer(), conn: conn}
	pb.RegisterTasksServer(s.server, s)
	s.serving.Go(func() { _ = s.server.Serve(l) })
	return s, nil
}

func (s *simulated) join(record *pb.WorkerRecord) {
	record.Address, record.Advertised = s.listener.Addr().String(), s.listener.Addr().String()
	s.registrar = memory.NewRegistrar(memory.RegistrarConfig{Conn: s.conn, Log: zerolog.Nop()}, record)
}

func (s *simulated) leave() { _ = s.registrar.Close() }

func (s *simulated) close() {
	s.leave()
	s.server.Stop()
	s.serving.Wait()
	_ = s.conn.Close() // nothing is under way
}

// Watch pings, as a worker does that has nothing to tell.
func (s *simulated) Watch(_ *pb.WatchRequest, stream pb.Tasks_WatchServer) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := stream.Send(&pb.WatchEvent{Load: &pb.WorkerLoad{}}); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-stream.Context().Done():
			return nil
		}
	}
}

// Release has nothing to drop.
func (s *simulated) Release(context.Context, *pb.ReleaseRequest) (*pb.ReleaseReply, error) {
	return &pb.ReleaseReply{}, nil
}
