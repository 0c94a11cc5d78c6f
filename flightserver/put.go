package flightserver

import (
	"context"
	"errors"
	"io"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// DoPut runs updates and binds parameters.
func (s *Server) DoPut(raw wire.FlightService_DoPutServer) error {
	first, err := raw.Recv()
	if errors.Is(err, io.EOF) {
		return qerr.New(qerr.User, "the stream ended before its first message; want one with a flight descriptor")
	}
	if err != nil {
		return err
	}
	command, err := descriptorCommand(first.GetFlightDescriptor())
	if err != nil {
		return err
	}
	stream := &putStream{FlightService_DoPutServer: raw, first: first}
	ctx, c := raw.Context(), callerOf(raw.Context())
	if passed, err := s.atHome(ctx, s.sessionOf(c, command), false, func(ctx context.Context, there wire.FlightServiceClient) error {
		return s.relayPut(ctx, there, first, raw)
	}); passed || err != nil {
		return err
	}
	switch m := command.(type) {
	case *wire.CommandStatementUpdate:
		e, err := s.statement(c, m.GetQuery(), m.GetTransactionId())
		if err != nil {
			return err
		}
		count, err := s.update(ctx, e)
		if err != nil {
			return err
		}
		return answer(raw, &wire.DoPutUpdateResult{RecordCount: count})
	case *wire.CommandPreparedStatementQuery:
		return s.putBinding(stream, c, m.GetPreparedStatementHandle())
	case *wire.CommandPreparedStatementUpdate:
		count, err := s.putUpdate(ctx, stream, c, m.GetPreparedStatementHandle())
		if err != nil {
			return err
		}
		return answer(raw, &wire.DoPutUpdateResult{RecordCount: count})
	case *wire.CommandStatementIngest:
		count, err := s.putIngest(ctx, stream, c, m)
		if err != nil {
			return err
		}
		return answer(raw, &wire.DoPutUpdateResult{RecordCount: count})
	case *wire.CommandStatementSubstraitPlan:
		return unsupportedSubstrait()
	}
	return notHere(command, "DoPut")
}

func answer(stream wire.FlightService_DoPutServer, result proto.Message) error {
	b, err := proto.Marshal(result)
	if err != nil {
		return qerr.Wrap(qerr.Internal, "encode result", err)
	}
	return stream.Send(&wire.PutResult{AppMetadata: b})
}

// putBinding binds rows to a prepared statement and answers with the handle that names them.
func (s *Server) putBinding(stream *putStream, c caller, handle []byte) error {
	owner, body, err := s.verify(preparedHandle, c, handle)
	if err != nil {
		return err
	}
	var id uint64
	if err := unpack(body, &id); err != nil {
		return err
	}
	b, err := s.readBinding(stream)
	if err != nil {
		return err
	}
	number, err := s.sessions.bind(owner, id, b)
	if err != nil {
		return err
	}
	if handle, err = s.sign(preparedHandle, owner, pack(id, number)); err != nil {
		return err
	}
	return answer(stream, &wire.DoPutPreparedStatementResult{PreparedStatementHandle: handle})
}

// putUpdate runs a prepared statement once for each row that comes with the call, and sums what they changed. Without
// parameters it runs once.
func (s *Server) putUpdate(ctx context.Context, stream *putStream, c caller, handle []byte) (int64, error) {
	p, err := s.openPrepared(c, handle)
	if err != nil {
		return 0, err
	}
	defer p.close()
	if len(stream.first.GetDataHeader()) > 0 {
		b, err := s.readBinding(stream)
		if err != nil {
			return 0, err
		}
		defer b.release()
		if b.schema.NumFields() > 0 {
			if n := p.params.NumFields(); n != b.schema.NumFields() {
				return 0, qerr.New(qerr.User, "the statement has %d parameters, and %d were bound", n, b.schema.NumFields())
			}
			return s.updateEach(ctx, p, b)
		}
	}
	if p.binding != nil {
		return s.updateEach(ctx, p, p.binding)
	}
	return s.update(ctx, p.execution(0))
}

// updateRow runs one execution and releases it.
func (s *Server) updateRow(ctx context.Context, e execution) (int64, error) {
	defer e.release()
	return s.update(ctx, e)
}

func (s *Server) updateEach(ctx context.Context, p *openStatement, b *binding) (int64, error) {
	total := int64(0)
	for i := range b.rows {
		n, err := s.updateRow(ctx, p.executionWith(b, i))
		if err != nil {
			return total, err
		}
		total = add(total, n)
	}
	return total, nil
}
