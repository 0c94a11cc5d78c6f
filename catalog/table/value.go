package table

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Value is a value of an ordered type, in a form that compares as the engine orders the type: Number holds integers,
// the unscaled digits of a DECIMAL, days of a DATE, and TIME and TIMESTAMPs in their type's own unit since midnight or
// 1970 UTC; Text holds a VARCHAR, which is ordered by its bytes.
type Value struct {
	Number int64
	Text   string
}

// Compare is negative, 0 or positive as v is before, at or after o. Both must be of one type.
func (v Value) Compare(o Value) int {
	if v.Number != o.Number {
		return cmp.Compare(v.Number, o.Number)
	}
	return strings.Compare(v.Text, o.Text)
}

// decimalDigitsMax is the widest DECIMAL whose unscaled digits fit 64 bits.
const decimalDigitsMax = 18

// Ordered reports whether values of the type have a Value. FLOAT and DOUBLE have none: statistics leave out NaN, which the
// engine orders last. Neither have the 128-bit types, BLOB, or what is a VARCHAR under another name.
func (t Type) Ordered() bool {
	switch t.ID {
	case TinyInt, SmallInt, Integer, BigInt, UTinyInt, USmallInt, UInteger, UBigInt, Date, Time,
		Timestamp, TimestampS, TimestampMS, TimestampNS, TimestampTZ:
		return true
	case Decimal:
		return t.Width <= decimalDigitsMax
	case Varchar:
		return t.Alias == ""
	}
	return false
}

// UnitsPerSecond is the resolution of a type of times; 0 for others.
func (t Type) UnitsPerSecond() int64 {
	switch t.ID {
	case TimestampS:
		return 1
	case TimestampMS:
		return 1e3
	case Time, Timestamp, TimestampTZ:
		return 1e6
	case TimestampNS:
		return 1e9
	}
	return 0
}

// ParseValue reads a value from the text that casts to the type; ok is false for a type that is not ordered, and for texts
// that are legal but rare (infinity, exponents, years that have not four digits).
func ParseValue(text string, t Type) (Value, bool) {
	if !t.Ordered() {
		return Value{}, false
	}
	switch t.ID {
	case Varchar:
		return Value{Text: text}, utf8.ValidString(text)
	case Decimal:
		n, ok := unscaled(text, int(t.Scale))
		return Value{Number: n}, ok
	case Date:
		d, err := time.Parse("2006-1-2", text)
		return Value{Number: FloorDiv(d.Unix(), 86400)}, err == nil && d.Year() >= 1
	case Time:
		d, err := time.Parse("15:04:05.999999", text)
		return Value{Number: int64(d.Sub(d.Truncate(24*time.Hour)) / time.Microsecond)}, err == nil
	case Timestamp, TimestampS, TimestampMS, TimestampNS, TimestampTZ:
		return parseMoment(text, t)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return Value{Number: n}, err == nil
}

func parseMoment(text string, t Type) (Value, bool) {
	plain, utc := strings.CutSuffix(text, "+00")
	if utc != (t.ID == TimestampTZ) {
		return Value{}, false
	}
	d, err := time.Parse("2006-1-2 15:04:05.999999999", strings.Replace(plain, "T", " ", 1))
	if err != nil || d.Year() < 1 {
		return Value{}, false
	}
	units := t.UnitsPerSecond()
	perUnit := int64(1e9) / units
	if units == 1e9 && (d.Year() < 1678 || d.Year() > 2261) || int64(d.Nanosecond())%perUnit != 0 {
		return Value{}, false
	}
	return Value{Number: d.Unix()*units + int64(d.Nanosecond())/perUnit}, true
}

// unscaled reads a decimal number as a multiple of 10^-scale; false when it is none, or is wider.
func unscaled(text string, scale int) (int64, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > scale || whole == "" || whole == "-" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", scale-len(fraction)), 10, 64)
	return n, err == nil
}

// FloorDiv divides by d > 0 and rounds down, also below zero: the last moment before 1970 is of the day before, not of day 0.
func FloorDiv(n, d int64) int64 {
	q := n / d
	if n%d < 0 {
		q--
	}
	return q
}

// SQL prints the value as a constant of the type; ok is false for dates outside the years 1 to 9999 and for texts that are
// no UTF-8 or hold a zero byte.
func (v Value) SQL(t Type) (sql string, ok bool) {
	text := strconv.FormatInt(v.Number, 10)
	switch t.ID {
	case Varchar:
		return Literal(v.Text), utf8.ValidString(v.Text) && strings.IndexByte(v.Text, 0) < 0
	case Decimal:
		sign, digits := "", text
		if v.Number < 0 {
			sign, digits = "-", text[1:]
		}
		scale := int(t.Scale)
		digits = strings.Repeat("0", max(0, scale+1-len(digits))) + digits
		if scale > 0 {
			digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
		}
		text = "'" + sign + digits + "'"
	case Date:
		if v.Number > math.MaxInt32 || v.Number < math.MinInt32 {
			return "", false
		}
		d := time.Unix(v.Number*86400, 0).UTC()
		text, ok = d.Format("2006-01-02"), d.Year() >= 1 && d.Year() <= 9999
		return "CAST('" + text + "' AS DATE)", ok
	case Time, Timestamp, TimestampS, TimestampMS, TimestampNS, TimestampTZ:
		text, ok = momentText(v.Number, t)
		return "CAST('" + text + "' AS " + t.SQL() + ")", ok
	}
	return fmt.Sprintf("CAST(%s AS %s)", text, t.SQL()), t.Ordered()
}

func momentText(n int64, t Type) (string, bool) {
	units := t.UnitsPerSecond()
	seconds := FloorDiv(n, units)
	if seconds > 1<<40 || seconds < -(1<<40) {
		return "", false
	}
	d := time.Unix(seconds, (n-seconds*units)*(1e9/units)).UTC()
	switch {
	case t.ID == Time:
		return d.Format("15:04:05.999999"), n >= 0 && seconds < 86400
	case d.Year() < 1 || d.Year() > 9999:
		return "", false
	case t.ID == TimestampTZ:
		return d.Format("2006-01-02 15:04:05.999999999") + "+00", true
	}
	return d.Format("2006-01-02 15:04:05.999999999"), true
}
