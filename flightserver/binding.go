package flightserver

import (
	"cmp"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A binding is the rows bound to a statement by one DoPut. It owns its batches until its last user releases it.
type binding struct {
	number  uint64
	schema  *arrow.Schema
	batches []arrow.RecordBatch // none is empty
	rows    int64
	bytes   int64
	users   atomic.Int64
}

func (b *binding) retain() { b.users.Add(1) }

func (b *binding) release() {
	if b.users.Add(-1) > 0 {
		return
	}
	for _, batch := range b.batches {
		batch.Release()
	}
	b.batches = nil
}

// row returns one row as a batch that the caller owns; nil past the last one.
func (b *binding) row(i int64) arrow.RecordBatch {
	for _, batch := range b.batches {
		if i < batch.NumRows() {
			return batch.NewSlice(i, i+1)
		}
		i -= batch.NumRows()
	}
	return nil
}

// bind puts new rows on a statement, and returns its number. It takes over the binding's first reference.
func (t *sessions) bind(c caller, id uint64, b *binding) (number uint64, err error) {
	err = t.withStatement(c, id, func(s *session, p *prepared) error {
		if n := p.params.NumFields(); b.schema.NumFields() != n {
			return qerr.New(qerr.User, "the statement has %d parameters, and %d were bound", n, b.schema.NumFields())
		}
		if err := t.reserve(b.bytes); err != nil {
			return err
		}
		s.next++
		b.number = s.next
		p.bindings = append(p.bindings, b)
		if len(p.bindings) > bindingsMax {
			t.bytes -= p.bindings[0].bytes
			p.bindings[0].release()
			p.bindings[0] = nil
			p.bindings = p.bindings[1:]
		}
		return nil
	})
	if err != nil {
		b.release()
	}
	return b.number, err
}

// readBinding reads all rows that a client puts. The stream's first message was read already.
func (s *Server) readBinding(stream *putStream) (*binding, error) {
	limited := &limitedAllocator{Allocator: memory.NewGoAllocator()}
	limited.left.Store(s.cfg.BindingBytesMax)
	stream.limit(s.cfg.BindingBytesMax)
	r, err := flight.NewRecordReader(stream, ipc.WithAllocator(limited))
	if err != nil {
		return nil, stream.fault(err)
	}
	defer r.Release()
	b := &binding{schema: r.Schema()}
	b.retain()
	for r.Next() {
		batch := r.RecordBatch()
		if batch.NumRows() == 0 {
			continue
		}
		if stream.err = cmp.Or(checkBatch(batch), boundedRows(b.rows+batch.NumRows())); stream.err != nil {
			break
		}
		batch.Retain()
		b.batches = append(b.batches, batch)
		b.rows += batch.NumRows()
	}
	if limited.exhausted() {
		stream.err = tooLarge(s.cfg.BindingBytesMax)
	}
	if err := cmp.Or(stream.err, r.Err()); err != nil {
		b.release()
		return nil, stream.fault(err)
	}
	b.bytes = stream.bytes + (s.cfg.BindingBytesMax - limited.left.Load())
	return b, nil
}

// bindingRowsMax bounds the rows of a binding: each is an execution of the statement, and columns of nulls take no bytes.
const bindingRowsMax = 1 << 20

func boundedRows(n int64) error {
	if n < 0 || n > bindingRowsMax {
		return qerr.New(qerr.Resource, "more than %d rows of parameters in one call; send them in several", bindingRowsMax)
	}
	return nil
}

// checkBatch looks at every offset, index and length of a batch that came from a client. Arrow's reader takes them as they come, and
// whoever follows them reads other memory or asks for terabytes of it.
func checkBatch(batch arrow.RecordBatch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = qerr.New(qerr.User, "the rows cannot be read as an Arrow stream: %v", p)
		}
	}()
	for i, column := range batch.Columns() {
		data := withNullBuffers(column.Data())
		checked := array.MakeFromData(data)
		err := array.ValidateFull(checked)
		checked.Release()
		data.Release()
		if err != nil {
			return qerr.New(qerr.User, "the rows cannot be read as an Arrow stream: column %d (%s): %v", i, batch.ColumnName(i), err)
		}
	}
	return nil
}

// withNullBuffers gives arrays of the type null, wherever they are, the one buffer that arrow-go's validation wants of them. By the
// format they have none, and so they come from other implementations. The caller releases what it returns.
func withNullBuffers(data arrow.ArrayData) arrow.ArrayData {
	buffers := data.Buffers()
	if data.DataType().ID() == arrow.NULL && len(buffers) == 0 {
		buffers = []*memory.Buffer{nil}
	}
	children := make([]arrow.ArrayData, len(data.Children()))
	for i, child := range data.Children() {
		children[i] = withNullBuffers(child)
		defer children[i].Release()
	}
	if dictionary, ok := data.Dictionary().(*array.Data); ok && dictionary != nil {
		return array.NewDataWithDictionary(data.DataType(), data.Len(), buffers, data.NullN(), data.Offset(), dictionary)
	}
	return array.NewData(data.DataType(), data.Len(), buffers, children, data.NullN(), data.Offset())
}

// A putStream is the client's side of a DoPut whose first message was read ahead, with its bytes counted.
type putStream struct {
	wire.FlightService_DoPutServer
	first    *wire.FlightData
	bytes    int64
	bytesMax int64
	headers  streamHeaders
	err      error
}

func (p *putStream) limit(bytesMax int64) { p.bytesMax = bytesMax }

// Recv returns the first message again, then those of the stream.
func (p *putStream) Recv() (*wire.FlightData, error) {
	data := p.first
	p.first = nil
	if data == nil {
		var err error
		if data, err = p.FlightService_DoPutServer.Recv(); err != nil {
			return nil, err
		}
	}
	if p.err = p.headers.check(data.GetDataHeader()); p.err != nil {
		return nil, p.err
	}
	p.bytes += int64(len(data.GetDataBody()) + len(data.GetDataHeader()))
	if p.bytes > p.bytesMax {
		p.err = tooLarge(p.bytesMax)
		return nil, p.err
	}
	return data, nil
}

func tooLarge(bytesMax int64) error {
	return qerr.New(qerr.Resource, "the parameters have more than %d bytes", bytesMax)
}

// fault names what was wrong with the rows.
func (p *putStream) fault(err error) error {
	if p.err != nil {
		return p.err
	}
	if ctxErr := p.Context().Err(); ctxErr != nil {
		return qerr.Wrap(qerr.Cancelled, "read parameters", ctxErr)
	}
	return qerr.New(qerr.User, "the parameters cannot be read as an Arrow stream: %v", err)
}

// limitedAllocator bounds what decoding may allocate: a compressed buffer says by itself how large it becomes. Past the limit
// it gives nothing; Arrow's reader then reaches beyond the end of that, and turns its panic into an error.
type limitedAllocator struct {
	memory.Allocator
	left atomic.Int64
}

func (a *limitedAllocator) take(size int) bool {
	return size >= 0 && a.left.Add(-int64(size)) >= 0
}

// exhausted reports whether something was asked for past the limit.
func (a *limitedAllocator) exhausted() bool { return a.left.Load() < 0 }

// Allocate takes size bytes from the limit.
func (a *limitedAllocator) Allocate(size int) []byte {
	if !a.take(size) {
		return nil
	}
	return a.Allocator.Allocate(size)
}

// Reallocate takes what b grows by from the limit.
func (a *limitedAllocator) Reallocate(size int, b []byte) []byte {
	if !a.take(max(size-len(b), 0)) {
		return nil
	}
	return a.Allocator.Reallocate(size, b)
}
