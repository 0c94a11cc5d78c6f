package flightx

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

func TestAStreamArrivesAsItWasSent(t *testing.T) {
	mem := checked(t)
	batch := sample(mem, 50_000)
	defer batch.Release()
	keys := auth.GenerateKeyring()
	address := serve(t, func(ticket *flight.Ticket, stream flight.FlightService_DoGetServer) error {
		headers, _ := metadata.FromIncomingContext(stream.Context())
		if string(ticket.Ticket) != "a ticket" || headers.Get("authorization")[0] != "Bearer t" {
			return status.Error(codes.InvalidArgument, "the ticket or the token did not arrive")
		}
		if err := keys.VerifyCredential(headers.Get(auth.CredentialHeader)[0], time.Now()); err != nil {
			return err
		}
		batch.Retain()
		r := Batches(batch.Schema(), batch)
		defer func() { _ = r.Close() }()
		return Send(stream.Context(), stream, r, MessageBytesMax)
	})
	pool := clients(t, keys)
	ctx := WithBearer(context.Background(), "t")
	for range 2 {
		r, err := pool.Open(ctx, address, false, []byte("a ticket"))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Schema().Equal(batch.Schema()) {
			t.Errorf("schema %v", r.Schema())
		}
		got := drain(ctx, t, r)
		sameRows(t, batch, got)
		release(got)
		if _, err := r.Next(ctx); !AtEnd(err) {
			t.Errorf("after the end: %v", err)
		}
		_ = r.Close()
		_ = r.Close()
	}
	if n := len(pool.conns); n != 1 {
		t.Errorf("%d connections to one address", n)
	}
}

