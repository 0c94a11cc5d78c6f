package flightserver

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/auth"
	membership "github.com/arbalest-sql/arbalest/internal/cluster/memory"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// fixture is a server on loopback over fakeQueries.
type fixture struct {
	*Server
	fake *fakeQueries
	grpc *grpc.Server
	addr string
}

var ordersTable = &table.Table{
	Name: table.Name{Catalog: "arbalest", Schema: "main", Table: "orders"},
	Columns: []table.Column{
		{Name: "id", Type: table.Of(table.BigInt)}, {Name: "price", Type: table.DecimalOf(15, 2)}, {Name: "note", Type: table.Of(table.Varchar)},
		{Name: "at", Type: table.Of(table.TimestampTZ)}, {Name: "key", Type: table.Of(table.UUID)},
		{Name: "tags", Type: table.Type{ID: table.List, Fields: []table.Field{{Type: table.Of(table.Varchar)}}}},
	},
}

func testDrivers() []driver.Driver {
	name := func(c, s, t string) table.Name { return table.Name{Catalog: c, Schema: s, Table: t} }
	ok := func(n table.Name) func() (*table.Table, error) {
		return func() (*table.Table, error) {
			t := *ordersTable
			t.Name = n
			return &t, nil
		}
	}
	main := map[table.Name]func() (*table.Table, error){}
	for _, n := range []string{"orders", "order_items", "orderXitems", "100%"} {
		main[name("arbalest", "main", n)] = ok(name("arbalest", "main", n))
	}
	main[name("arbalest", "main", "corrupt")] = func() (*table.Table, error) { return nil, qerr.New(qerr.IO, "corrupt.parquet is truncated") }
	lake := map[table.Name]func() (*table.Table, error){name("lake", "raw", "orders"): ok(name("lake", "raw", "orders"))}
	return []driver.Driver{&memoryDriver{"arbalest", main}, &memoryDriver{"lake", lake}}
}

// start runs a server; change may alter its configuration.
func start(t testing.TB, change func(*Config)) *fixture {
	t.Helper()
	return startWith(t, change)
}

// startWith is start with further options of the gRPC server.
func startWith(t testing.TB, change func(*Config), options ...grpc.ServerOption) *fixture {
	t.Helper()
	keys := auth.GenerateKeyring()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	tables, err := catalog.New(testDrivers()...)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{fake: newFakeQueries(keys, mem)}
	cfg := Config{Queries: f.fake, Catalog: tables, Keys: keys, PollWaitMax: 20 * time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	if f.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = listener.Addr().String()
	g := grpc.NewServer(append(f.ServerOptions(), options...)...)
	f.Register(g)
	healthpb.RegisterHealthServer(g, health.NewServer())
	membership.New(membership.Config{Keys: keys, Log: zerolog.Nop()}).Register(g)
	reflection.Register(g)
	f.grpc = g
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	t.Cleanup(func() {
		g.Stop()
		<-served
		f.Server.Close()
		if u := f.Usage(); u != (Usage{}) {
			t.Errorf("a closed server holds %+v", u)
		}
		if n := f.fake.openReaders(); n != 0 {
			t.Errorf("%d readers were left open", n)
		}
		_ = tables.Close()
		collected(t, mem)
	})
	return f
}

// collected holds that all memory was given back. Batches in messages that gRPC dropped unsent are given back when those are
// collected as garbage (flightx), which is soon, but not at once.
func collected(t testing.TB, mem *memory.CheckedAllocator) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); mem.CurrentAlloc() > 0 && time.Now().Before(end); runtime.Gosched() {
		runtime.GC()
	}
	mem.AssertSize(t, 0)
}

// client is a flightsql client that keeps what the server says of its session, as drivers do, unless bare is set.
func (f *fixture) client(t testing.TB, middleware ...flight.ClientMiddleware) *flightsql.Client {
	t.Helper()
	c, err := flightsql.NewClient(f.addr, nil, middleware, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// session is a client that keeps its cookie.
func (f *fixture) session(t testing.TB) *flightsql.Client {
	t.Helper()
	return f.client(t, flight.CreateClientMiddleware(flight.NewCookieMiddleware()))
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// read reads all endpoints and checks that each has the announced schema. It returns the batches; the test's end releases them.
func read(t testing.TB, c *flightsql.Client, info *flight.FlightInfo) []arrow.RecordBatch {
	t.Helper()
	schema, err := flight.DeserializeSchema(info.GetSchema(), memory.DefaultAllocator)
	if err != nil {
		t.Fatalf("schema of the info: %v", err)
	}
	var all []arrow.RecordBatch
	for _, e := range info.GetEndpoint() {
		r, err := c.DoGet(testContext(t), e.GetTicket())
		if err != nil {
			t.Fatal(err)
		}
		if !r.Schema().Equal(schema) {
			t.Errorf("announced %v, got %v", schema, r.Schema())
		}
		for r.Next() {
			b := r.RecordBatch()
			b.Retain()
			t.Cleanup(b.Release)
			all = append(all, b)
		}
		if err := r.Err(); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		r.Release()
	}
	return all
}

// query runs a statement and reads its first column as integers.
func query(t testing.TB, c *flightsql.Client, sql string) []int64 {
	t.Helper()
	info, err := c.Execute(testContext(t), sql)
	if err != nil {
		t.Fatal(err)
	}
	return integers(read(t, c, info))
}

func integers(batches []arrow.RecordBatch) []int64 {
	var all []int64
	for _, b := range batches {
		all = append(all, b.Column(0).(*array.Int64).Int64Values()...)
	}
	return all
}

func texts(batches []arrow.RecordBatch, column int) []string {
	var all []string
	for _, b := range batches {
		for i := range int(b.NumRows()) {
			all = append(all, b.Column(column).ValueStr(i))
		}
	}
	return all
}

func wantCode(t testing.TB, err error, code codes.Code) {
	t.Helper()
	if status.Code(err) != code {
		t.Errorf("got %v, want %v", err, code)
	}
}

// eventually waits until a condition holds that another goroutine brings about.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
