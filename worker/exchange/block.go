package exchange

import (
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A block is a batch in memory that the budget covers. It has holders: the store, and inputs that share it.
type block struct {
	batch   arrow.RecordBatch
	bytes   int64
	query   ids.QueryID
	memory  *budget
	holders atomic.Int32
}

// newBlock takes the batch over when the budget has room for it; else it fails with Resource, and the batch stays the
// caller's. The caller is the holder.
func newBlock(memory *budget, query ids.QueryID, batch arrow.RecordBatch, bytes int64) (*block, error) {
	if err := memory.take(query, bytes); err != nil {
		return nil, err
	}
	b := &block{batch: batch, bytes: bytes, query: query, memory: memory}
	b.holders.Store(1)
	return b, nil
}

func (b *block) hold() *block {
	b.holders.Add(1)
	return b
}

func (b *block) letGo() {
	if b.holders.Add(-1) == 0 {
		b.batch.Release()
		b.memory.give(b.query, b.bytes)
	}
}
