package duck

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

// TestMakingIsBounded scatters wide rows with and without room for batches in the making: without, the threads hand over early,
// and hold no more than they must.
func TestMakingIsBounded(t *testing.T) {
	const threads, partitions = 2, 16
	e := openEngine(t, func(c *Config) { c.Threads = threads })
	peak := func(limit int64) (making, batches int64) {
		t.Helper()
		e.LimitMaking(limit)
		var most, count atomic.Int64
		err := e.PartitionTo(context.Background(), Job{SQL: "SELECT i, repeat('x', 500), i % 16 FROM range(300000) r(i)"}, partitions,
			func(_ int, batch arrow.RecordBatch, _ int64) error {
				defer batch.Release()
				count.Add(1)
				for now := e.MakingBytes(); ; {
					seen := most.Load()
					if now <= seen || most.CompareAndSwap(seen, now) {
						return nil
					}
				}
			})
		if err != nil {
			t.Fatal(err)
		}
		if left := e.MakingBytes(); left != 0 {
			t.Errorf("%d bytes are still in the making", left)
		}
		return most.Load(), count.Load()
	}
	free, few := peak(1 << 40)
	tight, many := peak(0)
	// What a thread must hold may double as its buffers grow, and it hands over after the chunk that passes it.
	if most := int64(threads * 2 * (4<<20 + 2048*600)); tight > most {
		t.Errorf("%d bytes in the making without room for any, at most %d may be", tight, most)
	}
	if free <= 2*tight || many <= few {
		t.Errorf("with room %d bytes in %d batches, without %d in %d", free, few, tight, many)
	}
}
