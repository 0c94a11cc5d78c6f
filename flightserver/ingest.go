package flightserver

import (
	"cmp"
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// ingestBatchBytesMax bounds one batch of an ingest once it is decoded: a compressed one says by itself how large it becomes. Ten of
// the messages that the server takes.
const ingestBatchBytesMax = 640 << 20

// ingestBatchRowsMax bounds its rows, as columns of nulls take no bytes: a message full of single bytes has as many.
const ingestBatchRowsMax = 64 << 20

// putIngest writes the rows of a stream into a temporary table.
func (s *Server) putIngest(ctx context.Context, stream *putStream, c caller, m *wire.CommandStatementIngest) (int64, error) {
	in, err := ingestOf(m)
	if err != nil {
		return 0, err
	}
	if len(stream.first.GetDataHeader()) == 0 {
		return 0, qerr.New(qerr.User, "the stream's first message has no schema of the rows to write")
	}
	e := execution{caller: c, sql: "INGEST INTO " + m.GetTable()}
	if len(m.GetTransactionId()) > 0 {
		if e.caller, e.transaction, err = s.checkTransaction(c, m.GetTransactionId()); err != nil {
			return 0, err
		}
	}
	rows, err := newPutReader(stream)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	r := s.request(e)
	tables := s.sessions.temporary(e.caller)
	r.Temporary = tables.In(e.transaction)
	count, err := s.cfg.Queries.Ingest(ctx, r, in, rows)
	if err != nil {
		return 0, err
	}
	if err := s.sessions.keepTemporary(e.caller, tables); err != nil {
		return count, err
	}
	return count, s.sessions.keep(ctx, e.caller)
}

func ingestOf(m *wire.CommandStatementIngest) (in coordinator.Ingest, err error) {
	o := m.GetTableDefinitionOptions()
	in.Temporary = m.GetTemporary()
	switch o.GetIfNotExist() {
	case wire.CommandStatementIngest_TableDefinitionOptions_TABLE_NOT_EXIST_OPTION_CREATE:
		in.Create = true
	case wire.CommandStatementIngest_TableDefinitionOptions_TABLE_NOT_EXIST_OPTION_FAIL:
	default:
		return in, qerr.New(qerr.User, "the command has to say what to do if the table does not exist: create it, or fail")
	}
	switch o.GetIfExists() {
	case wire.CommandStatementIngest_TableDefinitionOptions_TABLE_EXISTS_OPTION_APPEND:
		in.Append = true
	case wire.CommandStatementIngest_TableDefinitionOptions_TABLE_EXISTS_OPTION_REPLACE:
		in.Replace = true
	case wire.CommandStatementIngest_TableDefinitionOptions_TABLE_EXISTS_OPTION_FAIL:
	default:
		return in, qerr.New(qerr.User, "the command has to say what to do if the table exists: append to it, replace it, or fail")
	}
	if m.GetTable() == "" {
		return in, qerr.New(qerr.User, "the command names no table")
	}
	if m.GetCatalog() != "" {
		in.Name = append(in.Name, m.GetCatalog())
	}
	if m.GetSchema() != "" {
		in.Name = append(in.Name, m.GetSchema())
	}
	in.Name = append(in.Name, m.GetTable())
	return in, nil
}

// A putReader reads the rows that a client puts, one batch at a time.
type putReader struct {
	stream  *putStream
	inner   *flight.Reader
	limited *limitedAllocator
}

func newPutReader(stream *putStream) (*putReader, error) {
	r := &putReader{stream: stream, limited: &limitedAllocator{Allocator: memory.NewGoAllocator()}}
	r.renew()
	var err error
	if r.inner, err = flight.NewRecordReader(stream, ipc.WithAllocator(r.limited)); err != nil {
		return nil, stream.fault(err)
	}
	return r, nil
}

// renew gives the next batch its budget.
func (r *putReader) renew() {
	r.limited.left.Store(ingestBatchBytesMax)
	r.stream.bytes = 0
	r.stream.limit(ingestBatchBytesMax)
}

// Schema implements flightx.Reader.
func (r *putReader) Schema() *arrow.Schema { return r.inner.Schema() }

// Next implements flightx.Reader.
func (r *putReader) Next(context.Context) (arrow.RecordBatch, error) {
	r.renew()
	if r.inner.Next() {
		batch := r.inner.RecordBatch()
		if r.limited.exhausted() {
			return nil, tooLarge(ingestBatchBytesMax)
		}
		if err := checkBatch(batch); err != nil {
			return nil, err
		}
		if batch.NumRows() > ingestBatchRowsMax {
			return nil, qerr.New(qerr.Resource, "a batch of %d rows; at most %d are allowed", batch.NumRows(), ingestBatchRowsMax)
		}
		batch.Retain()
		return batch, nil
	}
	if r.limited.exhausted() {
		return nil, tooLarge(ingestBatchBytesMax)
	}
	if err := cmp.Or(r.stream.err, r.inner.Err()); err != nil {
		return nil, r.stream.fault(err)
	}
	return nil, io.EOF
}

// Close implements flightx.Reader.
func (r *putReader) Close() error {
	r.inner.Release()
	return nil
}
