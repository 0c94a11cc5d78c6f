package planjson

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// moment prints dates, times, timestamps and intervals from the numbers that DuckDB stores.
func moment(m json.RawMessage, t table.Type) (string, error) {
	if t.ID == table.Interval {
		return interval(m, t)
	}
	n, err := strconv.ParseInt(string(m), 10, 64)
	if err != nil {
		return "", unread("a constant of type %s: %q", t.ID, string(m))
	}
	if s, ok := infinity(n, t); ok {
		return castTo("'"+s+"'", t), nil
	}
	var s string
	switch t.ID {
	case table.Date:
		s, err = dayText(n)
	case table.Time:
		s, err = clockText(n, 1_000_000, 6)
	case table.TimeNS:
		s, err = clockText(n, 1_000_000_000, 9)
	case table.TimeTZ:
		s, err = zonedClockText(n)
	case table.Timestamp:
		s, err = stampText(n, 1_000_000, 6)
	case table.TimestampTZ:
		s, err = stampText(n, 1_000_000, 6)
		s += "+00"
	case table.TimestampS:
		s, err = stampText(n, 1, 0)
	case table.TimestampMS:
		s, err = stampText(n, 1000, 3)
	case table.TimestampNS:
		s, err = stampText(n, 1_000_000_000, 9)
	}
	if err != nil {
		return "", err
	}
	return castTo("'"+s+"'", t), nil
}

func infinity(n int64, t table.Type) (string, bool) {
	high := int64(math.MaxInt64)
	switch t.ID {
	case table.Date:
		high = math.MaxInt32
	case table.Time, table.TimeNS, table.TimeTZ:
		return "", false
	}
	switch n {
	case high:
		return "infinity", true
	case -high:
		return "-infinity", true
	}
	return "", false
}

// yearMin and yearMax bound what is printed as plain text; the rest of DuckDB's range (years BC and beyond 9999) is rare
// enough to stay unread.
const (
	yearMin = 1
	yearMax = 9999
	daySecs = 86400
)

func dayText(days int64) (string, error) {
	if days > 1<<31 || days < -(1<<31) {
		return "", unread("the date of day %d", days)
	}
	d := time.Unix(days*daySecs, 0).UTC()
	if d.Year() < yearMin || d.Year() > yearMax {
		return "", unread("a date in the year %d", d.Year())
	}
	return d.Format("2006-01-02"), nil
}

// clockText prints a time of day in units of a second; 24:00:00 is a time of day, too.
func clockText(n, unit int64, digits int) (string, error) {
	if n < 0 || n > daySecs*unit {
		return "", unread("a time of day of %d", n)
	}
	s := n / unit
	text := fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
	if f := n % unit; f != 0 {
		text += fmt.Sprintf(".%0*d", digits, f)
	}
	return text, nil
}

// zonedClockText unpacks a TIMETZ: microseconds in the upper 40 bits, the largest offset less its own in the lower 24.
func zonedClockText(n int64) (string, error) {
	const offsetMax = 16*3600 - 1
	text, err := clockText(int64(uint64(n)>>24), 1_000_000, 6)
	if err != nil {
		return "", err
	}
	offset := int64(offsetMax) - (n & 0xFFFFFF)
	sign := "+"
	if offset < 0 {
		sign, offset = "-", -offset
	}
	return fmt.Sprintf("%s%s%02d:%02d:%02d", text, sign, offset/3600, offset/60%60, offset%60), nil
}

func stampText(n, unit int64, digits int) (string, error) {
	secs, frac := n/unit, n%unit
	if frac < 0 {
		secs, frac = secs-1, frac+unit
	}
	d := time.Unix(secs, 0).UTC()
	if d.Year() < yearMin || d.Year() > yearMax || secs > 1<<40 || secs < -(1<<40) {
		return "", unread("a timestamp in the year %d", d.Year())
	}
	text := d.Format("2006-01-02 15:04:05")
	if frac != 0 {
		text += fmt.Sprintf(".%0*d", digits, frac)
	}
	return text, nil
}

func interval(m json.RawMessage, t table.Type) (string, error) {
	var i struct {
		Months *int32 `json:"months"`
		Days   *int32 `json:"days"`
		Micros *int64 `json:"micros"`
	}
	if strict(m, &i) != nil || i.Months == nil || i.Days == nil || i.Micros == nil {
		return "", unread("an interval %q", string(m))
	}
	return castTo(fmt.Sprintf("'%d months %d days %d microseconds'", *i.Months, *i.Days, *i.Micros), t), nil
}
