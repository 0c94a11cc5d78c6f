package exchange

import (
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Writer takes the output of a running task. Put may be called concurrently; then comes Commit or Abort.
type Writer struct {
	store  *Store
	key    ids.TaskKey
	schema *arrow.Schema
	// rows and bytes so far, for those who watch.
	rows, bytes atomic.Int64

	mu    sync.Mutex
	stats Stats      // guarded by mu
	mem   [][]*block // guarded by mu; nil once the output goes to disk
	spool *spool     // guarded by mu; set once, when mem is nil
	ended bool       // guarded by mu
}

// Stats is what came of an output.
type Stats struct {
	Rows, Bytes                   uint64
	PartitionRows, PartitionBytes []uint64
	// SpillBytes is the size of its file; 0 for an output in memory.
	SpillBytes uint64
}

// Begin returns the writer of a task's output, with batches of the schema in a number of partitions. With spill the output goes
// to disk from the start, whatever the budget. The caller commits or aborts it.
func (s *Store) Begin(key ids.TaskKey, schema *arrow.Schema, partitions int, spill bool) (*Writer, error) {
	w := &Writer{store: s, key: key, schema: schema, mem: make([][]*block, partitions),
		stats: Stats{PartitionRows: make([]uint64, partitions), PartitionBytes: make([]uint64, partitions)}}
	if spill && s.dir != nil {
		if err := w.startSpool(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Put takes over a batch of a partition, also when it fails. bytes are those in use in its buffers. It fails with Resource when
// neither memory nor disk have room, IO when the disk is at fault. It waits for nothing but the disk.
func (w *Writer) Put(partition int, batch arrow.RecordBatch, bytes int64) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = qerr.Wrap(qerr.Internal, "keep output", flightx.Recovered(fault))
		}
	}()
	spool, err := w.place(partition, batch, bytes)
	if err != nil {
		batch.Release()
		return qerr.Wrap(qerr.Internal, "keep the output of task "+w.key.String(), err)
	}
	w.rows.Add(batch.NumRows())
	w.bytes.Add(bytes)
	if spool == nil {
		return nil
	}
	defer batch.Release()
	if err := spool.add(partition, batch); err != nil {
		return qerr.Wrap(qerr.Internal, "spill the output of task "+w.key.String(), err)
	}
	return nil
}

// place counts a batch and keeps it in memory, or returns the spool that it is for.
func (w *Writer) place(partition int, batch arrow.RecordBatch, bytes int64) (*spool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || partition < 0 || partition >= len(w.stats.PartitionRows) {
		return nil, qerr.New(qerr.Internal, "there is no partition %d, or the output was ended", partition)
	}
	w.stats.Rows += uint64(batch.NumRows())
	w.stats.Bytes += uint64(bytes)
	w.stats.PartitionRows[partition] += uint64(batch.NumRows())
	w.stats.PartitionBytes[partition] += uint64(bytes)
	if w.spool != nil {
		return w.spool, nil
	}
	b, full := newBlock(w.store.memory, w.key.Query, batch, bytes)
	if full == nil {
		w.mem[partition] = append(w.mem[partition], b)
		return nil, nil //nolint:nilnil // kept in memory
	}
	if w.store.dir == nil {
		return nil, full
	}
	// The other threads wait at the lock meanwhile: what they would do is write to the same disk.
	return w.spool, w.startSpool()
}

// startSpool moves what is in memory to a new file. The caller holds mu, or is the only one.
func (w *Writer) startSpool() error {
	spool, err := newSpool(w.store, w.key, w.schema, len(w.stats.PartitionRows))
	if err != nil {
		return err
	}
	w.spool = spool
	for partition, blocks := range w.mem {
		for i, b := range blocks {
			if err := spool.add(partition, b.batch); err != nil {
				return err
			}
			b.letGo()
			w.mem[partition] = blocks[i+1:]
		}
	}
	w.mem = nil
	return nil
}

// Written is how much was put so far.
func (w *Writer) Written() (rows, bytes uint64) { return uint64(w.rows.Load()), uint64(w.bytes.Load()) }

// Commit keeps the output in the store, from where Drop removes it. It fails with Resource or IO when the disk does, Internal
// when the task has an output already; the output is freed then.
func (w *Writer) Commit() (Stats, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := &output{schema: w.schema, blocks: w.mem}
	if w.spool != nil {
		spooled, err := w.spool.finish()
		if err != nil {
			w.free()
			return Stats{}, qerr.Wrap(qerr.Internal, "spill the output of task "+w.key.String(), err)
		}
		w.spool, o.spool = nil, spooled
		w.stats.SpillBytes = uint64(spooled.bytes)
	}
	w.mem, w.ended = nil, true
	if !w.store.keep(w.key, o) {
		o.free()
		return Stats{}, qerr.New(qerr.Internal, "task %s has an output already", w.key)
	}
	return w.stats, nil
}

// Abort frees everything; it does nothing after Commit.
func (w *Writer) Abort() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free()
}

// free lets go of everything that was put; the caller holds mu.
func (w *Writer) free() {
	if w.ended {
		return
	}
	w.ended = true
	for _, blocks := range w.mem {
		for _, b := range blocks {
			b.letGo()
		}
	}
	w.mem = nil
	if w.spool != nil {
		w.spool.discard()
		w.spool = nil
	}
}
