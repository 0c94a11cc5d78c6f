package footer

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// textBytesMax bounds a text bound. A longer maximum cannot be cut (the cut would be less), so it is left out.
const textBytesMax = 256

// A boundKind says what a bound's number means; only bounds of one kind can be compared.
type boundKind uint8

const (
	boolean boundKind = iota + 1
	signed
	unsigned
	decimal
	date // days since 1970-01-01
	timeOfDay
	timestamp
	timestampUTC
	text
)

// A bound is one end of a range.
type bound struct {
	kind boundKind
	// scale is a decimal's digits after the point, or the units a second of times.
	scale  int64
	number int64 // unsigned: its bits
	text   string
}

// A Range is the smallest and largest value of a column. The zero Range is invalid: nothing is known.
type Range struct{ min, max bound }

// Valid reports whether the range bounds anything.
func (r Range) Valid() bool { return r.min.kind != 0 }

// Text gives both ends in DuckDB's text form; ok is false for an invalid range, and for dates outside 0001–9999.
func (r Range) Text() (min, max string, ok bool) {
	min, okMin := r.min.print()
	max, okMax := r.max.print()
	return min, max, okMin && okMax
}

// Merge returns the range of both; invalid when either is, or when they are of different kinds.
func (r Range) Merge(o Range) Range {
	m := rangeMerge{}
	m.add(r)
	m.add(o)
	return m.result()
}

// A rangeMerge merges ranges of parts of a column.
type rangeMerge struct {
	unknown bool
	any     bool
	r       Range
}

func (m *rangeMerge) add(r Range) {
	switch {
	case m.unknown:
	case !r.Valid():
		m.unknown = true
	case !m.any:
		m.any, m.r = true, r
	case m.r.min.kind != r.min.kind || m.r.min.scale != r.min.scale:
		m.unknown = true
	default:
		if r.min.compare(m.r.min) < 0 {
			m.r.min = r.min
		}
		if r.max.compare(m.r.max) > 0 {
			m.r.max = r.max
		}
	}
}

func (m *rangeMerge) result() Range {
	if m.unknown {
		return Range{}
	}
	return m.r
}

func (b bound) compare(o bound) int {
	switch b.kind {
	case unsigned:
		return cmp.Compare(uint64(b.number), uint64(o.number))
	case text:
		return strings.Compare(b.text, o.text)
	}
	return cmp.Compare(b.number, o.number)
}

// rangeOf reads a row group's statistics of one column; invalid when they say nothing that can be trusted.
func rangeOf(stats metadata.TypedStatistics) Range {
	if !stats.HasMinMax() {
		return Range{}
	}
	min, okMin := boundOf(stats.Descr(), stats.EncodeMin())
	max, okMax := boundOf(stats.Descr(), stats.EncodeMax())
	if !okMin || !okMax || min.compare(max) > 0 {
		return Range{}
	}
	return Range{min, max}
}

// boundOf reads a plain-encoded value. The logical type decides; a legacy converted type has been turned into one.
func boundOf(column *schema.Column, raw []byte) (bound, bool) {
	var n int64
	switch physical := column.PhysicalType(); physical {
	case parquet.Types.Boolean:
		if len(raw) != 1 {
			return bound{}, false
		}
		return bound{kind: boolean, number: int64(raw[0] & 1)}, true
	case parquet.Types.Int32:
		if len(raw) != 4 {
			return bound{}, false
		}
		n = int64(int32(binary.LittleEndian.Uint32(raw)))
	case parquet.Types.Int64:
		if len(raw) != 8 {
			return bound{}, false
		}
		n = int64(binary.LittleEndian.Uint64(raw))
	case parquet.Types.ByteArray, parquet.Types.FixedLenByteArray:
		return bytesBound(column, raw)
	default:
		return bound{}, false
	}
	return numberBound(column, n)
}

