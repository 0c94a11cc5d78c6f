package exchange

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// An Output is the partitioned result of one task. *duck.Output is one. Batches are borrowed from it until Release.
type Output interface {
	Partitions() int
	Batches(partition int) []arrow.RecordBatch
	Rows(partition int) int64
	Bytes(partition int) int64
	Release()
}

// A Store keeps outputs by task. It is safe for concurrent use.
type Store struct {
	bytesMax int64

	mu sync.Mutex
	// The rest is guarded by mu. used counts kept outputs and reservations.
	used    int64
	outputs map[ids.TaskKey]kept
}

type kept struct {
	schema *arrow.Schema
	output Output
	bytes  int64
}

// NewStore returns an empty store with a budget of bytes.
func NewStore(bytesMax int64) *Store {
	return &Store{bytesMax: bytesMax, outputs: map[ids.TaskKey]kept{}}
}

// Put keeps a task's output, whose batches have the schema. It takes the output over, also when it fails: with Resource
// when the budget does not allow it, Internal when the task has an output already.
func (s *Store) Put(key ids.TaskKey, schema *arrow.Schema, o Output) error {
	bytes := int64(0)
	for p := range o.Partitions() {
		bytes += o.Bytes(p)
	}
	s.mu.Lock()
	_, twice := s.outputs[key]
	fits := s.used+bytes <= s.bytesMax
	if !twice && fits {
		s.outputs[key] = kept{schema, o, bytes}
		s.used += bytes
	}
	used := s.used
	s.mu.Unlock()
	switch {
	case twice:
		o.Release()
		return qerr.New(qerr.Internal, "task %s has an output already", key)
	case !fits:
		o.Release()
		return s.full(bytes, used)
	}
	return nil
}

func (s *Store) full(bytes, used int64) error {
	return qerr.New(qerr.Resource, "exchange memory of this worker is full: %d bytes more do not fit beside %d of %d",
		bytes, used, s.bytesMax)
}

// Take returns the schema and the batches of some partitions of a task's output, in the order given. The caller owns the
// batches. It fails with NotFound when the output is not there, and User when it has no such partition.
func (s *Store) Take(key ids.TaskKey, partitions []uint32) (*arrow.Schema, []arrow.RecordBatch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, found := s.outputs[key]
	if !found {
		return nil, nil, qerr.New(qerr.NotFound, "the output of task %s is not here", key)
	}
	for _, p := range partitions {
		if int64(p) >= int64(k.output.Partitions()) {
			return nil, nil, qerr.New(qerr.User, "task %s has %d partitions; there is no partition %d", key, k.output.Partitions(), p)
		}
	}
	var batches []arrow.RecordBatch
	for _, p := range partitions {
		for _, batch := range k.output.Batches(int(p)) {
			batch.Retain()
			batches = append(batches, batch)
		}
	}
	return k.schema, batches, nil
}

// Drop frees a task's output; it does nothing when there is none.
func (s *Store) Drop(key ids.TaskKey) {
	s.mu.Lock()
	k, found := s.outputs[key]
	delete(s.outputs, key)
	s.used -= k.bytes
	s.mu.Unlock()
	if found {
		k.output.Release()
	}
}

// Reserve takes bytes of the budget for batches that are fetched, or fails with Resource.
func (s *Store) Reserve(bytes int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+bytes > s.bytesMax {
		return s.full(bytes, s.used)
	}
	s.used += bytes
	return nil
}

// Unreserve gives reserved bytes back.
func (s *Store) Unreserve(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= bytes
}

// Free is how many bytes of the budget are left.
func (s *Store) Free() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.bytesMax-s.used, 0)
}

// Usage is how many outputs are kept and how many bytes of the budget are in use.
func (s *Store) Usage() (outputs int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.outputs), s.used
}
