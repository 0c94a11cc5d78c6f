package flightserver

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// DoGet streams what a ticket names: a metadata command's rows, or a stream of a query, wherever in the cluster it is. When
// the client goes away the stream's reader is closed, which ends its part of the query.
func (s *Server) DoGet(ticket *wire.Ticket, stream wire.FlightService_DoGetServer) (err error) {
	ctx := stream.Context()
	command, _, err := parseCommand(ticket.GetTicket())
	if err != nil {
		return err
	}
	if command != nil { // rows that the session has a part in
		if passed, err := s.atHome(ctx, s.sessionOf(callerOf(ctx), command), false, func(ctx context.Context, there wire.FlightServiceClient) error {
			return relayed(ctx, ticket, there.DoGet, stream.Send)
		}); passed || err != nil {
			return err
		}
	}
	r, err := s.open(ctx, ticket.GetTicket(), command)
	if err != nil {
		return err
	}
	defer func() {
		// A reader that ended in an error says so again; the first one is what the client should see.
		if closeErr := r.Close(); err == nil {
			err = closeErr
		}
	}()
	return flightx.Send(ctx, stream, r, flightx.MessageBytesMax)
}

// open opens what a ticket names; command is what it holds, nil for a stream of a query.
func (s *Server) open(ctx context.Context, ticket []byte, command proto.Message) (flightx.Reader, error) {
	if len(ticket) == 0 {
		return nil, qerr.New(qerr.User, "the ticket is empty")
	}
	c := callerOf(ctx)
	if command == nil {
		return s.cfg.Queries.Open(ctx, ticket, c.subject)
	}
	if _, ok := metadataSchema(command); ok {
		return s.openMetadata(ctx, command)
	}
	if m, ok := command.(*wire.CommandPreparedStatementQuery); ok {
		p, err := s.openPrepared(c, m.GetPreparedStatementHandle())
		if err != nil {
			return nil, err
		}
		return s.openMany(ctx, p)
	}
	return nil, notHere(command, "DoGet")
}

// openMetadata answers a metadata command by one batch.
func (s *Server) openMetadata(ctx context.Context, command proto.Message) (flightx.Reader, error) {
	schema, _ := metadataSchema(command)
	batch, err := s.metadata(ctx, command)
	if err != nil {
		return nil, err
	}
	if batch == nil {
		return flightx.Batches(schema), nil
	}
	if !batch.Schema().Equal(schema) {
		batch.Release()
		return nil, qerr.New(qerr.Internal, "the answer to %s has the wrong schema", command.ProtoReflect().Descriptor().Name())
	}
	return flightx.Batches(schema, []arrow.RecordBatch{batch}...), nil
}

// DoExchange is part of Flight but not of Flight SQL, which has a way for each direction.
func (s *Server) DoExchange(wire.FlightService_DoExchangeServer) error {
	return qerr.New(qerr.Unsupported, "DoExchange has no meaning in Flight SQL: read by GetFlightInfo and DoGet, "+
		"send parameters and rows by DoPut, both at once on two streams of one connection")
}
