package flightserver

import (
	"encoding/binary"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// The header of a message of an Arrow stream is a flatbuffer: tables that point at each other by offsets, and vectors that say how long
// they are. Arrow's reader follows and believes them, so that a few bytes make it ask for terabytes, which nothing can recover from.
// A header is therefore walked here first, by the tables that Arrow's Message.fbs and Schema.fbs name, and refused where something
// points outside of it.

const (
	// headerDepthMax bounds how deeply columns are nested.
	headerDepthMax = 64
	// The kinds of messages that a stream of rows has.
	headerSchema, headerDictionary, headerBatch = 1, 2, 3
	// The types whose tables have more than numbers.
	typeTimestamp, typeUnion = 10, 14
)

// A headerWalk is one walk over a header. Its methods report whether all is within bounds.
type headerWalk struct {
	b []byte
	// left counts the tables that may still be visited: each takes 4 bytes at least, unless several places point at one, which could
	// be repeated without end.
	left int
}

// checkHeader refuses a header that Arrow's reader must not see. An empty one is not its business.
func checkHeader(b []byte) error {
	w := &headerWalk{b: b, left: len(b) / 4}
	if len(b) > 0 && !w.message() {
		return qerr.New(qerr.User, "the header of a message of %d bytes is not one of an Arrow stream of rows", len(b))
	}
	return nil
}

// u32 reads a number, within bounds.
func (w *headerWalk) u32(at int) (n int, ok bool) {
	if at < 0 || at+4 > len(w.b) {
		return 0, false
	}
	return int(binary.LittleEndian.Uint32(w.b[at:])), true
}

// table checks the table at a place and its list of fields.
func (w *headerWalk) table(at int) bool {
	w.left--
	back, ok := w.u32(at)
	if !ok || w.left < 0 {
		return false
	}
	fields := at - int(int32(back))
	if fields < 0 || fields+4 > len(w.b) {
		return false
	}
	size, inline := int(binary.LittleEndian.Uint16(w.b[fields:])), int(binary.LittleEndian.Uint16(w.b[fields+2:]))
	if size < 4 || size%2 != 0 || fields+size > len(w.b) || inline < 4 || at+inline > len(w.b) {
		return false
	}
	for slot := fields + 4; slot < fields+size; slot += 2 {
		// The widest field has 8 bytes; that of a narrower one at the end is within what the table says of itself.
		if int(binary.LittleEndian.Uint16(w.b[slot:])) >= inline {
			return false
		}
	}
	return true
}

// field is the place of a table's field; 0 when it has none. The table was checked.
func (w *headerWalk) field(table, number int) int {
	back, _ := w.u32(table)
	fields := table - int(int32(back))
	slot := 4 + 2*number
	if slot >= int(binary.LittleEndian.Uint16(w.b[fields:])) {
		return 0
	}
	if offset := int(binary.LittleEndian.Uint16(w.b[fields+slot:])); offset != 0 {
		return table + offset
	}
	return 0
}

// byteOf is a one-byte field's value; 0 by default.
func (w *headerWalk) byteOf(table, number int) int {
	if at := w.field(table, number); at > 0 && at < len(w.b) {
		return int(w.b[at])
	}
	return 0
}

// numbers checks that fields are wholly within the header, of so many bytes each.
func (w *headerWalk) numbers(table, bytes int, fields ...int) bool {
	for _, number := range fields {
		if at := w.field(table, number); at+bytes > len(w.b) {
			return false
		}
	}
	return true
}

// child follows a field to what it points at; there is none when ok is false or at is 0.
func (w *headerWalk) child(table, number int) (at int, ok bool) {
	from := w.field(table, number)
	if from == 0 {
		return 0, true
	}
	offset, ok := w.u32(from)
	return from + offset, ok && offset > 0 && from+offset < len(w.b)
}

// vector checks a vector of elements of a size, and returns where they are and how many.
func (w *headerWalk) vector(table, number, size int) (first, count int, ok bool) {
	at, ok := w.child(table, number)
	if at == 0 || !ok {
		return 0, 0, ok
	}
	count, ok = w.u32(at)
	return at + 4, count, ok && count <= (len(w.b)-at-4)/size
}

// vectors checks fields that are texts, or vectors of numbers of a size.
func (w *headerWalk) vectors(table, size int, numbers ...int) bool {
	for _, number := range numbers {
		if _, _, ok := w.vector(table, number, size); !ok {
			return false
		}
	}
	return true
}

// tables checks a vector of tables.
func (w *headerWalk) tables(table, number int, check func(at int) bool) bool {
	first, count, ok := w.vector(table, number, 4)
	for i := range count {
		offset, found := w.u32(first + 4*i)
		if !ok || !found || !w.table(first+4*i+offset) || !check(first+4*i+offset) {
			return false
		}
	}
	return ok
}

// pairs checks a vector of keys with values.
func (w *headerWalk) pairs(table, number int) bool {
	return w.tables(table, number, func(at int) bool { return w.vectors(at, 1, 0, 1) })
}

func (w *headerWalk) message() bool {
	root, ok := w.u32(0)
	if !ok || !w.table(root) || !w.numbers(root, 2, 0) || !w.numbers(root, 8, 3) || !w.pairs(root, 4) {
		return false
	}
	header, ok := w.child(root, 2)
	if !ok || header == 0 || !w.table(header) {
		return false
	}
	switch w.byteOf(root, 1) {
	case headerSchema:
		return w.numbers(header, 2, 0) && w.pairs(header, 2) && w.vectors(header, 8, 3) &&
			w.tables(header, 1, func(at int) bool { return w.column(at, headerDepthMax) })
	case headerDictionary:
		data, ok := w.child(header, 1)
		return ok && data != 0 && w.numbers(header, 8, 0) && w.table(data) && w.batch(data)
	case headerBatch:
		return w.batch(header)
	}
	return false
}

// batch checks a RecordBatch: nodes and buffers are pairs of 8-byte numbers. The last vector says how many of the buffers are those of
// columns of views.
func (w *headerWalk) batch(at int) bool {
	compression, ok := w.child(at, 3)
	if !ok || compression != 0 && !w.table(compression) || !w.numbers(at, 8, 0) || !w.vectors(at, 16, 1) {
		return false
	}
	_, buffers, ok := w.vector(at, 2, 16)
	first, counts, found := w.vector(at, 4, 8)
	for i := range counts {
		if !found {
			break
		}
		n := binary.LittleEndian.Uint64(w.b[first+8*i:])
		if n > uint64(buffers) {
			return false
		}
		buffers -= int(n)
	}
	return ok && found
}

// column checks a Field and those in it.
func (w *headerWalk) column(at, depth int) bool {
	kind, ok := w.child(at, 3)
	if !ok || depth == 0 || kind != 0 && !w.columnType(kind, w.byteOf(at, 2)) {
		return false
	}
	if encoding, ok := w.child(at, 4); !ok || encoding != 0 && !w.encoding(encoding) {
		return false
	}
	return w.vectors(at, 1, 0) && w.pairs(at, 6) && w.tables(at, 5, func(at int) bool { return w.column(at, depth-1) })
}

// columnType checks the table of a type: numbers, but for a time zone and the members of a union.
func (w *headerWalk) columnType(at, kind int) bool {
	if !w.table(at) {
		return false
	}
	switch kind {
	case typeTimestamp:
		return w.numbers(at, 2, 0) && w.vectors(at, 1, 1)
	case typeUnion:
		return w.numbers(at, 2, 0) && w.vectors(at, 4, 1)
	}
	return true // Only numbers: one past the end makes the reader panic, which it recovers from.
}

// encoding checks a DictionaryEncoding.
func (w *headerWalk) encoding(at int) bool {
	if !w.table(at) || !w.numbers(at, 8, 0) {
		return false
	}
	index, ok := w.child(at, 1)
	return ok && (index == 0 || w.columnType(index, 0))
}
