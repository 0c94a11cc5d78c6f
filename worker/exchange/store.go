package exchange

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sys/unix"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/scratch"
)

// Config limits a Store.
type Config struct {
	// BytesMax bounds what is in memory, and QueryBytesMax what one query has of it; 0 = BytesMax.
	BytesMax, QueryBytesMax int64
	// SpillDir is below which the store makes its own directory; empty = the system's directory for temporary files.
	SpillDir string
	// SpillBytesMax bounds what is on disk, and SpillQueryBytesMax what one query has of it; 0 = SpillBytesMax. With a
	// SpillBytesMax of 0 nothing goes to disk.
	SpillBytesMax, SpillQueryBytesMax int64
	// Maker fills the outputs' batches; those in its hands count against BytesMax. Nil counts none.
	Maker Maker
}

// A Store keeps outputs by task. It is safe for concurrent use.
type Store struct {
	memory, disk *budget
	dir          *scratch.Dir // nil when nothing may go to disk
	// files that exist, with a name or mapped; inputs numbers the mapped ones.
	files, inputs atomic.Int64

	mu      sync.Mutex
	outputs map[ids.TaskKey]*output // guarded by mu
}

// An output is what a task yielded, complete. It does not change.
type output struct {
	schema *arrow.Schema
	// blocks has those of each partition, for an output in memory.
	blocks [][]*block
	// spool is set for one on disk.
	spool *spooled
}

// OpenStore returns an empty store, after it removed what dead processes left in the same place. The caller closes it.
func OpenStore(cfg Config) (*Store, error) {
	orElse := func(limit, otherwise int64) int64 {
		if limit == 0 {
			return otherwise
		}
		return limit
	}
	s := &Store{
		memory:  newBudget("exchange memory", cfg.BytesMax, orElse(cfg.QueryBytesMax, cfg.BytesMax), cfg.Maker),
		disk:    newBudget("exchange spill space", cfg.SpillBytesMax, orElse(cfg.SpillQueryBytesMax, cfg.SpillBytesMax), nil),
		outputs: map[ids.TaskKey]*output{},
	}
	if cfg.SpillBytesMax <= 0 {
		return s, nil
	}
	dir, err := scratch.Open(cfg.SpillDir, "arbalest-exchange-")
	if err != nil {
		return nil, qerr.Wrap(qerr.IO, "make the spill directory", err)
	}
	s.dir = dir
	return s, nil
}

// Close removes the directory. All outputs must have been dropped, and all inputs released.
func (s *Store) Close() error {
	if s.dir == nil {
		return nil
	}
	if err := s.dir.Close(); err != nil {
		return qerr.Wrap(qerr.IO, "remove the spill directory", err)
	}
	return nil
}

// Open returns a reader over some partitions of a task's output, in the order given. The caller closes it. It fails with NotFound
// when the output is not there, User when it has no such partition, IO when its spool cannot be read.
func (s *Store) Open(key ids.TaskKey, partitions []uint32) (*Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock() // also over the opening of a spool: a Drop comes before or after it
	o, found := s.outputs[key]
	if !found {
		return nil, qerr.New(qerr.NotFound, "the output of task %s is not here", key)
	}
	count := len(o.blocks)
	if o.spool != nil {
		count = o.spool.partitions
	}
	for _, p := range partitions {
		if int64(p) >= int64(count) {
			return nil, qerr.New(qerr.User, "task %s has %d partitions; there is no partition %d", key, count, p)
		}
	}
	if o.spool != nil {
		return o.spool.open(o.schema, partitions)
	}
	r := &Reader{schema: o.schema}
	for _, p := range partitions {
		for _, b := range o.blocks[p] {
			r.items = append(r.items, item{block: b.hold()})
		}
	}
	return r, nil
}

// keep enters an output; false when the task has one already.
func (s *Store) keep(key ids.TaskKey, o *output) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outputs[key] != nil {
		return false
	}
	s.outputs[key] = o
	return true
}

// Drop frees a task's output; it does nothing when there is none.
func (s *Store) Drop(key ids.TaskKey) {
	s.mu.Lock()
	o := s.outputs[key]
	delete(s.outputs, key)
	s.mu.Unlock()
	if o != nil {
		o.free()
	}
}

func (o *output) free() {
	for _, blocks := range o.blocks {
		for _, b := range blocks {
			b.letGo()
		}
	}
	o.blocks = nil
	if o.spool != nil {
		o.spool.remove()
	}
}

// Usage is what a store holds; all zero when nothing is being done.
type Usage struct {
	// Outputs are those kept.
	Outputs int
	// Bytes are in memory, outputs and inputs; SpillBytes are on disk, in SpillFiles files.
	Bytes, SpillBytes, SpillFiles int64
}

// Usage reports what the store holds now.
func (s *Store) Usage() Usage {
	s.mu.Lock()
	outputs := len(s.outputs)
	s.mu.Unlock()
	return Usage{Outputs: outputs, Bytes: s.memory.inUse(), SpillBytes: s.disk.inUse(), SpillFiles: s.files.Load()}
}

// diskError classifies an error of the spill directory's file system: Resource when it is full, else IO.
func diskError(op string, err error) error {
	for _, full := range []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG} {
		if errors.Is(err, full) {
			return &qerr.Error{Kind: qerr.Resource, Op: op, Msg: "the disk for exchanged data is full", Err: err}
		}
	}
	return &qerr.Error{Kind: qerr.IO, Op: op, Err: err}
}