// TestStockClientsUnderstandTheCodec reads with arrow-go's own client and gRPC's default limits.
func TestStockClientsUnderstandTheCodec(t *testing.T) {
	mem := checked(t)
	batch := sample(mem, 50_000)
	defer batch.Release()
	address := serve(t, func(_ *flight.Ticket, stream flight.FlightService_DoGetServer) error {
		batch.Retain()
		return Send(stream.Context(), stream, Batches(batch.Schema(), batch), MessageBytesMax)
	})
	client, err := flight.NewClientWithMiddleware(address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	stream, err := client.DoGet(context.Background(), &flight.Ticket{Ticket: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := flight.NewRecordReader(stream)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var got []arrow.RecordBatch
	for r.Next() {
		r.RecordBatch().Retain()
		got = append(got, r.RecordBatch())
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	sameRows(t, batch, got)
	release(got)
}

func TestErrorsKeepTheirKind(t *testing.T) {
	producer := ids.TaskKey{Query: "q", Stage: 1, Task: 2, Attempt: 3}
	address := serve(t, func(ticket *flight.Ticket, stream flight.FlightService_DoGetServer) error {
		fault := &qerr.Error{Kind: qerr.FetchFailed, Msg: "lost", Producer: producer}
		switch string(ticket.Ticket) {
		case "before":
			return grpcerr.ToStatus(fault)
		case "nothing":
			return nil
		case "panic":
			panic("a bug with a secret") //nolint:forbidigo // what the interceptors are for
		}
		batch := sample(checked(t), 10)
		if err := Send(stream.Context(), stream, Batches(batch.Schema(), batch), MessageBytesMax); err != nil {
			return err
		}
		return grpcerr.ToStatus(fault)
	})
	pool := clients(t, nil)
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		wantKind(t, err, qerr.FetchFailed)
		if e, ok := err.(*qerr.Error); !ok || e.Producer != producer { //nolint:errorlint // the type is what is tested
			t.Errorf("the producer was lost: %#v", err)
		}
	}
	_, err := pool.Open(ctx, address, false, []byte("before"))
	check(err)
	r, err := pool.Open(ctx, address, false, []byte("after"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	batch, err := r.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	batch.Release()
	for range 2 {
		_, err = r.Next(ctx)
		check(err)
	}
	_, err = pool.Open(ctx, address, false, []byte("nothing"))
	wantKind(t, err, qerr.Internal)
	_, err = pool.Open(ctx, address, false, []byte("panic"))
	wantKind(t, err, qerr.Internal)
	if e := err.Error(); len(e) == 0 || containsSecret(e) {
		t.Errorf("a panic tells the client %q", e)
	}
	_, err = pool.Open(ctx, "127.0.0.1:1", false, []byte("x"))
	wantKind(t, err, qerr.Unavailable)
}

func containsSecret(s string) bool {
	for i := range s {
		if len(s[i:]) >= 6 && s[i:i+6] == "secret" {
			return true
		}
	}
	return false
}

func TestCancelAndCloseEndBothSides(t *testing.T) {
	mem := checked(t)
	batch := sample(mem, 5000)
	defer batch.Release()
	ended := make(chan error, 1)
	address := serve(t, func(_ *flight.Ticket, stream flight.FlightService_DoGetServer) error {
		err := Send(stream.Context(), stream, endless{batch}, MessageBytesMax)
		ended <- err
		return grpcerr.ToStatus(err)
	})
	pool := clients(t, nil)
	for name, end := range map[string]func(cancel context.CancelCauseFunc, r Reader){
		"cancel": func(cancel context.CancelCauseFunc, _ Reader) { cancel(qerr.New(qerr.Deadline, "enough")) },
		"close":  func(_ context.CancelCauseFunc, r Reader) { _ = r.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			r, err := pool.Open(ctx, address, false, []byte("x"))
			if err != nil {
				t.Fatal(err)
			}
			first, err := r.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			first.Release()
			end(cancel, r)
			for err == nil {
				var b arrow.RecordBatch
				if b, err = r.Next(ctx); err == nil {
					b.Release()
				}
			}
			want := qerr.Cancelled
			if name == "cancel" {
				want = qerr.Deadline
			}
			wantKind(t, err, want)
			wantKind(t, <-ended, qerr.Cancelled)
			_ = r.Close()
		})
	}
}

func TestNextObeysItsOwnContext(t *testing.T) {
	blocked := make(chan struct{})
	address := serve(t, func(_ *flight.Ticket, stream flight.FlightService_DoGetServer) error {
		batch := sample(checked(t), 1)
		err := Send(stream.Context(), stream, Batches(batch.Schema(), batch), MessageBytesMax)
		close(blocked)
		<-stream.Context().Done()
		return err
	})
	pool := clients(t, nil)
	r, err := pool.Open(context.Background(), address, false, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	batch, err := r.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	batch.Release()
	<-blocked
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(cancel)
	_, err = r.Next(ctx)
	wantKind(t, err, qerr.Cancelled)
	group.Wait()
	_ = r.Close()
}

// endless yields one batch for ever.
type endless struct{ batch arrow.RecordBatch }

func (e endless) Schema() *arrow.Schema { return e.batch.Schema() }
func (e endless) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	e.batch.Retain()
	return e.batch, nil
}
func (e endless) Close() error { return nil }

func TestBadPutsAndPanicsDoNotEndTheServer(t *testing.T) {
	address := serve(t, func(*flight.Ticket, flight.FlightService_DoGetServer) error { return nil })
	pool := clients(t, nil)
	conn, err := pool.Conn(address, false)
	if err != nil {
		t.Fatal(err)
	}
	client := flight.NewFlightServiceClient(conn)
	put, err := client.DoPut(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := put.Send(&flight.FlightData{DataHeader: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	_, err = put.Recv()
	wantKind(t, grpcerr.FromStatus(err), qerr.User)
	put, err = client.DoPut(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := put.Send(&flight.FlightData{FlightDescriptor: &flight.FlightDescriptor{Type: flight.DescriptorCMD}}); err != nil {
		t.Fatal(err)
	}
	if _, err = put.Recv(); !AtEnd(err) {
		t.Fatalf("a good put: %v", err)
	}
	_, err = client.GetFlightInfo(context.Background(), &flight.FlightDescriptor{})
	wantKind(t, grpcerr.FromStatus(err), qerr.Internal)
}

func TestClientsSpeakTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	batch := sample(checked(t), 10)
	defer batch.Release()
	address := serve(t, func(_ *flight.Ticket, stream flight.FlightService_DoGetServer) error {
		batch.Retain()
		return Send(stream.Context(), stream, Batches(batch.Schema(), batch), MessageBytesMax)
	}, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})))
	pool := NewClients(ClientConfig{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
	defer func() { _ = pool.Close() }()
	r, err := pool.Open(context.Background(), address, true, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	got := drain(context.Background(), t, r)
	sameRows(t, batch, got)
	release(got)
	_ = r.Close()
	// Without trust in its certificate, and without TLS.
	_, err = clients(t, nil).Open(context.Background(), address, true, []byte("x"))
	wantKind(t, err, qerr.Unavailable)
	_, err = clients(t, nil).Open(context.Background(), address, false, []byte("x"))
	wantKind(t, err, qerr.Unavailable)
}

// selfSigned makes a certificate for 127.0.0.1 and the roots that trust it.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func TestClosedClientsRefuse(t *testing.T) {
	pool := clients(t, nil)
	pool.Drop("nowhere:1")
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := pool.Open(context.Background(), "127.0.0.1:1", false, nil)
	wantKind(t, err, qerr.Unavailable)
}
