package exchange

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sys/unix"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// alignBytes is where buffers begin in a mapped file: what Arrow recommends, so that vector instructions may read them.
const alignBytes = 64

// A mapped is a file of batches as they lie in memory, to be mapped when the last was added. It has no name, so that it goes
// with the process, and nobody can cut it short: reading a page that is not there would end the process.
type mapped struct {
	store *Store
	query ids.QueryID
	file  *os.File

	mu   sync.Mutex
	size int64 // guarded by mu; booked
}

// A placed batch is one in a mapped file.
type placed struct {
	schema  *arrow.Schema
	rows    int64
	columns []placedArray
}

type placedArray struct {
	dataType            arrow.DataType
	length, nulls, from int
	buffers             []extent
	children            []placedArray
}

// An extent is a buffer in the file. One that is not there has an offset < 0.
type extent struct{ offset, length int64 }

func (s *Store) newMapped(query ids.QueryID) (*mapped, error) {
	path := filepath.Join(s.dir.Path(), "input-"+strconv.FormatInt(s.inputs.Add(1), 10)+tempSuffix)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, diskError("make a file for inputs", err)
	}
	if err := os.Remove(path); err != nil {
		_ = file.Close()
		return nil, diskError("make a file for inputs", err)
	}
	s.files.Add(1)
	return &mapped{store: s, query: query, file: file}, nil
}

// add writes a batch, which stays the caller's. Several may be under way at once.
func (m *mapped) add(batch arrow.RecordBatch) (*placed, error) {
	p := &placed{schema: batch.Schema(), rows: batch.NumRows()}
	for _, column := range batch.Columns() {
		a, err := m.addArray(column.Data())
		if err != nil {
			return nil, err
		}
		p.columns = append(p.columns, a)
	}
	return p, nil
}

func (m *mapped) addArray(data arrow.ArrayData) (placedArray, error) {
	a := placedArray{dataType: data.DataType(), length: data.Len(), nulls: data.NullN(), from: data.Offset()}
	for _, b := range data.Buffers() {
		e := extent{offset: -1}
		if b != nil {
			var err error
			if e, err = m.write(b.Bytes()); err != nil {
				return a, err
			}
		}
		a.buffers = append(a.buffers, e)
	}
	for _, child := range data.Children() {
		c, err := m.addArray(child)
		if err != nil {
			return a, err
		}
		a.children = append(a.children, c)
	}
	return a, nil
}

func (m *mapped) write(b []byte) (extent, error) {
	length := (int64(len(b)) + alignBytes - 1) / alignBytes * alignBytes
	if err := m.store.disk.take(m.query, length); err != nil {
		return extent{}, err
	}
	m.mu.Lock()
	at := m.size
	m.size += length
	m.mu.Unlock()
	if _, err := m.file.WriteAt(b, at); err != nil {
		return extent{}, diskError("spill an input", err)
	}
	return extent{at, int64(len(b))}, nil
}

// drop frees a file that was not mapped.
func (m *mapped) drop() {
	_ = m.file.Close()
	m.store.disk.give(m.query, m.size)
	m.store.files.Add(-1)
}

// open maps the file and takes it over, also when it fails. The caller lets go of the mapping once; it goes with the last
// batch made of it.
func (m *mapped) open() (*mapping, error) {
	if m.size == 0 {
		m.drop()
		return &mapping{}, nil
	}
	b, err := unix.Mmap(int(m.file.Fd()), 0, int(m.size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		m.drop()
		return nil, diskError("map the inputs", err)
	}
	_ = m.file.Close() // the mapping keeps the file
	view := &mapping{bytes: b, file: m}
	view.users.Store(1)
	return view, nil
}

// A mapping is a mapped file as memory. It is the allocator of its buffers, which only free.
type mapping struct {
	bytes []byte
	file  *mapped
	users atomic.Int64
}

// Allocate implements memory.Allocator; it is never called, as the buffers do not grow.
func (m *mapping) Allocate(int) []byte { return nil }

// Reallocate implements memory.Allocator; see Allocate.
func (m *mapping) Reallocate(int, []byte) []byte { return nil }

// Free implements memory.Allocator.
func (m *mapping) Free([]byte) { m.letGo() }

func (m *mapping) letGo() {
	if m.file != nil && m.users.Add(-1) == 0 {
		_ = unix.Munmap(m.bytes) // fails for wrong arguments only
		m.file.store.disk.give(m.file.query, m.file.size)
		m.file.store.files.Add(-1)
	}
}

// batch makes a placed batch again. The caller owns it.
func (m *mapping) batch(p *placed) arrow.RecordBatch {
	columns := make([]arrow.Array, len(p.columns))
	for i, c := range p.columns {
		data := m.array(c)
		columns[i] = array.MakeFromData(data)
		data.Release()
	}
	batch := array.NewRecordBatch(p.schema, columns, p.rows)
	for _, c := range columns {
		c.Release()
	}
	return batch
}

func (m *mapping) array(a placedArray) arrow.ArrayData {
	buffers := make([]*memory.Buffer, len(a.buffers))
	for i, e := range a.buffers {
		switch {
		case e.offset < 0:
		case e.length == 0:
			buffers[i] = memory.NewBufferBytes([]byte{})
		default:
			m.users.Add(1)
			buffers[i] = memory.NewBufferWithAllocator(m.bytes[e.offset:e.offset+e.length:e.offset+e.length], m)
		}
	}
	children := make([]arrow.ArrayData, len(a.children))
	for i, c := range a.children {
		children[i] = m.array(c)
	}
	data := array.NewData(a.dataType, a.length, buffers, children, a.nulls, a.from)
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	for _, c := range children {
		c.Release()
	}
	return data
}
