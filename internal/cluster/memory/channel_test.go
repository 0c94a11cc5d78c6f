package memory

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// channelConn carries one method, Join, over channels.
type channelConn struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	server *Membership
	muted  bool
}

// lead makes further streams go to another server.
func (c *channelConn) lead(to *Membership) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server = to
}

func (c *channelConn) mute() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.muted = true
}

func (c *channelConn) isMuted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.muted
}

func (c *channelConn) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	panic("not used")
}

func (c *channelConn) NewStream(ctx context.Context, _ *grpc.StreamDesc, _ string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	if c.isMuted() {
		return nil, qerr.New(qerr.Unavailable, "the network is gone")
	}
	c.mu.Lock()
	server := c.server
	c.mu.Unlock()
	md, _ := metadata.FromOutgoingContext(ctx)
	serverCtx := peer.NewContext(metadata.NewIncomingContext(context.WithoutCancel(ctx), md),
		&peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}})
	serverCtx, cancelServer := context.WithCancel(serverCtx)
	clientCtx, cancelClient := context.WithCancel(ctx)
	s := &channelStream{conn: c, requests: make(chan *pb.JoinRequest), replies: make(chan *pb.JoinReply), ended: make(chan error, 1)}
	c.wg.Go(func() {
		err := server.Join(&serverStream{channelStream: s, ctx: serverCtx})
		cancelServer()
		s.ended <- err
		cancelClient()
	})
	stop := context.AfterFunc(ctx, func() {
		if !c.isMuted() { // a hung process resets nothing
			cancelServer()
		}
	})
	c.wg.Go(func() { <-serverCtx.Done(); stop() })
	return &clientStream{channelStream: s, ctx: clientCtx}, nil
}

type channelStream struct {
	conn     *channelConn
	requests chan *pb.JoinRequest
	replies  chan *pb.JoinReply
	ended    chan error
}

type clientStream struct {
	grpc.ClientStream
	*channelStream
	ctx context.Context
}

func (s *clientStream) Context() context.Context { return s.ctx }
func (s *clientStream) CloseSend() error         { return nil }

func (s *clientStream) SendMsg(m any) error {
	if s.conn.isMuted() {
		return nil // lost on the way
	}
	select {
	case s.requests <- m.(*pb.JoinRequest):
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

func (s *clientStream) RecvMsg(m any) error {
	select {
	case reply := <-s.replies:
		out := m.(*pb.JoinReply)
		out.DataLocations, out.KeyId, out.Key = reply.DataLocations, reply.KeyId, reply.Key
		return nil
	case err := <-s.ended:
		if err == nil {
			err = qerr.New(qerr.Unavailable, "the stream ended")
		}
		return err
	case <-s.ctx.Done():
		select {
		case err := <-s.ended:
			return err
		default:
			return s.ctx.Err()
		}
	}
}

type serverStream struct {
	grpc.ServerStream
	*channelStream
	ctx context.Context
}

func (s *serverStream) Context() context.Context { return s.ctx }

func (s *serverStream) Recv() (*pb.JoinRequest, error) {
	select {
	case r := <-s.requests:
		return r, nil
	case <-s.ctx.Done():
		return nil, s.ctx.Err()
	}
}

func (s *serverStream) Send(r *pb.JoinReply) error {
	if s.conn.isMuted() {
		return nil
	}
	select {
	case s.replies <- r:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}
