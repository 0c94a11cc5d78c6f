package shell

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// messageBytesMax is what the client accepts in one message. The server stays far below it; other servers may not.
const messageBytesMax = 256 << 20

// Options say how to reach a server.
type Options struct {
	// Server is grpc://HOST:PORT or grpc+tls://HOST:PORT.
	Server string
	// User and Password log in by Basic; Token by Bearer. All empty: no login.
	User, Password, Token string
	// CAFile holds the authorities (PEM) for TLS; empty = the system's.
	CAFile string
	// CertFile and KeyFile hold the client's certificate (PEM), for servers that ask for one; empty = none.
	CertFile, KeyFile string
}

// A Client is one session at a server. It is used by one goroutine at a time.
type Client struct {
	sql     *flightsql.Client
	token   string // "Bearer …", from the login or the first reply
	dial    grpc.DialOption
	workers map[string]flight.Client
}

// Connect opens a session; the caller closes it.
func Connect(ctx context.Context, o Options) (*Client, error) {
	address, transport, err := transportOf(o)
	if err != nil {
		return nil, err
	}
	c := &Client{workers: map[string]flight.Client{}, dial: grpc.WithTransportCredentials(transport)}
	limits := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax))
	c.sql, err = flightsql.NewClientCtx(ctx, address, nil, nil, c.dial, limits)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", o.Server, err)
	}
	switch {
	case o.Token != "":
		c.token = "Bearer " + o.Token
	case o.User != "":
		authorized, err := c.sql.Client.AuthenticateBasicToken(ctx, o.User, o.Password)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("log in to %s as %s: %w", o.Server, o.User, err), c.sql.Close())
		}
		md, _ := metadata.FromOutgoingContext(authorized)
		if v := md.Get("authorization"); len(v) > 0 {
			c.token = v[0]
		}
	}
	return c, nil
}

func transportOf(o Options) (address string, _ credentials.TransportCredentials, _ error) {
	u, err := url.Parse(o.Server)
	if err != nil || u.Host == "" {
		return "", nil, fmt.Errorf("--server %q: want grpc://HOST:PORT or grpc+tls://HOST:PORT", o.Server)
	}
	switch u.Scheme {
	case "grpc", "grpc+tcp":
		return u.Host, insecure.NewCredentials(), nil
	case "grpc+tls":
		config := &tls.Config{MinVersion: tls.VersionTLS12}
		if o.CAFile != "" {
			pem, err := os.ReadFile(o.CAFile)
			if err != nil {
				return "", nil, fmt.Errorf("--tls-ca: %w", err)
			}
			config.RootCAs = x509.NewCertPool()
			if !config.RootCAs.AppendCertsFromPEM(pem) {
				return "", nil, fmt.Errorf("--tls-ca %s: holds no certificate", o.CAFile)
			}
		}
		if o.CertFile != "" || o.KeyFile != "" {
			pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
			if err != nil {
				return "", nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
			}
			config.Certificates = []tls.Certificate{pair}
		}
		return u.Host, credentials.NewTLS(config), nil
	}
	return "", nil, fmt.Errorf("--server %q: scheme %q is not known; allowed: grpc, grpc+tls", o.Server, u.Scheme)
}

// Close ends the session and the connections.
func (c *Client) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	// The server drops the session by itself when nobody uses it; closing is a courtesy, so its error is of no use.
	_, _ = c.sql.CloseSession(c.outgoing(ctx), &flight.CloseSessionRequest{})
	var faults []error
	for _, w := range c.workers {
		faults = append(faults, w.Close())
	}
	return errors.Join(append(faults, c.sql.Close())...)
}

func (c *Client) outgoing(ctx context.Context) context.Context {
	if c.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", c.token)
}

// adopt keeps the token of a fresh anonymous session, which the server gives in its first reply.
func (c *Client) adopt(header metadata.MD) {
	if v := header.Get("authorization"); c.token == "" && len(v) > 0 {
		c.token = v[0]
	}
}