func numberBound(column *schema.Column, n int64) (bound, bool) {
	switch t := column.LogicalType().(type) {
	case schema.NoLogicalType:
		return bound{kind: signed, number: n}, true
	case schema.IntLogicalType:
		if t.IsSigned() {
			return bound{kind: signed, number: n}, true
		}
		if column.PhysicalType() == parquet.Types.Int32 {
			n = int64(uint32(n))
		}
		return bound{kind: unsigned, number: n}, true
	case schema.DecimalLogicalType:
		return bound{kind: decimal, scale: int64(t.Scale()), number: n}, true
	case schema.DateLogicalType:
		return bound{kind: date, number: n}, true
	case schema.TimeLogicalType:
		units, ok := unitsPerSecond(t.TimeUnit())
		return bound{kind: timeOfDay, scale: units, number: n}, ok && !t.IsAdjustedToUTC()
	case schema.TimestampLogicalType:
		units, ok := unitsPerSecond(t.TimeUnit())
		kind := timestamp
		if t.IsAdjustedToUTC() {
			kind = timestampUTC
		}
		return bound{kind: kind, scale: units, number: n}, ok
	}
	return bound{}, false
}

func unitsPerSecond(u schema.TimeUnitType) (int64, bool) {
	switch u {
	case schema.TimeUnitMillis:
		return 1e3, true
	case schema.TimeUnitMicros:
		return 1e6, true
	case schema.TimeUnitNanos:
		return 1e9, true
	}
	return 0, false
}

func bytesBound(column *schema.Column, raw []byte) (bound, bool) {
	switch t := column.LogicalType().(type) {
	case schema.StringLogicalType:
		if len(raw) > textBytesMax || !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
			return bound{}, false
		}
		return bound{kind: text, text: string(raw)}, true
	case schema.DecimalLogicalType:
		n, ok := twosComplement(raw)
		return bound{kind: decimal, scale: int64(t.Scale()), number: n}, ok
	}
	return bound{}, false
}

// twosComplement reads a big-endian number, when it fits 64 bits; wider decimals go without bounds.
func twosComplement(raw []byte) (int64, bool) {
	if len(raw) == 0 {
		return 0, false
	}
	n := new(big.Int).SetBytes(raw)
	if raw[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return n.Int64(), n.IsInt64()
}

func (b bound) print() (string, bool) {
	switch b.kind {
	case boolean:
		return strconv.FormatBool(b.number != 0), true
	case signed:
		return strconv.FormatInt(b.number, 10), true
	case unsigned:
		return strconv.FormatUint(uint64(b.number), 10), true
	case decimal:
		return printDecimal(b.number, int(b.scale)), true
	case date:
		return printTime(b.number, 1, 86400, "2006-01-02")
	case timeOfDay:
		return printTime(b.number, b.scale, 1, "15:04:05")
	case timestamp:
		return printTime(b.number, b.scale, 1, "2006-01-02 15:04:05")
	case timestampUTC:
		s, ok := printTime(b.number, b.scale, 1, "2006-01-02 15:04:05")
		return s + "+00", ok
	case text:
		return b.text, true
	}
	return "", false
}

func printDecimal(n int64, scale int) string {
	digits := strconv.FormatInt(n, 10)
	if scale == 0 {
		return digits
	}
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

// printTime prints n units since 1970, with a fraction when there is one; false outside the years that print alike in
// Go and DuckDB.
func printTime(n, unitsPerSecond, secondsPerUnit int64, layout string) (string, bool) {
	seconds, fraction := n/unitsPerSecond, n%unitsPerSecond
	if fraction < 0 {
		seconds, fraction = seconds-1, fraction+unitsPerSecond
	}
	t := time.Unix(seconds*secondsPerUnit, fraction*(1e9/unitsPerSecond)).UTC()
	if t.Year() < 1 || t.Year() > 9999 || seconds > 1<<40 || seconds < -(1<<40) {
		return "", false
	}
	return t.Format(layout + ".999999999"), true
}
