package main

import (
	"context"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "1", Type: arrow.PrimitiveTypes.Int32, Nullable: true}}, nil)

type server struct{ flightsql.BaseServer }

// GetFlightInfoStatement hands out one endpoint for any statement.
func (s *server) GetFlightInfoStatement(_ context.Context, _ flightsql.StatementQuery, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	ticket, err := flightsql.CreateStatementQueryTicket([]byte("1"))
	if err != nil {
		return nil, err
	}
	return &flight.FlightInfo{Schema: flight.SerializeSchema(schema, memory.DefaultAllocator), FlightDescriptor: d,
		Endpoint: []*flight.FlightEndpoint{{Ticket: &flight.Ticket{Ticket: ticket}}}, TotalRecords: 1, TotalBytes: -1}, nil
}

// DoGetStatement answers with the one row.
func (s *server) DoGetStatement(context.Context, flightsql.StatementQueryTicket) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Append(1)
	column := b.NewArray()
	defer column.Release()
	out := make(chan flight.StreamChunk, 1)
	out <- flight.StreamChunk{Data: array.NewRecordBatch(schema, []arrow.Array{column}, 1)}
	close(out)
	return schema, out, nil
}

func main() {
	s := flight.NewServerWithMiddleware(nil)
	if err := s.Init("127.0.0.1:0"); err != nil {
		fmt.Fprintln(os.Stderr, "bareserver:", err)
		os.Exit(1)
	}
	s.RegisterFlightService(flightsql.NewFlightServer(&server{}))
	fmt.Println(s.Addr())
	if err := s.Serve(); err != nil {
		fmt.Fprintln(os.Stderr, "bareserver:", err)
		os.Exit(1)
	}
}
