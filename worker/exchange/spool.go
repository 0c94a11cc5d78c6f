package exchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// castagnoli is the polynomial that processors have an instruction for.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encoded holds the buffers in which batches are compressed before they are written.
var encoded = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// encodedKeepMax bounds what the pool keeps: a batch of the usual size. Larger ones hold large values, and are rare.
const encodedKeepMax = 16 << 20

// A spool is a file in the making.
type spool struct {
	store  *Store
	key    ids.TaskKey
	schema *arrow.Schema
	file   *os.File
	// path is its name when it is complete; until then it has tempSuffix.
	path string

	mu      sync.Mutex
	size    int64 // guarded by mu: bytes given out to streams, and booked
	streams index // guarded by mu
}

const (
	spoolSuffix = ".spool"
	tempSuffix  = ".tmp"
)

func newSpool(s *Store, key ids.TaskKey, schema *arrow.Schema, partitions int) (*spool, error) {
	path := filepath.Join(s.dir.Path(), fileName(key)+spoolSuffix)
	file, err := os.OpenFile(path+tempSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, diskError("make a spool", err)
	}
	s.files.Add(1)
	return &spool{store: s, key: key, schema: schema, file: file, path: path, streams: make(index, partitions)}, nil
}

// nameBytesMax bounds the query's part of a file name; file systems allow 255 bytes in all.
const nameBytesMax = 128

// fileName names a task attempt's file. A query's id comes from outside, and may be any text.
func fileName(key ids.TaskKey) string {
	query := url.PathEscape(string(key.Query))
	if len(query) > nameBytesMax {
		sum := sha256.Sum256([]byte(key.Query))
		query = hex.EncodeToString(sum[:])
	}
	return fmt.Sprintf("q%s-%d-%d-%d", query, key.Stage, key.Task, key.Attempt)
}

// add compresses a batch and appends it. Several may be under way at once.
func (s *spool) add(partition int, batch arrow.RecordBatch) error {
	buffer := encoded.Get().(*bytes.Buffer) //nolint:forcetypeassert // the pool's only type
	buffer.Reset()
	defer func() {
		if buffer.Cap() <= encodedKeepMax {
			encoded.Put(buffer)
		}
	}()
	w := ipc.NewWriter(buffer, ipc.WithSchema(batch.Schema()), ipc.WithLZ4())
	if err := w.Write(batch); err != nil {
		return fmt.Errorf("encode a batch: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("encode a batch: %w", err)
	}
	return s.append(partition, batch.NumRows(), buffer.Bytes())
}

func (s *spool) append(partition int, rows int64, stream []byte) error {
	length := int64(len(stream))
	if err := s.store.disk.take(s.key.Query, length); err != nil {
		return err
	}
	s.mu.Lock()
	at := s.size
	s.size += length
	s.mu.Unlock()
	if _, err := s.file.WriteAt(stream, at); err != nil {
		return diskError("write a spool", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams[partition] = append(s.streams[partition], stretch{offset: at, length: length, rows: rows, sum: crc32.Checksum(stream, castagnoli)})
	return nil
}

// finish writes the index and gives the file its name. When it fails the caller discards the spool.
func (s *spool) finish() (*spooled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tail := s.streams.encode()
	length := int64(len(tail))
	if err := s.store.disk.take(s.key.Query, length); err != nil {
		return nil, err
	}
	at := s.size
	s.size += length
	if _, err := s.file.WriteAt(tail, at); err != nil {
		return nil, diskError("write a spool", err)
	}
	// It is not synced: the file does not outlive this process, whoever needs it after a crash runs the task again.
	if err := s.file.Close(); err != nil {
		return nil, diskError("write a spool", err)
	}
	if err := os.Rename(s.path+tempSuffix, s.path); err != nil {
		return nil, diskError("commit a spool", err)
	}
	return &spooled{store: s.store, key: s.key, path: s.path, partitions: len(s.streams), bytes: s.size}, nil
}

// discard removes the file, complete or not.
func (s *spool) discard() {
	_ = s.file.Close() // twice after finish, which is no harm
	for _, path := range []string{s.path + tempSuffix, s.path} {
		_ = os.Remove(path)
	}
	s.store.disk.give(s.key.Query, s.size)
	s.store.files.Add(-1)
}
