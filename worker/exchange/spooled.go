package exchange

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A spooled is a complete spool file.
type spooled struct {
	store      *Store
	key        ids.TaskKey
	path       string
	partitions int
	bytes      int64
}

func (s *spooled) remove() {
	_ = os.Remove(s.path)
	s.store.disk.give(s.key.Query, s.bytes)
	s.store.files.Add(-1)
}

// damaged is the error of a spool that cannot be read; where says which part.
func damaged(key ids.TaskKey, where string, err error) error {
	return &qerr.Error{Kind: qerr.IO, Op: "read spool", Msg: fmt.Sprintf("the spilled output of task %s is damaged%s", key, where), Err: err}
}

// open reads the index and returns a reader over some partitions, which must be there.
func (s *spooled) open(schema *arrow.Schema, partitions []uint32) (*Reader, error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, damaged(s.key, "", err)
	}
	x, err := readIndex(file)
	if err == nil && len(x) != s.partitions {
		err = errIndex
	}
	if err != nil {
		_ = file.Close()
		return nil, damaged(s.key, "", err)
	}
	r := &Reader{schema: schema, key: s.key, file: file}
	for _, p := range partitions {
		for _, stretch := range x[p] {
			r.items = append(r.items, item{partition: p, stretch: stretch})
		}
	}
	return r, nil
}

func readIndex(file *os.File) (index, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if size < tailBytes {
		return nil, errTail
	}
	tail := make([]byte, tailBytes)
	if _, err := file.ReadAt(tail, size-tailBytes); err != nil {
		return nil, err
	}
	length, sum, err := tailOf(tail, size)
	if err != nil {
		return nil, err
	}
	b := make([]byte, length)
	if _, err := file.ReadAt(b, size-tailBytes-length); err != nil {
		return nil, err
	}
	return decodeIndex(b, sum, size-tailBytes-length)
}

// decode reads one stream, checks it and gives its batch, which the caller owns.
func decode(file *os.File, s stretch, want *arrow.Schema) (arrow.RecordBatch, error) {
	stream := make([]byte, s.length)
	if _, err := file.ReadAt(stream, s.offset); err != nil {
		return nil, err
	}
	if crc32.Checksum(stream, castagnoli) != s.sum {
		return nil, fmt.Errorf("the checksum of its bytes %d to %d is wrong", s.offset, s.offset+s.length)
	}
	// The checksum says that the sizes are those that were written; a single value may be larger than the default limit.
	r, err := ipc.NewReader(bytes.NewReader(stream), ipc.WithBodySizeLimit(0), ipc.WithMetadataSizeLimit(0))
	if err != nil {
		return nil, err
	}
	defer r.Release()
	batch, err := r.Read()
	if err != nil {
		return nil, err
	}
	if batch.NumRows() != s.rows || !sameLayout(batch.Schema(), want) {
		return nil, fmt.Errorf("a batch has %d rows of %s", batch.NumRows(), batch.Schema())
	}
	batch.Retain()
	return batch, nil
}
