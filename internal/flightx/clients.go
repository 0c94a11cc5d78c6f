package flightx

import (
	"context"
	"crypto/tls"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// The windows between nodes: one stream may have a few large batches under way, and a connection several streams.
	linkStreamWindowBytes = 16 << 20
	linkConnWindowBytes   = 64 << 20
	// linkReceiveBytesMax bounds a message from another node. A single row may be larger than any batch limit.
	linkReceiveBytesMax = 1 << 30
	// linkKeepalive finds dead links that no ping of a watch stream guards; grpc-go allows no less than 10 s.
	linkKeepalive     = 10 * time.Second
	linkKeepaliveWait = 5 * time.Second
	// linkConnectWait bounds one attempt to connect; linkBackoffMax the pause between attempts, so that a restarted worker
	// is found again soon.
	linkConnectWait = 5 * time.Second
	linkBackoffMax  = 2 * time.Second
)

// ClientConfig says how a node connects to others.
type ClientConfig struct {
	// Keys prove to the other node that this one is of the cluster. Nil sends no credential (clients outside the cluster).
	Keys *auth.Keyring
	// TLS is used for addresses that want TLS; nil = the system's roots.
	TLS *tls.Config
}

// Clients is a pool of gRPC connections to other nodes, one an address. It is safe for concurrent use.
type Clients struct {
	cfg ClientConfig

	mu sync.Mutex
	// conns is guarded by mu; nil after Close.
	conns map[link]*grpc.ClientConn
}

type link struct {
	address string
	tls     bool
}

// NewClients returns an empty pool; connections are made when first used. The caller closes it.
func NewClients(cfg ClientConfig) *Clients {
	return &Clients{cfg: cfg, conns: map[link]*grpc.ClientConn{}}
}

// Conn returns the connection to an address, for the control services. It stays the pool's.
func (c *Clients) Conn(address string, useTLS bool) (grpc.ClientConnInterface, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conns == nil {
		return nil, qerr.New(qerr.Unavailable, "connect to %s: this node is shutting down", address)
	}
	key := link{address, useTLS}
	if conn := c.conns[key]; conn != nil {
		return conn, nil
	}
	conn, err := grpc.NewClient("passthrough:///"+address, c.dialOptions(useTLS)...)
	if err != nil {
		return nil, qerr.Wrap(qerr.Unavailable, "connect to "+address, err)
	}
	c.conns[key] = conn
	return conn, nil
}

// Drop closes the connections to an address that is gone for good (a lost worker); streams on them fail.
func (c *Clients) Drop(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, useTLS := range []bool{false, true} {
		if conn := c.conns[link{address, useTLS}]; conn != nil {
			_ = conn.Close()
			delete(c.conns, link{address, useTLS})
		}
	}
}

// Open sends a ticket to the node at an address by DoGet and returns the stream's reader after its schema has come. ctx covers
// the whole stream: when it ends, so does the stream. The caller closes the reader. A bearer token that WithBearer put
// into ctx is forwarded.
func (c *Clients) Open(ctx context.Context, address string, useTLS bool, ticket []byte) (Reader, error) {
	conn, err := c.Conn(address, useTLS)
	if err != nil {
		return nil, err
	}
	return openRemote(ctx, flight.NewFlightServiceClient(conn), ticket)
}

// Close closes all connections; open streams fail with Cancelled. It may be called again.
func (c *Clients) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first error
	for _, conn := range c.conns {
		if err := conn.Close(); err != nil && first == nil {
			first = qerr.Wrap(qerr.Internal, "close connection", err)
		}
	}
	c.conns = nil
	return first
}

func (c *Clients) dialOptions(useTLS bool) []grpc.DialOption {
	transport := insecure.NewCredentials()
	if useTLS {
		cfg := c.cfg.TLS
		if cfg == nil {
			cfg = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		transport = credentials.NewTLS(cfg.Clone())
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		experimental.WithBufferPool(&frames),
		grpc.WithInitialWindowSize(linkStreamWindowBytes),
		grpc.WithInitialConnWindowSize(linkConnWindowBytes),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(newCodec()), grpc.MaxCallRecvMsgSize(linkReceiveBytesMax),
			grpc.MaxCallSendMsgSize(linkReceiveBytesMax)),
		grpc.WithMaxHeaderListSize(headerListBytesMax),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: linkKeepalive, Timeout: linkKeepaliveWait}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6,
			Jitter: 0.2, MaxDelay: linkBackoffMax}, MinConnectTimeout: linkConnectWait}),
		grpc.WithChainUnaryInterceptor(c.credentialUnary),
		grpc.WithChainStreamInterceptor(c.credentialStream),
	}
}

func (c *Clients) credentialUnary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return invoke(c.withCredentials(ctx), method, req, reply, cc, opts...)
}

func (c *Clients) credentialStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, stream grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return stream(c.withCredentials(ctx), desc, cc, method, opts...)
}

// withCredentials adds the cluster credential, made afresh as it is short-lived, and a forwarded bearer token.
func (c *Clients) withCredentials(ctx context.Context) context.Context {
	if c.cfg.Keys != nil {
		ctx = metadata.AppendToOutgoingContext(ctx, auth.CredentialHeader, c.cfg.Keys.Credential(time.Now()))
	}
	if token, ok := ctx.Value(bearerKey{}).(string); ok {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	return ctx
}

type bearerKey struct{}

// WithBearer makes calls under the context carry a user's bearer token.
func WithBearer(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, bearerKey{}, token)
}
