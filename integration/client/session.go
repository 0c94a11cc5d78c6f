package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

// Options say who connects.
type Options struct {
	User, Password string // empty = anonymous
	// Token goes on with a session, as Session.Token has told it; empty = a new one.
	Token string
	// MessageBytesMax is the largest message that is accepted: a row is never cut in two. 0 = gRPC's default, 4 MiB.
	MessageBytesMax int
	// Keepalive is how often a silent connection is probed; 0 = never. A host that hangs is noticed by it alone.
	Keepalive time.Duration
	// TLS, when given, is spoken on every connection.
	TLS *tls.Config
}

// A Session is one login at one door.
type Session struct {
	SQL       *flightsql.Client // the connection to the door
	token     bearer
	calls     []grpc.CallOption
	keepalive time.Duration
	transport credentials.TransportCredentials

	mu     sync.Mutex
	closed bool
	others map[string]*flightsql.Client // connections to locations, by host:port
}

// bearer keeps the token of a session: sent with each call, taken from any reply that carries one.
type bearer struct {
	mu    sync.Mutex
	value string
}

func (b *bearer) StartCall(ctx context.Context) context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.value == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", b.value)
}

func (b *bearer) HeadersReceived(_ context.Context, header metadata.MD) {
	if values := header.Get("authorization"); len(values) > 0 {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.value = values[0]
	}
}

// Dial opens a session at host:port.
func Dial(ctx context.Context, address string, o Options) (*Session, error) {
	s := &Session{others: map[string]*flightsql.Client{}, keepalive: o.Keepalive, transport: insecure.NewCredentials()}
	if o.TLS != nil {
		s.transport = credentials.NewTLS(o.TLS)
	}
	if o.MessageBytesMax > 0 {
		s.calls = append(s.calls, grpc.MaxCallRecvMsgSize(o.MessageBytesMax))
	}
	s.token.value = o.Token
	var err error
	if s.SQL, err = s.dial(ctx, address); err != nil {
		return nil, err
	}
	if o.User != "" {
		login, err := s.SQL.Client.AuthenticateBasicToken(ctx, o.User, o.Password)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("log in at %s: %w", address, err), s.Close())
		}
		if md, ok := metadata.FromOutgoingContext(login); ok {
			s.token.HeadersReceived(ctx, md)
		}
	}
	return s, nil
}

// Token is what the session is known by at every door; "" before its first call.
func (s *Session) Token() string {
	s.token.mu.Lock()
	defer s.token.mu.Unlock()
	return s.token.value
}

func (s *Session) dial(ctx context.Context, address string) (*flightsql.Client, error) {
	options := []grpc.DialOption{grpc.WithTransportCredentials(s.transport), grpc.WithDefaultCallOptions(s.calls...)}
	if s.keepalive > 0 {
		options = append(options, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: s.keepalive, Timeout: s.keepalive / 2}))
	}
	c, err := flightsql.NewClientCtx(ctx, address, nil, []flight.ClientMiddleware{flight.CreateClientMiddleware(&s.token)}, options...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return c, nil
}

// Close ends every connection, as a client does that goes away: it does not close the session at the server. A second
// call does nothing.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	faults := []error{s.SQL.Close()}
	for _, c := range s.others {
		faults = append(faults, c.Close())
	}
	clear(s.others)
	return errors.Join(faults...)
}

// A way is a place where an endpoint can be read: a location, "" for the door itself.
type way struct {
	client   *flightsql.Client
	location string
}

// ways gives the connections to an endpoint's locations, in their order; the door when it names none.
func (s *Session) ways(ctx context.Context, endpoint *flight.FlightEndpoint) ([]way, error) {
	var all []way
	for _, location := range endpoint.GetLocation() {
		uri, err := url.Parse(location.GetUri())
		if err != nil {
			return nil, fmt.Errorf("location %q: %w", location.GetUri(), err)
		}
		if uri.Host == "" || uri.Host == "?" { // arrow-flight-reuse-connection://?
			all = append(all, way{s.SQL, ""})
			continue
		}
		c, err := s.other(ctx, uri.Host)
		if err != nil {
			return nil, err
		}
		all = append(all, way{c, location.GetUri()})
	}
	if all == nil {
		all = []way{{s.SQL, ""}}
	}
	return all, nil
}

// other gives the connection to another host.
func (s *Session) other(ctx context.Context, host string) (*flightsql.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the session is closed")
	}
	c, ok := s.others[host]
	if !ok {
		var err error
		if c, err = s.dial(ctx, host); err != nil {
			return nil, err
		}
		s.others[host] = c
	}
	return c, nil
}
