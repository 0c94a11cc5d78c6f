package footer

import (
	"math"
	"unicode/utf8"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

const (
	// zoneTextBytesMax bounds a text in a zone: longer ones are cut, the maximum upwards.
	zoneTextBytesMax = 32
	// zoneBytesMax bounds the zones of one file; one with more keeps a single entry a column. A file of a hundred row groups
	// of twenty columns stays under it, so ten thousand files of tens of row groups stay under the catalog's cache.
	zoneBytesMax = 128 << 10
)

// A Zone is the bounds of one column of one file by row group, as values of the file's own type. Group for group it is no
// less careful than Range.
type Zone struct {
	kind  boundKind // 0 while nothing is known
	scale int64
	// mixed says that row groups had bounds of several kinds: nothing is known then.
	mixed bool
	zone  table.Zone
}

// add appends the next row group.
func (z *Zone) add(r Range, nulls table.NullState) {
	if r.Valid() && z.kind == 0 && !z.mixed {
		// Row groups before this one had no bounds; now their entries get the right form.
		earlier := z.zone.Nulls
		z.kind, z.scale, z.zone = r.min.kind, r.min.scale, table.Zone{}
		for _, n := range earlier {
			z.zone.Add(table.Bounds{Nulls: n}, z.kind == text)
		}
	}
	b := table.Bounds{Nulls: nulls}
	if r.Valid() {
		if r.min.kind != z.kind || r.min.scale != z.scale {
			z.mixed = true
		}
		b.Min, b.Max, b.Known = zoneBounds(r)
	}
	z.zone.Add(b, z.kind == text)
}

func zoneBounds(r Range) (lo, hi table.Value, ok bool) {
	switch r.min.kind {
	case text:
		return table.Value{Text: cutText(r.min.text)}, table.Value{Text: cutTextUp(r.max.text)}, true
	case unsigned:
		// Those of the upper half are rare, and have no Value.
		return table.Value{Number: r.min.number}, table.Value{Number: r.max.number}, r.min.number >= 0 && r.max.number >= 0
	case boolean:
		return table.Value{}, table.Value{}, false
	}
	return table.Value{Number: r.min.number}, table.Value{Number: r.max.number}, true
}

// cutText cuts a text to at most zoneTextBytesMax bytes, at a rune's edge. It is not after the whole text.
func cutText(s string) string {
	if len(s) <= zoneTextBytesMax {
		return s
	}
	end := zoneTextBytesMax
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// cutTextUp cuts a text likewise and raises its last byte, so that it is after the whole text. The result may be no UTF-8;
// it is only compared.
func cutTextUp(s string) string {
	cut := cutText(s)
	if len(cut) == len(s) {
		return s
	}
	raised := []byte(cut)
	raised[len(raised)-1]++ // UTF-8 has no byte 0xFF
	return string(raised)
}

// As returns the zone for a table's column of the type, which the engine makes of the file's own; ok is false where nothing
// is known. Bounds stay true: units of time are rounded outwards. The result shares the zone's memory where it can.
func (z *Zone) As(t table.Type) (_ table.Zone, ok bool) {
	if z.mixed || z.kind == 0 && !z.zone.Known() || !t.Ordered() {
		return table.Zone{}, false
	}
	if z.kind == 0 {
		return z.zone, true // only what is known of NULLs
	}
	multiply, divide, ok := z.conversion(t)
	if !ok {
		return table.Zone{}, false
	}
	if multiply == 1 && divide == 1 {
		return z.zone, true
	}
	converted := table.Zone{}
	for g := range z.zone.Nulls {
		b := z.zone.At(g)
		if b.Known {
			b.Min.Number, b.Known = rescale(b.Min.Number, multiply, divide, false)
			if b.Known {
				b.Max.Number, b.Known = rescale(b.Max.Number, multiply, divide, true)
			}
		}
		converted.Add(b, false)
	}
	return converted, true
}

// conversion says by what a number of the file's type becomes one of the table's.
func (z *Zone) conversion(t table.Type) (multiply, divide int64, ok bool) {
	switch z.kind {
	case text:
		return 1, 1, t.ID == table.Varchar
	case signed, unsigned:
		switch t.ID {
		case table.TinyInt, table.SmallInt, table.Integer, table.BigInt, table.UTinyInt, table.USmallInt, table.UInteger, table.UBigInt:
			return 1, 1, true
		}
	case decimal:
		return 1, 1, t.ID == table.Decimal && int64(t.Scale) == z.scale
	case date:
		if t.ID == table.Date {
			return 1, 1, true
		}
		if units := t.UnitsPerSecond(); units > 0 && t.ID != table.Time && t.ID != table.TimestampTZ {
			return 86400 * units, 1, true
		}
	case timeOfDay:
		return perSecond(z.scale, t.UnitsPerSecond(), t.ID == table.Time)
	case timestamp, timestampUTC:
		return perSecond(z.scale, t.UnitsPerSecond(), t.UnitsPerSecond() > 0 && t.ID != table.Time)
	}
	return 0, 0, false
}

func perSecond(from, to int64, ok bool) (multiply, divide int64, _ bool) {
	switch {
	case !ok:
		return 0, 0, false
	case from <= to:
		return to / from, 1, true
	}
	return 1, from / to, true
}

func rescale(n, multiply, divide int64, up bool) (int64, bool) {
	if n > math.MaxInt64/multiply || n < math.MinInt64/multiply {
		return 0, false
	}
	n *= multiply
	q, rest := n/divide, n%divide
	switch {
	case rest > 0 && up:
		q++
	case rest < 0 && !up:
		q--
	}
	return q, true
}
