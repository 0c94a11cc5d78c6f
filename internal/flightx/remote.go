package flightx

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// remoteReader is the receiving side of a DoGet.
type remoteReader struct {
	reader *ipc.Reader
	source *remoteSource
	cancel context.CancelCauseFunc
	// ended is why this side ended the stream; nil while it did not. (The stream's own context ends with the stream too.)
	ended func() error
	end   error // what Next keeps returning after the end

	closing sync.Once
	// reading is held while Next decodes, so that Close frees the decoder only when Next is out of it.
	reading sync.Mutex
}

// remoteSource gives the decoder the messages of a stream, whose bodies it frees with the batches made of them. It keeps the gRPC
// error apart from what the decoder makes of it.
type remoteSource struct {
	stream  flight.FlightService_DoGetClient
	err     error
	current *ipc.Message
}

// Message implements ipc.MessageReader.
func (s *remoteSource) Message() (*ipc.Message, error) {
	s.Release()
	var in inbound
	for len(in.header) == 0 { // a message may carry metadata alone
		if in.body != nil {
			in.body.Release()
		}
		in = inbound{}
		if err := s.stream.RecvMsg(&in); err != nil {
			if !AtEnd(err) {
				s.err = err
			}
			return nil, err
		}
	}
	header := memory.NewBufferBytes(in.header)
	defer header.Release()
	defer in.body.Release()
	s.current = ipc.NewMessage(header, in.body)
	return s.current, nil
}

// Retain implements ipc.MessageReader; there is one holder.
func (s *remoteSource) Retain() {}

// Release implements ipc.MessageReader.
func (s *remoteSource) Release() {
	if s.current != nil {
		s.current.Release()
		s.current = nil
	}
}

var errClosed = qerr.New(qerr.Cancelled, "the stream was closed")

func openRemote(ctx context.Context, client flight.FlightServiceClient, ticket []byte) (Reader, error) {
	streamCtx, cancel := context.WithCancelCause(ctx)
	stream, err := client.DoGet(streamCtx, &flight.Ticket{Ticket: ticket})
	if err != nil {
		cancel(nil)
		return nil, streamError(ctx, err)
	}
	r := &remoteReader{source: &remoteSource{stream: stream}, cancel: cancel, ended: func() error {
		if streamCtx.Err() == nil {
			return nil
		}
		return contextError(streamCtx)
	}}
	if r.reader, err = ipc.NewReaderFromMessageReader(r.source); err == nil {
		return r, nil
	}
	cancel(nil)
	r.source.Release()
	switch {
	case ctx.Err() != nil:
		return nil, contextError(ctx)
	case r.source.err != nil:
		return nil, grpcerr.FromStatus(r.source.err)
	case errors.Is(err, io.EOF):
		return nil, qerr.New(qerr.Internal, "the stream ended before its schema")
	}
	return nil, qerr.Wrap(qerr.Internal, "decode stream", err)
}

func (r *remoteReader) Schema() *arrow.Schema { return r.reader.Schema() }

func (r *remoteReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.end != nil {
		return nil, r.end
	}
	stop := context.AfterFunc(ctx, func() { r.cancel(context.Cause(ctx)) })
	defer stop()
	batch, err := r.reader.Read()
	if err == nil {
		batch.Retain()
		return batch, nil
	}
	r.end = r.classify(ctx, err)
	return nil, r.end
}

func (r *remoteReader) classify(ctx context.Context, err error) error {
	own := r.ended()
	switch {
	case ctx.Err() != nil:
		return contextError(ctx)
	case own != nil && r.source.err != nil && qerr.Is(grpcerr.FromStatus(r.source.err), qerr.Cancelled):
		return own
	case r.source.err != nil:
		return grpcerr.FromStatus(r.source.err)
	case AtEnd(err):
		return io.EOF
	}
	return qerr.Wrap(qerr.Internal, "decode stream", err)
}

func (r *remoteReader) Close() error {
	r.closing.Do(func() {
		r.cancel(errClosed)
		r.reading.Lock()
		defer r.reading.Unlock()
		if r.end == nil {
			r.end = errClosed
		}
		r.reader.Release()
		r.source.Release()
	})
	return nil
}
