package flightx

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/auth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a Flight server whose DoGet is get, and returns its address; the test's end stops it.
func serve(t *testing.T, get func(*flight.Ticket, flight.FlightService_DoGetServer) error, options ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(append(ServerOptions(zerolog.Nop()), options...)...)
	flight.RegisterFlightServiceServer(server, &testService{get: get})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return listener.Addr().String()
}

type testService struct {
	flight.BaseFlightServer
	get func(*flight.Ticket, flight.FlightService_DoGetServer) error
}

func (s *testService) DoGet(t *flight.Ticket, stream flight.FlightService_DoGetServer) error {
	return s.get(t, stream)
}

func (s *testService) DoPut(stream flight.FlightService_DoPutServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	_ = first.FlightDescriptor.Type // what arrow-go's Flight SQL server does
	return nil
}

func (s *testService) GetFlightInfo(context.Context, *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	panic("a bug") //nolint:forbidigo // what the interceptors are for
}

func clients(t *testing.T, keys *auth.Keyring) *Clients {
	t.Helper()
	c := NewClients(ClientConfig{Keys: keys})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// checked gives an allocator whose memory must all be free at the test's end, or soon after: batches of streams that ended early
// go with the next collection.
func checked(t *testing.T) *memory.CheckedAllocator {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() {
		for end := time.Now().Add(10 * time.Second); mem.CurrentAlloc() > 0 && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		mem.AssertSize(t, 0)
	})
	return mem
}

// sample makes a batch of every layout that clients see, with nulls, rows rows long.
func sample(mem memory.Allocator, rows int) arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "d", Type: &arrow.Decimal128Type{Precision: 20, Scale: 2}, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
		{Name: "t", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
			arrow.Field{Name: "y", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64), Nullable: true}), Nullable: true},
		{Name: "f", Type: arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Int16), Nullable: true},
		{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "n", Type: arrow.Null, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	text := func(i int) string { return "row " + string(rune('a'+i%26)) + string(make([]byte, i%50)) }
	for i := range rows {
		if i%7 == 3 {
			for _, f := range b.Fields() {
				f.AppendNull()
			}
			continue
		}
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.BooleanBuilder).Append(i%2 == 0)
		b.Field(2).(*array.StringBuilder).Append(text(i))
		if err := b.Field(3).(*array.Decimal128Builder).AppendValueFromString("12.34"); err != nil {
			panic(err) //nolint:forbidigo // a fault of the test itself
		}
		l := b.Field(4).(*array.ListBuilder)
		l.Append(true)
		for j := range i % 4 {
			l.ValueBuilder().(*array.StringBuilder).Append(text(i + j))
		}
		s := b.Field(5).(*array.StructBuilder)
		s.Append(true)
		s.FieldBuilder(0).(*array.Int32Builder).Append(int32(i))
		y := s.FieldBuilder(1).(*array.ListBuilder)
		y.Append(i%3 != 0)
		if i%3 != 0 {
			y.ValueBuilder().(*array.Float64Builder).AppendValues([]float64{1, 2, float64(i)}, nil)
		}
		f := b.Field(6).(*array.FixedSizeListBuilder)
		f.Append(true)
		f.ValueBuilder().(*array.Int16Builder).AppendValues([]int16{1, 2, int16(i)}, nil)
		m := b.Field(7).(*array.MapBuilder)
		m.Append(true)
		m.KeyBuilder().(*array.StringBuilder).Append(text(i))
		m.ItemBuilder().(*array.Int64Builder).Append(int64(i))
		b.Field(8).(*array.NullBuilder).AppendNull()
	}
	return b.NewRecordBatch()
}

// drain reads a stream to its end and returns its batches, which the caller owns.
func drain(ctx context.Context, t *testing.T, r Reader) []arrow.RecordBatch {
	t.Helper()
	var batches []arrow.RecordBatch
	for {
		batch, err := r.Next(ctx)
		if AtEnd(err) {
			return batches
		}
		if err != nil {
			for _, b := range batches {
				b.Release()
			}
			t.Fatal(err)
		}
		batches = append(batches, batch)
	}
}

func release(batches []arrow.RecordBatch) {
	for _, b := range batches {
		b.Release()
	}
}

// waitUntil polls a condition that becomes true soon; the collector may have to run first.
func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come true")
		}
		runtime.GC()
	}
}
