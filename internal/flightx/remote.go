package flightx

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// remoteReader is the receiving side of a DoGet.
type remoteReader struct {
	reader *flight.Reader
	source *remoteSource
	cancel context.CancelCauseFunc
	// ended is why this side ended the stream; nil while it did not. (The stream's own context ends with the stream too.)
	ended func() error
	end   error // what Next keeps returning after the end

	closing sync.Once
	// reading is held while Next decodes, so that Close frees the decoder only when Next is out of it.
	reading sync.Mutex
}

// remoteSource keeps the gRPC error apart from what the decoder makes of it.
type remoteSource struct {
	stream flight.FlightService_DoGetClient
	err    error
}

func (s *remoteSource) Recv() (*flight.FlightData, error) {
	data, err := s.stream.Recv()
	if err != nil && !AtEnd(err) {
		s.err = err
	}
	return data, err
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
	if r.reader, err = flight.NewRecordReader(r.source); err == nil {
		if r.reader.Schema() != nil {
			return r, nil
		}
		err = r.reader.Err()
		r.reader.Release()
	}
	cancel(nil)
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
	})
	return nil
}
