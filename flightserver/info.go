package flightserver

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// descriptorEchoBytesMax is up to which size a descriptor comes back in its FlightInfo: nobody needs it, and a statement may
// have megabytes.
const descriptorEchoBytesMax = 64 << 10

// GetFlightInfo runs a statement, or answers where a metadata command's rows are.
func (s *Server) GetFlightInfo(ctx context.Context, d *wire.FlightDescriptor) (*wire.FlightInfo, error) {
	command, err := descriptorCommand(d)
	if err != nil {
		return nil, err
	}
	if schema, ok := metadataSchema(command); ok {
		return s.metadataInfo(d, schema), nil
	}
	c := callerOf(ctx)
	if m, ok := command.(*wire.TicketStatementQuery); ok {
		return s.waitPolled(ctx, c, d, m.GetStatementHandle())
	}
	info, passed, err := askHome(ctx, s, command, func(ctx context.Context, there wire.FlightServiceClient) (*wire.FlightInfo, error) {
		return there.GetFlightInfo(ctx, d)
	})
	if passed || err != nil {
		return info, err
	}
	switch m := command.(type) {
	case *wire.CommandStatementQuery:
		e, err := s.statement(c, m.GetQuery(), m.GetTransactionId())
		if err != nil {
			return nil, err
		}
		return s.execute(ctx, d, e)
	case *wire.CommandPreparedStatementQuery:
		p, err := s.openPrepared(c, m.GetPreparedStatementHandle())
		if err != nil {
			return nil, err
		}
		defer p.close()
		if p.rows() != 1 && p.binding != nil {
			return s.manyInfo(ctx, d, p)
		}
		e := p.execution(0)
		defer e.release()
		return s.execute(ctx, d, e)
	case *wire.CommandStatementSubstraitPlan:
		return nil, unsupportedSubstrait()
	}
	return nil, notHere(command, "GetFlightInfo")
}

// GetSchema tells what a statement or a metadata command would answer with, without running it.
func (s *Server) GetSchema(ctx context.Context, d *wire.FlightDescriptor) (*wire.SchemaResult, error) {
	command, err := descriptorCommand(d)
	if err != nil {
		return nil, err
	}
	schema, ok := metadataSchema(command)
	if ok {
		return &wire.SchemaResult{Schema: s.serialize(schema)}, nil
	}
	c := callerOf(ctx)
	if m, ok := command.(*wire.TicketStatementQuery); ok {
		return s.polledSchema(ctx, c, d, m.GetStatementHandle())
	}
	result, passed, err := askHome(ctx, s, command, func(ctx context.Context, there wire.FlightServiceClient) (*wire.SchemaResult, error) {
		return there.GetSchema(ctx, d)
	})
	if passed || err != nil {
		return result, err
	}
	switch m := command.(type) {
	case *wire.CommandStatementQuery:
		e, err := s.statement(c, m.GetQuery(), m.GetTransactionId())
		if err != nil {
			return nil, err
		}
		if schema, err = s.resultSchema(ctx, e); err != nil {
			return nil, err
		}
	case *wire.CommandPreparedStatementQuery:
		p, err := s.openPrepared(c, m.GetPreparedStatementHandle())
		if err != nil {
			return nil, err
		}
		defer p.close()
		// As prepared; a value bound to a parameter that is a column of the result may change its type, which the
		// FlightInfo tells.
		schema = p.dataset
	case *wire.CommandStatementSubstraitPlan:
		return nil, unsupportedSubstrait()
	default:
		return nil, notHere(command, "GetSchema")
	}
	return &wire.SchemaResult{Schema: s.serialize(schema)}, nil
}

// notHere refuses a command that the protocol does not define for this call.
func notHere(command proto.Message, call string) error {
	return qerr.New(qerr.User, "%s does not take the command %s", call, command.ProtoReflect().Descriptor().Name())
}

func (s *Server) serialize(schema *arrow.Schema) []byte {
	if schema == nil {
		schema = arrow.NewSchema(nil, nil)
	}
	return flight.SerializeSchema(schema, s.mem)
}

// queryInfo describes a query as far as it is known. Its app metadata is the query's id, as KILL and sys.queries have it.
func (s *Server) queryInfo(d *wire.FlightDescriptor, q Query, state coordinator.QueryState) *wire.FlightInfo {
	info := &wire.FlightInfo{Schema: s.serialize(q.Schema()), FlightDescriptor: echo(d), Ordered: q.Ordered(),
		TotalRecords: -1, TotalBytes: -1, AppMetadata: []byte(q.ID())}
	var rows, bytes int64
	for _, e := range state.Endpoints {
		info.Endpoint = append(info.Endpoint, endpointInfo(e))
		rows, bytes = add(rows, e.Rows), add(bytes, e.Bytes)
	}
	if state.Complete && state.Err == nil {
		info.TotalRecords, info.TotalBytes = rows, bytes
	}
	return info
}

// endpointInfo is an endpoint on the wire. Its expiration time says that it can be read again until then.
func endpointInfo(e coordinator.Endpoint) *wire.FlightEndpoint {
	endpoint := &wire.FlightEndpoint{Ticket: &wire.Ticket{Ticket: e.Ticket}}
	for _, uri := range e.Locations {
		endpoint.Location = append(endpoint.Location, &wire.Location{Uri: uri})
	}
	if !e.Expires.IsZero() {
		endpoint.ExpirationTime = timestamppb.New(e.Expires)
	}
	return endpoint
}

// add adds two counts of which each may be unknown.
func add(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

func echo(d *wire.FlightDescriptor) *wire.FlightDescriptor {
	if proto.Size(d) > descriptorEchoBytesMax {
		return nil
	}
	return d
}
