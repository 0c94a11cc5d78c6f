package exchange

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// A stretch is one stream in a spool file.
type stretch struct {
	offset, length, rows int64
	sum                  uint32 // CRC32C of its bytes
}

// An index has the stretches of each partition, in the order in which they were written.
type index [][]stretch

// tailBytes is the length of what stands behind the index.
const tailBytes = 8 + 4 + 8

const magic = "ARBSPL\x00\x01"

// encode gives the index as it stands at the end of the file, with its length, checksum and the magic.
func (x index) encode() []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, uint32(len(x)))
	for _, stretches := range x {
		b = le.AppendUint32(b, uint32(len(stretches)))
		for _, s := range stretches {
			b = le.AppendUint64(b, uint64(s.offset))
			b = le.AppendUint64(b, uint64(s.length))
			b = le.AppendUint64(b, uint64(s.rows))
			b = le.AppendUint32(b, s.sum)
		}
	}
	length, sum := len(b), crc32.Checksum(b, castagnoli)
	b = le.AppendUint64(b, uint64(length))
	b = le.AppendUint32(b, sum)
	return append(b, magic...)
}

var (
	errTail  = errors.New("it does not end as a spool does: it is cut short, or something else")
	errIndex = errors.New("its index is damaged")
)

// tailOf reads how long the index is, out of a file's last tailBytes bytes.
func tailOf(tail []byte, fileBytes int64) (length int64, sum uint32, err error) {
	if len(tail) != tailBytes || string(tail[12:]) != magic {
		return 0, 0, errTail
	}
	n := binary.LittleEndian.Uint64(tail)
	if n > uint64(fileBytes-tailBytes) {
		return 0, 0, errIndex
	}
	return int64(n), binary.LittleEndian.Uint32(tail[8:]), nil
}

// decodeIndex reads an index, of a file with so many bytes before it.
func decodeIndex(b []byte, sum uint32, dataBytes int64) (index, error) {
	if crc32.Checksum(b, castagnoli) != sum {
		return nil, errIndex
	}
	const stretchBytes = 28
	le := binary.LittleEndian
	if len(b) < 4 {
		return nil, errIndex
	}
	partitions := int64(le.Uint32(b))
	b = b[4:]
	if partitions > int64(len(b)/4) { // each has its count
		return nil, errIndex
	}
	x := make(index, partitions)
	for p := range x {
		if len(b) < 4 {
			return nil, errIndex
		}
		count := int64(le.Uint32(b))
		b = b[4:]
		if count > int64(len(b)/stretchBytes) {
			return nil, errIndex
		}
		x[p] = make([]stretch, count)
		for i := range x[p] {
			s := stretch{int64(le.Uint64(b)), int64(le.Uint64(b[8:])), int64(le.Uint64(b[16:])), le.Uint32(b[24:])}
			if s.offset < 0 || s.length < 0 || s.offset > dataBytes-s.length {
				return nil, errIndex
			}
			x[p][i] = s
			b = b[stretchBytes:]
		}
	}
	if len(b) != 0 {
		return nil, errIndex
	}
	return x, nil
}
