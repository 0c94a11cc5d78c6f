package arrowwire

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	secondsOfDay = 86_400
	millisOfDay  = 1000 * secondsOfDay
	microsOfDay  = 1000 * millisOfDay
	nanosOfDay   = 1000 * microsOfDay

	// firstMicros is DuckDB's first timestamp, in microseconds; its last one is the one before infinity. firstNanos is that of
	// TIMESTAMP_NS, which has the rest of the 64 bits for its days.
	firstMicros = -9_223_372_022_400_000_000
	firstNanos  = -9_223_286_400_000_000_000
)

func appendDate(b *array.Date32Builder, a arrow.Array, i int) error {
	if a, ok := a.(*array.Date32); ok {
		b.Append(a.Value(i))
		return nil
	}
	days := table.FloorDiv(int64(a.(*array.Date64).Value(i)), millisOfDay) //nolint:forcetypeassert // See scalar.
	if days != int64(int32(days)) {
		return qerr.New(qerr.User, "a date is out of DATE's range")
	}
	b.Append(arrow.Date32(days))
	return nil
}

// timeInDay checks a time of day in the unit of its type. Midnight at the end of the day is one, too.
func timeInDay(v int64, t table.Type) error {
	end := int64(microsOfDay)
	if t.ID == table.TimeNS {
		end = nanosOfDay
	}
	if v < 0 || v > end {
		return qerr.New(qerr.User, "a time of day is not within a day")
	}
	return nil
}

func appendTime(b *array.Time64Builder, a arrow.Array, i int, t table.Type) error {
	var v int64
	switch a := a.(type) {
	case *array.Time64:
		v = int64(a.Value(i))
	case *array.Time32:
		unit := a.DataType().(*arrow.Time32Type).Unit //nolint:forcetypeassert // Its type by definition.
		v = int64(a.Value(i)) * int64(unit.Multiplier()/arrow.Microsecond.Multiplier())
	}
	if err := timeInDay(v, t); err != nil {
		return err
	}
	b.Append(arrow.Time64(v))
	return nil
}

// stampInRange checks a timestamp in the unit of its type; both infinities are timestamps.
func stampInRange(v int64, t table.Type) error {
	first, last := int64(firstMicros), int64(math.MaxInt64)
	switch t.ID {
	case table.TimestampS:
		first, last = first/1_000_000, last/1_000_000
	case table.TimestampMS:
		first, last = first/1000, last/1000
	case table.TimestampNS:
		first = firstNanos
	}
	if (v < first || v > last) && v != math.MaxInt64 && v != -math.MaxInt64 {
		return qerr.New(qerr.User, "a timestamp is out of the range of %s", t.SQL())
	}
	return nil
}

// appendTimestamp appends an instant; one with a zone is in microseconds on the wire.
func appendTimestamp(b *array.TimestampBuilder, a *array.Timestamp, i int, t table.Type) error {
	v := int64(a.Value(i))
	if t.ID == table.TimestampTZ {
		micros, ok := toMicros(v, a.DataType().(*arrow.TimestampType).Unit) //nolint:forcetypeassert // Its type by definition.
		if !ok {
			return qerr.New(qerr.User, "a timestamp is out of the range of %s", t.SQL())
		}
		v = micros
	}
	if err := stampInRange(v, t); err != nil {
		return err
	}
	b.Append(arrow.Timestamp(v))
	return nil
}

// toMicros converts to microseconds; ok is false when they do not fit.
func toMicros(v int64, unit arrow.TimeUnit) (micros int64, ok bool) {
	times := int64(1)
	switch unit {
	case arrow.Second:
		times = 1_000_000
	case arrow.Millisecond:
		times = 1000
	case arrow.Nanosecond:
		return table.FloorDiv(v, 1000), true
	}
	if v > math.MaxInt64/times || v < math.MinInt64/times {
		return 0, false
	}
	return v * times, true
}

// appendInterval appends months, days and microseconds as DuckDB has them in memory.
func appendInterval(b *array.FixedSizeBinaryBuilder, a arrow.Array, i int) error {
	var months, days int32
	var micros int64
	ok := true
	switch a := a.(type) {
	case *array.Duration:
		micros, ok = toMicros(int64(a.Value(i)), a.DataType().(*arrow.DurationType).Unit) //nolint:forcetypeassert // Its type by definition.
	case *array.MonthInterval:
		months = int32(a.Value(i))
	case *array.DayTimeInterval:
		v := a.Value(i)
		days, micros = v.Days, int64(v.Milliseconds)*1000
	case *array.MonthDayNanoInterval:
		v := a.Value(i)
		months, days, micros = v.Months, v.Days, v.Nanoseconds/1000
	default:
		return qerr.New(qerr.User, "values of Arrow type %s cannot be written", a.DataType())
	}
	if !ok {
		return qerr.New(qerr.User, "a duration is out of INTERVAL's range")
	}
	v := binary.LittleEndian.AppendUint32(make([]byte, 0, wideBytes), uint32(months))
	v = binary.LittleEndian.AppendUint32(v, uint32(days))
	b.Append(binary.LittleEndian.AppendUint64(v, uint64(micros)))
	return nil
}