// A Writer takes a result batch by batch. Schema comes first, then any number of batches, then Finish; Finish is called
// on success only.
type Writer interface {
	Schema(*arrow.Schema) error
	Batch(arrow.RecordBatch) error
	Finish() error
}

// Run executes a statement and writes its result to w. progress is told 0 … 1 while the query runs, and may be nil.
func (c *Client) Run(ctx context.Context, statement string, w Writer, progress func(float64)) (rows int64, _ error) {
	info, err := c.submit(ctx, statement, progress)
	if err != nil {
		return 0, err
	}
	defer func() {
		if ctx.Err() != nil {
			c.cancel(info)
		}
	}()
	schemaSent := false
	for _, e := range info.Endpoint {
		n, err := c.read(ctx, e, w, &schemaSent)
		rows += n
		if err != nil {
			return rows, err
		}
	}
	if !schemaSent && len(info.Schema) > 0 {
		schema, err := flight.DeserializeSchema(info.Schema, nil)
		if err != nil {
			return rows, fmt.Errorf("read the result's schema: %w", err)
		}
		if err := w.Schema(schema); err != nil {
			return rows, err
		}
	}
	return rows, w.Finish()
}

// submit polls until the query's endpoints are complete.
func (c *Client) submit(ctx context.Context, statement string, progress func(float64)) (*flight.FlightInfo, error) {
	var retry *flight.FlightDescriptor
	for {
		var header metadata.MD
		poll, err := c.sql.ExecutePoll(c.outgoing(ctx), statement, retry, grpc.Header(&header))
		if err != nil {
			if ctx.Err() != nil && retry != nil {
				c.cancel(&flight.FlightInfo{FlightDescriptor: retry})
			}
			return nil, err
		}
		c.adopt(header)
		if progress != nil && poll.Progress != nil {
			progress(*poll.Progress)
		}
		if poll.FlightDescriptor == nil {
			return poll.Info, nil
		}
		retry = poll.FlightDescriptor
	}
}

func (c *Client) cancel(info *flight.FlightInfo) {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	// The query also ends by itself when nobody reads it; the user already knows that it was cancelled.
	_, _ = c.sql.CancelFlightInfo(c.outgoing(ctx), &flight.CancelFlightInfoRequest{Info: info})
}

func (c *Client) read(ctx context.Context, e *flight.FlightEndpoint, w Writer, schemaSent *bool) (rows int64, _ error) {
	source, err := c.sourceOf(e)
	if err != nil {
		return 0, err
	}
	stream, err := source.DoGet(c.outgoing(ctx), e.Ticket)
	if err != nil {
		return 0, err
	}
	reader, err := flight.NewRecordReader(stream)
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	if !*schemaSent {
		if err := w.Schema(reader.Schema()); err != nil {
			return 0, err
		}
		*schemaSent = true
	}
	for reader.Next() {
		batch := reader.RecordBatch()
		rows += batch.NumRows()
		if err := w.Batch(batch); err != nil {
			return rows, err
		}
	}
	if err := reader.Err(); err != nil && !errors.Is(err, io.EOF) {
		return rows, err
	}
	return rows, nil
}

// sourceOf picks the first location it can reach; none, or the reuse marker, is the server itself.
func (c *Client) sourceOf(e *flight.FlightEndpoint) (flight.Client, error) {
	for _, l := range e.Location {
		scheme, address, _ := strings.Cut(l.Uri, "://")
		switch scheme {
		case "arrow-flight-reuse-connection":
			return c.sql.Client, nil
		case "grpc", "grpc+tcp", "grpc+tls":
			if known := c.workers[address]; known != nil {
				return known, nil
			}
			limits := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax))
			worker, err := flight.NewClientWithMiddleware(address, nil, nil, c.dial, limits)
			if err != nil {
				return nil, fmt.Errorf("connect to %s: %w", l.Uri, err)
			}
			c.workers[address] = worker
			return worker, nil
		}
	}
	return c.sql.Client, nil
}
