package flightserver

import "encoding/binary"

// A headerWalk is one walk over a flatbuffer. Its methods report whether all is within bounds.
type headerWalk struct {
	b []byte
	// left counts the tables that may still be visited: each takes 4 bytes at least, unless several places point at one, which could
	// be repeated without end.
	left int
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

// long is an 8-byte field's value, which numbers has checked; 0 by default.
func (w *headerWalk) long(table, number int) uint64 {
	if at := w.field(table, number); at > 0 {
		return binary.LittleEndian.Uint64(w.b[at:])
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
