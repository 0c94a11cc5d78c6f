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
	// The types whose tables have more than numbers, and the views.
	typeTimestamp, typeUnion, typeBinaryView, typeUtf8View = 10, 14, 23, 24
)

// streamHeaders checks the headers of one stream, in order. The zero value is ready for its first.
type streamHeaders struct {
	// known is set once there was a schema: a second one would say of the rows what the reader does not know.
	known bool
	// views is how many columns of views a batch has, at any depth; dictionaries says it of the values of each dictionary, by its id.
	// A batch counts the buffers of each such column, and the reader takes what lies behind the counts for one that is missing.
	views        int
	dictionaries map[uint64]int
}

// check refuses a header that Arrow's reader must not see. An empty one is not its business.
func (s *streamHeaders) check(b []byte) error {
	w := &headerWalk{b: b, left: len(b) / 4}
	if len(b) > 0 && !s.message(w) {
		return qerr.New(qerr.User, "the header of a message of %d bytes is not one of an Arrow stream of rows", len(b))
	}
	return nil
}

func (s *streamHeaders) message(w *headerWalk) bool {
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
		return s.schema(w, header)
	case headerDictionary:
		data, ok := w.child(header, 1)
		return ok && data != 0 && w.numbers(header, 8, 0) && w.table(data) && w.batch(data, s.dictionaries[w.long(header, 0)])
	case headerBatch:
		return w.batch(header, s.views)
	}
	return false
}

// schema checks a Schema and counts its views.
func (s *streamHeaders) schema(w *headerWalk, at int) bool {
	if s.known {
		return false
	}
	s.known, s.dictionaries = true, map[uint64]int{}
	return w.numbers(at, 2, 0) && w.pairs(at, 2) && w.vectors(at, 8, 3) &&
		w.tables(at, 1, func(at int) bool { return s.column(w, at, &s.views, headerDepthMax) })
}

// batch checks a RecordBatch with so many columns of views: nodes and buffers are pairs of 8-byte numbers. The last vector says how
// many of the buffers are those of each such column.
func (w *headerWalk) batch(at, views int) bool {
	compression, ok := w.child(at, 3)
	if !ok || compression != 0 && !w.table(compression) || !w.numbers(at, 8, 0) || !w.vectors(at, 16, 1) {
		return false
	}
	_, buffers, ok := w.vector(at, 2, 16)
	first, counts, found := w.vector(at, 4, 8)
	if !ok || !found || counts < views {
		return false
	}
	for i := range counts {
		n := binary.LittleEndian.Uint64(w.b[first+8*i:])
		if n > uint64(buffers) {
			return false
		}
		buffers -= int(n)
	}
	return true
}

// column checks a Field and those in it, and adds the views among them to those of the batches that have them: a dictionary's values
// come in batches of their own.
func (s *streamHeaders) column(w *headerWalk, at int, views *int, depth int) bool {
	kind, ok := w.child(at, 3)
	if !ok || depth == 0 || kind != 0 && !w.columnType(kind, w.byteOf(at, 2)) {
		return false
	}
	encoding, ok := w.child(at, 4)
	if !ok || encoding != 0 && !w.encoding(encoding) {
		return false
	}
	if encoding != 0 {
		values, id := 0, w.long(encoding, 0)
		views = &values
		defer func() { s.dictionaries[id] = max(s.dictionaries[id], values) }()
	}
	if t := w.byteOf(at, 2); t == typeBinaryView || t == typeUtf8View {
		*views++
	}
	return w.vectors(at, 1, 0) && w.pairs(at, 6) && w.tables(at, 5, func(at int) bool { return s.column(w, at, views, depth-1) })
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
