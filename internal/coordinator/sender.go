package coordinator

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sync/errgroup"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/arrowwire"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/temptable"
)

// A sender is one ingest.
type sender struct {
	c     *Coordinator
	r     Request
	sql   string
	out   *outgoing
	total int64           // bytes sent
	ctx   context.Context //nolint:containedctx // of the group, which ends with the call
	group *errgroup.Group

	mu   sync.Mutex
	kept []*temptable.Rows // in the order of the rows; nil: not yet
}

func (s *sender) read(reader flightx.Reader) error {
	for {
		batch, err := reader.Next(s.ctx)
		if flightx.AtEnd(err) {
			return nil
		}
		if err != nil {
			return err
		}
		err = s.add(batch)
		batch.Release()
		if err != nil {
			return err
		}
	}
}

// add puts a batch's rows into what goes out next, some at a time, and sends that off whenever it is large enough.
func (s *sender) add(batch arrow.RecordBatch) error {
	rows := batch.NumRows()
	step := rows
	if perRow := flightx.BatchBytes(batch) / max(rows, 1); perRow > 0 {
		step = min(max(sentBytesMin/2/perRow, 1), rows)
	}
	for from := int64(0); from < rows; {
		if err := context.Cause(s.ctx); err != nil {
			return qerr.Wrap(qerr.Cancelled, "keep rows", err)
		}
		n := min(step, rows-from)
		wire, bytes, err := s.convert(batch, from, n)
		if errors.Is(err, arrowwire.ErrTooLarge) && n > 1 {
			step = (n + 1) / 2
			continue
		}
		if errors.Is(err, arrowwire.ErrTooLarge) {
			return qerr.New(qerr.Resource, "a row of more than %d bytes", sentRowBytesMax)
		}
		if err != nil {
			return err
		}
		if s.out.rows > 0 && s.out.bytes()+bytes > min(max(s.total/8, sentBytesMin), sentBytesMax) {
			err = s.flush()
		}
		if err == nil {
			err = s.out.add(wire)
		}
		wire.Release()
		if err != nil {
			return err
		}
		from += n
	}
	return nil
}

// convert gives n rows their wire layout, in which they take so many bytes.
func (s *sender) convert(batch arrow.RecordBatch, from, n int64) (wire arrow.RecordBatch, bytes int64, err error) {
	limit := int64(sentBytesMin)
	if n == 1 {
		limit = sentRowBytesMax
	}
	slice := batch.NewSlice(from, from+n)
	defer slice.Release()
	if wire, err = arrowwire.Batch(memory.DefaultAllocator, slice, s.out.types, limit); err != nil {
		return nil, 0, err
	}
	if bytes = flightx.BatchBytes(wire); bytes > limit {
		wire.Release()
		return nil, 0, arrowwire.ErrTooLarge
	}
	return wire, bytes, nil
}

// flush has a worker keep the rows that are ready, when there are some; it waits while enough others are on their way.
func (s *sender) flush() error {
	rows, err := s.out.take()
	if rows == nil || err != nil {
		return err
	}
	s.total += int64(len(rows.stream))
	s.mu.Lock()
	at := len(s.kept)
	s.kept = append(s.kept, nil)
	s.mu.Unlock()
	s.group.Go(func() (err error) {
		defer func() {
			if p := recover(); p != nil { // in a goroutine of its own it would end the process
				err = qerr.Wrap(qerr.Internal, "keep rows", flightx.Recovered(p))
			}
		}()
		kept, err := s.c.keepSent(s.ctx, s.r, s.sql, rows)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kept[at] = kept
		return err
	})
	return nil
}

// outgoing are rows that are being collected for one task.
type outgoing struct {
	types  []table.Type
	schema *arrow.Schema
	rows   int64
	buffer bytes.Buffer
	writer *ipc.Writer
}

func newOutgoing(types []table.Type) *outgoing {
	return &outgoing{types: types, schema: arrowtype.WireSchema(types)}
}

func (o *outgoing) bytes() int64 { return int64(o.buffer.Len()) }

func (o *outgoing) add(batch arrow.RecordBatch) error {
	if o.writer == nil {
		o.writer = ipc.NewWriter(&o.buffer, ipc.WithSchema(o.schema))
	}
	o.rows += batch.NumRows()
	return qerr.Wrap(qerr.Internal, "write rows", o.writer.Write(batch))
}

// take returns what was collected; nil when that is nothing.
func (o *outgoing) take() (*sent, error) {
	if o.rows == 0 {
		return nil, nil //nolint:nilnil // as documented
	}
	if err := o.writer.Close(); err != nil {
		return nil, qerr.Wrap(qerr.Internal, "write rows", err)
	}
	rows := &sent{types: o.types, rows: o.rows, stream: o.buffer.Bytes()}
	o.rows, o.buffer, o.writer = 0, bytes.Buffer{}, nil
	return rows, nil
}
