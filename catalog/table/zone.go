package table

// A NullState says what is known of the NULLs of a column in some rows.
type NullState uint8

// The null states.
const (
	NullsUnknown NullState = iota
	NullsNone
	NullsSome
	NullsOnly
)

// Bounds are what statistics tell of a column in a run of rows: every value that is not NULL lies between Min and Max, when
// Known. Bounds need not be values that occur: writers cut long texts.
type Bounds struct {
	Min, Max Value
	Known    bool
	Nulls    NullState
}

// A Zone holds the bounds of one column of one file, by row group, or one for the whole file, in the order of the values of
// the table's column. The zero Zone knows nothing. Numbers and texts are kept as pairs min, max; a pair in the wrong order
// is not known. There are never both.
type Zone struct {
	Numbers []int64
	Texts   []string
	Nulls   []NullState
}

// Add appends what is known of the next row group. A zone holds bounds of one type only.
func (z *Zone) Add(b Bounds, text bool) {
	z.Nulls = append(z.Nulls, b.Nulls)
	switch {
	case text && b.Known:
		z.Texts = append(z.Texts, b.Min.Text, b.Max.Text)
	case text:
		z.Texts = append(z.Texts, "\x01", "")
	case b.Known:
		z.Numbers = append(z.Numbers, b.Min.Number, b.Max.Number)
	default:
		z.Numbers = append(z.Numbers, 1, 0)
	}
}

// Known reports whether the zone knows anything.
func (z *Zone) Known() bool { return len(z.Nulls) > 0 }

// At returns what is known of row group g; with one entry for the whole file, that of the file.
func (z *Zone) At(g int) Bounds {
	if len(z.Nulls) == 0 {
		return Bounds{}
	}
	if g < 0 || g >= len(z.Nulls) {
		g = 0
		if len(z.Nulls) > 1 {
			return Bounds{}
		}
	}
	b := Bounds{Nulls: z.Nulls[g]}
	switch {
	case len(z.Numbers) > 0:
		b.Min.Number, b.Max.Number = z.Numbers[2*g], z.Numbers[2*g+1]
	case len(z.Texts) > 0:
		b.Min.Text, b.Max.Text = z.Texts[2*g], z.Texts[2*g+1]
	default:
		return b
	}
	b.Known = b.Min.Compare(b.Max) <= 0
	if !b.Known {
		b.Min, b.Max = Value{}, Value{}
	}
	return b
}

// Whole returns what is known of all row groups together.
func (z *Zone) Whole() Bounds {
	if len(z.Nulls) == 0 {
		return Bounds{}
	}
	var all Bounds
	known := true
	for g := range z.Nulls {
		b := z.At(g)
		switch {
		case b.Nulls == NullsOnly:
		case !b.Known:
			known = false
		case !all.Known:
			all.Min, all.Max, all.Known = b.Min, b.Max, true
		default:
			if b.Min.Compare(all.Min) < 0 {
				all.Min = b.Min
			}
			if b.Max.Compare(all.Max) > 0 {
				all.Max = b.Max
			}
		}
		all.Nulls = bothNulls(all.Nulls, b.Nulls, g == 0)
	}
	if !known {
		return Bounds{Nulls: all.Nulls}
	}
	return all
}

func bothNulls(a, b NullState, first bool) NullState {
	switch {
	case first || a == b:
		return b
	case a == NullsUnknown || b == NullsUnknown:
		return NullsUnknown
	}
	return NullsSome
}

// Coarse returns a zone with one entry for the whole file.
func (z *Zone) Coarse() Zone {
	var whole Zone
	if z.Known() {
		whole.Add(z.Whole(), len(z.Texts) > 0)
	}
	return whole
}

// MemoryBytes estimates what the zone takes in memory.
func (z *Zone) MemoryBytes() int64 {
	bytes := 72 + 8*int64(len(z.Numbers)) + 16*int64(len(z.Texts)) + int64(len(z.Nulls))
	for i, t := range z.Texts {
		if i < 2 || t != z.Texts[i-2] { // equal neighbours share their bytes
			bytes += int64(len(t))
		}
	}
	return bytes
}

// Zone returns what is known of a column of the table in the file.
func (f *File) Zone(column int) *Zone {
	if column < 0 || column >= len(f.Zones) {
		return &Zone{}
	}
	return &f.Zones[column]
}
