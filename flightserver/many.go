package flightserver

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A query with several bound rows is executed once for each, in their order, and its result is all the rows one after the
// other, as ADBC wants it. There is one endpoint, whose ticket is the command itself: the executions happen while it is read,
// so that only one at a time holds anything.

// manyInfo describes such a result.
func (s *Server) manyInfo(ctx context.Context, d *wire.FlightDescriptor, p *openStatement) (*wire.FlightInfo, error) {
	schema, err := s.manySchema(ctx, p)
	if err != nil {
		return nil, err
	}
	handle, err := s.sign(preparedHandle, p.owner, pack(p.id, p.binding.number))
	if err != nil {
		return nil, err
	}
	ticket, err := packCommand(&wire.CommandPreparedStatementQuery{PreparedStatementHandle: handle})
	if err != nil {
		return nil, err
	}
	return &wire.FlightInfo{Schema: s.serialize(schema), FlightDescriptor: echo(d), Ordered: true, TotalRecords: -1, TotalBytes: -1,
		Endpoint: []*wire.FlightEndpoint{{Ticket: &wire.Ticket{Ticket: ticket}}}}, nil
}

// manySchema is the schema of each execution: that of the first row, for all rows have the same types. Only planning with the
// values tells it, as a parameter may be a column of the result; what planning started is ended at once.
func (s *Server) manySchema(ctx context.Context, p *openStatement) (*arrow.Schema, error) {
	if p.binding != nil && p.rows() == 0 {
		return p.dataset, nil
	}
	e := p.execution(0)
	defer e.release()
	e.once = true
	if p.isUpdate {
		return nil, qerr.New(qerr.User, "the statement gives no rows: send several rows of parameters with CommandPreparedStatementUpdate")
	}
	q, _, err := s.submit(ctx, e)
	if err != nil {
		return nil, err
	}
	q.Cancel(qerr.New(qerr.Cancelled, "only the schema was wanted; the rows come when the result is read"))
	return q.Schema(), nil
}

// A manyReader executes a statement for each bound row and reads the results one after the other. It owns p. Unlike other
// readers it must not be closed while Next runs.
type manyReader struct {
	server *Server
	p      *openStatement
	schema *arrow.Schema
	row    int64

	query     Query
	endpoints []coordinator.Endpoint
	current   flightx.Reader
	err       error
}

func (s *Server) openMany(ctx context.Context, p *openStatement) (*manyReader, error) {
	schema, err := s.manySchema(ctx, p)
	if err != nil {
		p.close()
		return nil, err
	}
	return &manyReader{server: s, p: p, schema: schema}, nil
}

// Schema implements flightx.Reader.
func (r *manyReader) Schema() *arrow.Schema { return r.schema }

// Next implements flightx.Reader.
func (r *manyReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	for r.err == nil {
		if r.current != nil {
			batch, err := r.current.Next(ctx)
			if err == nil {
				return batch, nil
			}
			if !errors.Is(err, io.EOF) {
				r.err = err
				break
			}
			r.err = r.current.Close()
			r.current = nil
			continue
		}
		r.err = r.advance(ctx)
	}
	return nil, r.err
}

// advance opens the next endpoint, of the running execution or of the next one; io.EOF when there is none.
func (r *manyReader) advance(ctx context.Context) error {
	if len(r.endpoints) == 0 {
		rows := r.p.rows()
		if r.p.binding == nil {
			rows = 1 // A statement without parameters runs once.
		}
		if r.row >= rows {
			return io.EOF
		}
		e := r.p.execution(r.row)
		defer e.release()
		e.once = true
		q, state, err := r.server.run(ctx, e)
		if err != nil {
			return err
		}
		r.row++
		r.query, r.endpoints = q, state.Endpoints
		return nil
	}
	next, err := r.server.cfg.Queries.Open(ctx, r.endpoints[0].Ticket, r.p.owner.subject)
	if err != nil {
		return err
	}
	r.endpoints = r.endpoints[1:]
	r.current = next
	if !next.Schema().Equal(r.schema) {
		return qerr.New(qerr.Internal, "execution %d of the statement has another schema than the first", r.row)
	}
	return nil
}

// Close implements flightx.Reader.
func (r *manyReader) Close() error {
	if r.p == nil {
		return nil
	}
	var err error
	if r.current != nil {
		err = r.current.Close()
		r.current = nil
	}
	if r.query != nil && !errors.Is(r.err, io.EOF) {
		r.query.Cancel(qerr.New(qerr.Cancelled, "the reader closed the result"))
	}
	r.p.close()
	r.p = nil
	return err
}
