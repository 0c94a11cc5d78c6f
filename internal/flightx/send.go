package flightx

import (
	"bytes"
	"context"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// MessageBytesMax bounds a message towards clients: plain Go clients stop at gRPC's default of 4 MiB.
	MessageBytesMax = 3 << 20
	// LinkMessageBytesMax bounds a message between workers, which take what Clients accepts: large batches cost less.
	LinkMessageBytesMax = linkMessageBytes

	linkMessageBytes = 16 << 20
)

// A Stream is the sending side of a DoGet; flight.FlightService_DoGetServer is one.
type Stream interface {
	Send(*flight.FlightData) error
}

// Send writes everything that r yields to the stream: the schema first, then batches sliced by rows to messages of at most
// maxBytes. It returns after the last batch, or with the *qerr.Error of the reader, the stream or ctx. It releases every
// batch it took, and leaves r open for its owner to close. Dictionaries are not supported, as clients' drivers differ there.
func Send(ctx context.Context, w Stream, r Reader, maxBytes int) (err error) {
	s := sender{stream: w, maxBytes: int64(maxBytes), live: new(atomic.Int64)}
	defer func() {
		if err != nil && s.live.Load() > 0 {
			collect(s.live)
		}
	}()
	if raw, ok := w.(rawStream); ok && ctx.Value(codecMark{}) != nil {
		s.raw = raw
	}
	schema := r.Schema()
	if field, found := dictionaryField(schema); found {
		return qerr.New(qerr.Internal, "column %q is dictionary-encoded, which streams do not carry", field)
	}
	deferred, ok := r.(Deferred)
	if !ok || !deferred.SchemaDeferred() {
		if err := s.sendSchema(ctx, r, schema); err != nil {
			return err
		}
	}
	ahead := readAhead(ctx, r)
	defer ahead.stop()
	for {
		batch, err := ahead.next()
		if AtEnd(err) {
			return s.sendSchema(ctx, r, schema)
		}
		if err != nil {
			return qerr.Wrap(qerr.Internal, "", err)
		}
		if err = s.sendSchema(ctx, r, schema); err == nil {
			ahead.begin() // not before SchemaSent, as r is for one goroutine at a time
			err = s.sendBatch(ctx, batch)
		}
		batch.Release()
		if err != nil {
			return err
		}
	}
}

// rawStream is what a gRPC stream with our codec takes encoded frames by.
type rawStream interface{ SendMsg(m any) error }

type sender struct {
	stream     Stream
	raw        rawStream // nil when the stream's codec is not ours
	maxBytes   int64
	schemaSent bool
	live       *atomic.Int64 // batches that gRPC holds
}

// sendSchema sends the schema unless it was sent.
func (s *sender) sendSchema(ctx context.Context, r Reader, schema *arrow.Schema) error {
	if s.schemaSent {
		return nil
	}
	payload := ipc.GetSchemaPayload(schema, memory.DefaultAllocator)
	defer payload.Release()
	meta := payload.Meta()
	defer meta.Release()
	header := bytes.Clone(meta.Bytes())
	var err error
	if s.raw != nil {
		err = s.raw.SendMsg(headerFrame(header))
	} else {
		err = s.stream.Send(&flight.FlightData{DataHeader: header})
	}
	if err := streamError(ctx, err); err != nil {
		return err
	}
	s.schemaSent = true
	if watcher, ok := r.(SchemaWatcher); ok {
		watcher.SchemaSent()
	}
	return nil
}

// sendBatch sends a batch in as many messages as it needs. Batches without rows say nothing and are left out.
func (s *sender) sendBatch(ctx context.Context, batch arrow.RecordBatch) error {
	for from := int64(0); from < batch.NumRows(); {
		end := sliceEnd(batch, from, s.maxBytes)
		slice := batch
		if from > 0 || end < batch.NumRows() {
			slice = batch.NewSlice(from, end)
		}
		err := s.sendRecord(ctx, slice)
		if slice != batch {
			slice.Release()
		}
		if err != nil {
			return err
		}
		from = end
	}
	return nil
}

func (s *sender) sendRecord(ctx context.Context, batch arrow.RecordBatch) error {
	if s.raw != nil {
		f, err := batchFrame(batch, s.live)
		if err != nil {
			return qerr.Wrap(qerr.Internal, "encode batch", err)
		}
		return streamError(ctx, s.raw.SendMsg(f))
	}
	data, err := copied(batch)
	if err != nil {
		return qerr.Wrap(qerr.Internal, "encode batch", err)
	}
	return streamError(ctx, s.stream.Send(data))
}

// copied encodes a batch as a message of its own memory: without our codec gRPC may keep it after Send returned, and nobody
// would say when it is done.
func copied(batch arrow.RecordBatch) (*flight.FlightData, error) {
	payload, err := ipc.GetRecordBatchPayload(batch, ipc.WithAllocator(memory.DefaultAllocator))
	if err != nil {
		return nil, err
	}
	defer payload.Release()
	meta := payload.Meta()
	defer meta.Release()
	var size counter
	if err := payload.SerializeBody(&size); err != nil {
		return nil, err
	}
	body := filler{make([]byte, 0, int(size))}
	if err := payload.SerializeBody(&body); err != nil {
		return nil, err
	}
	return &flight.FlightData{DataHeader: bytes.Clone(meta.Bytes()), DataBody: body.bytes}, nil
}

// counter counts what is written to it.
type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

// filler collects what is written to it.
type filler struct{ bytes []byte }

func (f *filler) Write(p []byte) (int, error) { f.bytes = append(f.bytes, p...); return len(p), nil }

func dictionaryField(schema *arrow.Schema) (string, bool) {
	var nested func(t arrow.DataType) bool
	nested = func(t arrow.DataType) bool {
		if t.ID() == arrow.DICTIONARY {
			return true
		}
		if n, ok := t.(arrow.NestedType); ok {
			for _, f := range n.Fields() {
				if nested(f.Type) {
					return true
				}
			}
		}
		return false
	}
	for _, f := range schema.Fields() {
		if nested(f.Type) {
			return f.Name, true
		}
	}
	return "", false
}
