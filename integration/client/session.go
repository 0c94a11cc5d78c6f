package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// Options say who connects.
type Options struct {
	User, Password string // empty = anonymous
	// MessageBytesMax is the largest message that is accepted: a row is never cut in two. 0 = gRPC's default, 4 MiB.
	MessageBytesMax int
}

// A Session is one login at one door.
type Session struct {
	SQL   *flightsql.Client // the connection to the door
	token bearer
	calls []grpc.CallOption

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
	s := &Session{others: map[string]*flightsql.Client{}}
	if o.MessageBytesMax > 0 {
		s.calls = append(s.calls, grpc.MaxCallRecvMsgSize(o.MessageBytesMax))
	}
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

func (s *Session) dial(ctx context.Context, address string) (*flightsql.Client, error) {
	c, err := flightsql.NewClientCtx(ctx, address, nil, []flight.ClientMiddleware{flight.CreateClientMiddleware(&s.token)},
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(s.calls...))
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

// at gives the connection to the first location that can be dialled, and that location; "" is the door itself.
func (s *Session) at(ctx context.Context, endpoint *flight.FlightEndpoint) (*flightsql.Client, string, error) {
	for _, location := range endpoint.GetLocation() {
		uri, err := url.Parse(location.GetUri())
		if err != nil {
			return nil, "", fmt.Errorf("location %q: %w", location.GetUri(), err)
		}
		if uri.Host == "" || uri.Host == "?" { // arrow-flight-reuse-connection://?
			continue
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed {
			return nil, "", errors.New("the session is closed")
		}
		c, ok := s.others[uri.Host]
		if !ok {
			if c, err = s.dial(ctx, uri.Host); err != nil {
				return nil, "", err
			}
			s.others[uri.Host] = c
		}
		return c, location.GetUri(), nil
	}
	return s.SQL, "", nil
}
