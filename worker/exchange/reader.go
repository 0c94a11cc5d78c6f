package exchange

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Reader reads some partitions of an output. It is a flightx.Reader.
type Reader struct {
	schema *arrow.Schema
	key    ids.TaskKey
	file   *os.File // nil for an output in memory

	mu    sync.Mutex
	items []item // guarded by mu: what is still to be read
	err   error  // guarded by mu: sticky
}

// An item is one batch: a block, or a stretch of the file.
type item struct {
	block     *block
	partition uint32
	stretch   stretch
}

// Schema implements flightx.Reader.
func (r *Reader) Schema() *arrow.Schema { return r.schema }

// Next implements flightx.Reader. A damaged spool is an error of kind IO that names the task and the partition.
func (r *Reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	batch, shared, err := r.next(ctx)
	if shared != nil {
		batch = shared.batch
		batch.Retain()
		shared.letGo()
	}
	return batch, err
}

// next gives the next batch either as a block of the store's, which the caller holds, or as a batch of the caller's own.
func (r *Reader) next(ctx context.Context) (arrow.RecordBatch, *block, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.err != nil:
		return nil, nil, r.err
	case ctx.Err() != nil:
		r.err = endOf(ctx)
		return nil, nil, r.err
	case len(r.items) == 0:
		r.err = io.EOF
		return nil, nil, r.err
	}
	next := r.items[0]
	r.items[0] = item{}
	r.items = r.items[1:]
	if next.block != nil {
		return nil, next.block, nil
	}
	batch, err := decode(r.file, next.stretch, r.schema)
	if err != nil {
		r.err = damaged(r.key, fmt.Sprintf(" in partition %d", next.partition), err)
		return nil, nil, r.err
	}
	return batch, nil, nil
}

// Close implements flightx.Reader.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.items {
		if i.block != nil {
			i.block.letGo()
		}
	}
	r.items = nil
	if r.err == nil {
		r.err = qerr.New(qerr.Cancelled, "the reader was closed")
	}
	if r.file != nil {
		_ = r.file.Close() // a second time is no harm
	}
	return nil
}
