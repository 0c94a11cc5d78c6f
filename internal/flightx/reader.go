package flightx

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// A Reader is a stream of batches with one schema. It is used by one goroutine at a time, but for Close, which may be called
// at any moment.
type Reader interface {
	// Schema is the schema of every batch.
	Schema() *arrow.Schema
	// Next returns the next batch, which the caller owns, or io.EOF after the last one, or the *qerr.Error that ended the
	// stream. After io.EOF or an error it returns the same again. When ctx ends, Next returns soon with an error of kind
	// Cancelled or Deadline.
	Next(ctx context.Context) (arrow.RecordBatch, error)
	// Close ends the stream early or frees what is left of it, waits until nothing of it runs, and may be called again.
	Close() error
}

// AtEnd reports whether err is the end of a Reader: exactly io.EOF. An error with io.EOF somewhere inside is a fault, such as
// a file cut short, and must not pass for the end.
func AtEnd(err error) bool { return err == io.EOF } //nolint:errorlint // see above

// A Deferred is a Reader that may want its schema to be sent only with its first batch: until a client has seen the schema,
// a driver turns to another location of the endpoint when this one fails.
type Deferred interface {
	// SchemaDeferred reports whether the schema should wait for the first batch (or the end).
	SchemaDeferred() bool
}

// A SchemaWatcher is a Reader that wants to know when its schema has gone out to the client.
type SchemaWatcher interface {
	// SchemaSent is called once by Send, after the schema message was handed to the stream.
	SchemaSent()
}

// Batches returns a Reader over batches in memory. It takes over the caller's reference to each.
func Batches(schema *arrow.Schema, batches ...arrow.RecordBatch) Reader {
	return &batchReader{schema: schema, batches: batches}
}

type batchReader struct {
	schema  *arrow.Schema
	batches []arrow.RecordBatch
}

func (r *batchReader) Schema() *arrow.Schema { return r.schema }

func (r *batchReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	if len(r.batches) == 0 {
		return nil, io.EOF
	}
	batch := r.batches[0]
	r.batches[0] = nil
	r.batches = r.batches[1:]
	return batch, nil
}

func (r *batchReader) Close() error {
	for _, batch := range r.batches {
		batch.Release()
	}
	r.batches = nil
	return nil
}
