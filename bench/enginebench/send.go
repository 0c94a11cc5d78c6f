package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/worker/exchange"
)

// stockRows is the size of the baseline's batches.
const stockRows = 64 << 10

// outputKey names the one output that is served.
var outputKey = ids.TaskKey{Query: "bench"}

// A sender serves lineitem in one of two forms.
type sender struct {
	flight.BaseFlightServer
	serve func(stream flight.FlightService_DoGetServer, ticket []byte) error
}

func (s *sender) DoGet(t *flight.Ticket, stream flight.FlightService_DoGetServer) error {
	return s.serve(stream, t.GetTicket())
}

// sent is what send prints when it serves: two addresses, and the bytes of lineitem in each form.
type sent struct {
	Exchange, Stock           string
	ExchangeBytes, StockBytes int64
	Rows                      int64
}

// send keeps lineitem as an exchange's sink left it, and as batches of 64 k rows in the same types, and serves both until standard
// input ends.
func send(ctx context.Context, data string) error {
	e, err := openEngine(data, 2)
	if err != nil {
		return err
	}
	defer e.Close()
	columns, from := lineitem(data)
	schema := arrowtype.WireSchema(typesOf(columns))
	store, stats, err := keep(ctx, e, schema, columns, from)
	if err != nil {
		return err
	}
	defer store.Close()
	defer store.Drop(outputKey)
	batches, bytes, err := prebuilt(ctx, e, columns, from)
	if err != nil {
		return err
	}
	ours, stopOurs, err := listen(&sender{serve: func(stream flight.FlightService_DoGetServer, ticket []byte) error {
		reader, err := store.Open(outputKey, partitionsOf(ticket))
		if err != nil {
			return err
		}
		defer func() { _ = reader.Close() }()
		return flightx.Send(stream.Context(), stream, reader, flightx.LinkMessageBytesMax)
	}}, flightx.ServerOptions(zerolog.Nop())...)
	if err != nil {
		return err
	}
	defer stopOurs()
	stock, stopStock, err := listen(&sender{serve: func(stream flight.FlightService_DoGetServer, _ []byte) error {
		w := flight.NewRecordWriter(stream, ipc.WithSchema(schema))
		defer w.Close()
		for _, b := range batches {
			if err := w.Write(b); err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return err
	}
	defer stopStock()
	if err := print(sent{ours, stock, int64(stats.Bytes), bytes, int64(stats.Rows)}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// keep runs the scatter into a store, as a worker does.
func keep(ctx context.Context, e *duck.Engine, schema *arrow.Schema, columns []table.Column, from string) (*exchange.Store, exchange.Stats, error) {
	store, err := exchange.OpenStore(exchange.Config{BytesMax: memoryBytes})
	if err != nil {
		return nil, exchange.Stats{}, err
	}
	output, err := store.Begin(outputKey, schema, partitions, false)
	if err != nil {
		return nil, exchange.Stats{}, err
	}
	if err := e.PartitionTo(ctx, duck.Job{SQL: partitioned(columns, from), Columns: columns}, partitions, output.Put); err != nil {
		return nil, exchange.Stats{}, err
	}
	stats, err := output.Commit()
	return store, stats, err
}

// prebuilt are the baseline's batches: slices of 64 k rows would share buffers, so they are made in one partition, which gives
// batches of that size.
func prebuilt(ctx context.Context, e *duck.Engine, columns []table.Column, from string) (batches []arrow.RecordBatch, bytes int64, err error) {
	out, err := e.Partition(ctx, duck.Job{SQL: "SELECT " + strings.Join(names(columns), ", ") + from, Columns: columns}, 1)
	if err != nil {
		return nil, 0, err
	}
	for _, b := range out.Batches(0) {
		if b.NumRows() > 2*stockRows {
			return nil, 0, fmt.Errorf("a prebuilt batch has %d rows", b.NumRows())
		}
	}
	return out.Batches(0), out.Bytes(0), nil
}

func typesOf(columns []table.Column) []table.Type {
	types := make([]table.Type, len(columns))
	for i, c := range columns {
		types[i] = c.Type
	}
	return types
}

// partitionsOf reads a ticket: numbers with commas between.
func partitionsOf(ticket []byte) (all []uint32) {
	for _, text := range strings.Split(string(ticket), ",") {
		if n, err := strconv.ParseUint(text, 10, 32); err == nil {
			all = append(all, uint32(n))
		}
	}
	return all
}

func listen(s *sender, options ...grpc.ServerOption) (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer(options...)
	flight.RegisterFlightServiceServer(server, s)
	go func() { _ = server.Serve(l) }()
	return l.Addr().String(), server.Stop, nil
}
