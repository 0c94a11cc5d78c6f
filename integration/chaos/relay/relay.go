package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	// messageBytesMax is above what any node of the product sends.
	messageBytesMax = 1 << 30
	// windowBytes are the product's own for links.
	windowBytes = 16 << 20
	// pingMin is how often callers may ping: the product allows every 5 s.
	pingMin = time.Second
	// redialMax is the pause between attempts to reach a worker that starts.
	redialMax = 200 * time.Millisecond
)

// A Relay is in front of one worker.
type Relay struct {
	// Address is where it answers, host:port.
	Address string

	number int
	target string
	script Script
	listen func(address string) (net.Listener, error)

	mu     sync.Mutex
	server *grpc.Server     // nil while down
	conn   *grpc.ClientConn // to the worker
	gate   *gate
	served chan struct{}
}

// New starts relay number n of a worker that answers, or will, at target. listen opens the port; nil is this machine's.
func New(n int, address, target string, script Script, listen func(string) (net.Listener, error)) (*Relay, error) {
	if listen == nil {
		listen = func(address string) (net.Listener, error) { return net.Listen("tcp", address) }
	}
	r := &Relay{Address: address, number: n, target: target, script: script, listen: listen}
	return r, r.Up()
}

// Up answers again after Down.
func (r *Relay) Up() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server != nil {
		return nil
	}
	listener, err := r.listen(r.Address)
	if err != nil {
		return fmt.Errorf("relay %d: %w", r.number, err)
	}
	r.Address = listener.Addr().String()
	r.conn, err = grpc.NewClient("passthrough:///"+r.target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(windowBytes), grpc.WithInitialConnWindowSize(4*windowBytes),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: redialMax / 4, Multiplier: 2, MaxDelay: redialMax}, MinConnectTimeout: time.Second}),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(messageBytesMax), grpc.MaxCallSendMsgSize(messageBytesMax)))
	if err != nil {
		return errors.Join(fmt.Errorf("relay %d: %w", r.number, err), listener.Close())
	}
	r.gate = newGate()
	r.served = make(chan struct{})
	r.server = grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(r.handler(r.conn)), grpc.WaitForHandlers(true),
		grpc.MaxRecvMsgSize(messageBytesMax), grpc.MaxSendMsgSize(messageBytesMax), grpc.InitialWindowSize(windowBytes), grpc.InitialConnWindowSize(4*windowBytes),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingMin, PermitWithoutStream: true}))
	go func(server *grpc.Server, served chan struct{}) {
		defer close(served)
		_ = server.Serve(gatedListener{listener, r.gate}) // ends by Down
	}(r.server, r.served)
	return nil
}

// Down closes the port and resets every connection.
func (r *Relay) Down() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server == nil {
		return
	}
	r.gate.end() // first, so that nobody is told how the calls to the worker end
	_ = r.conn.Close()
	r.server.Stop()
	<-r.served
	r.server = nil
}

// Freeze keeps connections open and deaf until Thaw.
func (r *Relay) Freeze() { r.current().set(true) }

// Thaw ends Freeze.
func (r *Relay) Thaw() { r.current().set(false) }

func (r *Relay) current() *gate {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gate
}

// handler passes one call on.
func (r *Relay) handler(conn *grpc.ClientConn) grpc.StreamHandler {
	return func(_ any, caller grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(caller)
		ctx, cancel := context.WithCancel(caller.Context())
		defer cancel()
		if md, ok := metadata.FromIncomingContext(ctx); ok {
			ctx = metadata.NewOutgoingContext(ctx, md.Copy())
		}
		worker, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
		if err != nil {
			return err
		}
		c := &call{relay: r, method: method, caller: caller, worker: worker}
		asked := make(chan error, 1)
		go func() {
			err := c.ask()
			if err != nil {
				cancel()
			}
			asked <- err
		}()
		err = c.answer()
		cancel()
		// A caller that sends no more is waited for by its stream's end, which comes with this return; so its goroutine may
		// still be in RecvMsg. It ends then, and touches nothing but the stream.
		select {
		case refused := <-asked:
			if refused != nil {
				return refused
			}
		default:
		}
		return err
	}
}

// A call is one that is being passed on.
type call struct {
	relay  *Relay
	method string
	caller grpc.ServerStream
	worker grpc.ClientStream

	mu    sync.Mutex
	asked Event // guarded by mu: what the caller's first message was
}

// ask passes what the caller sends, and returns why it must not go on.
func (c *call) ask() error {
	for {
		var m message
		if err := c.caller.RecvMsg(&m); errors.Is(err, io.EOF) {
			_ = c.worker.CloseSend()
			return nil
		} else if err != nil {
			return nil //nolint:nilerr // the caller has gone, which the call's context tells
		}
		e, known := request(c.method, m)
		if known {
			c.mu.Lock()
			c.asked = e
			c.mu.Unlock()
			if err := c.tell(e, false); err != nil {
				m.data.Free()
				return err
			}
		}
		if err := c.worker.SendMsg(&m); err != nil {
			return nil //nolint:nilerr // the worker's status comes by the other direction
		}
		if known && e.Kind == Fetch {
			if err := c.tell(e, true); err != nil {
				return err
			}
		}
	}
}

// answer passes what the worker sends.
func (c *call) answer() error {
	for first := true; ; first = false {
		var m message
		err := c.worker.RecvMsg(&m)
		if first {
			if header, err := c.worker.Header(); err == nil {
				_ = c.caller.SendHeader(header)
			}
		}
		if err != nil {
			c.caller.SetTrailer(c.worker.Trailer())
			if errors.Is(err, io.EOF) {
				return nil
			}
			if asked := c.first(); asked.Kind == Fetch && asked.Ticket != nil {
				asked.Kind = Refusal
				if told := c.tell(asked, false); told != nil {
					return told
				}
			}
			return err
		}
		asked := c.first()
		e, known := reply(c.method, asked, m, first)
		if known && !e.After {
			if err := c.tell(e, false); err != nil {
				m.data.Free()
				return err
			}
		}
		if err := c.caller.SendMsg(&m); err != nil {
			return err
		}
		if known {
			if err := c.tell(e, true); err != nil {
				return err
			}
		}
	}
}

// first is what the caller asked for.
func (c *call) first() Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func (c *call) tell(e Event, after bool) error {
	if c.relay.script == nil {
		return nil
	}
	e.Worker, e.After = c.relay.number, after
	err := c.relay.script(c.caller.Context(), e)
	if _, ok := status.FromError(err); err != nil && !ok {
		err = status.Error(codes.Unavailable, err.Error())
	}
	return err
}
