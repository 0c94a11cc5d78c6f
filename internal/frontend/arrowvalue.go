package frontend

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// arrowLiteral prints one value of an Arrow array as a SQL literal; its caller casts it to t.
func arrowLiteral(a arrow.Array, i int, t table.Type) (string, error) {
	if a.IsNull(i) {
		return "NULL", nil
	}
	switch a := a.(type) {
	case *array.Null:
		return "NULL", nil
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i)), nil
	case *array.Int8, *array.Int16, *array.Int32, *array.Int64, *array.Uint8, *array.Uint16, *array.Uint32, *array.Uint64:
		return a.ValueStr(i), nil
	case *array.Float16:
		return floatLiteral(float64(a.Value(i).Float32()), 32), nil
	case *array.Float32:
		return floatLiteral(float64(a.Value(i)), 32), nil
	case *array.Float64:
		return floatLiteral(a.Value(i), 64), nil
	case array.StringLike:
		return stringLiteral(a.Value(i))
	case *array.Binary:
		return blobLiteral(a.Value(i)), nil
	case *array.LargeBinary:
		return blobLiteral(a.Value(i)), nil
	case *array.BinaryView:
		return blobLiteral(a.Value(i)), nil
	case *array.FixedSizeBinary:
		return blobLiteral(a.Value(i)), nil
	case *array.Decimal32:
		return decimalLiteral(big.NewInt(int64(a.Value(i))), t), nil
	case *array.Decimal64:
		return decimalLiteral(big.NewInt(int64(a.Value(i))), t), nil
	case *array.Decimal128:
		return decimalLiteral(a.Value(i).BigInt(), t), nil
	case *array.Decimal256:
		return decimalLiteral(a.Value(i).BigInt(), t), nil
	case *array.Dictionary:
		return arrowLiteral(a.Dictionary(), a.GetValueIndex(i), t)
	case array.ExtensionArray:
		return extensionLiteral(a, i, t)
	}
	if s, ok, err := momentLiteral(a, i); ok {
		return s, err
	}
	return nestedLiteral(a, i, t)
}

// extensionLiteral prints values of extension types, such as UUID, by what they are stored as.
func extensionLiteral(a array.ExtensionArray, i int, t table.Type) (string, error) {
	if b, ok := a.Storage().(*array.FixedSizeBinary); ok && t.ID == table.UUID {
		h := hex.EncodeToString(b.Value(i))
		if len(h) != 32 {
			return "", qerr.New(qerr.User, "a UUID of %d bytes", len(h)/2)
		}
		return "'" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:] + "'", nil
	}
	return arrowLiteral(a.Storage(), i, t)
}

func floatLiteral(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "'nan'"
	case math.IsInf(f, 1):
		return "'inf'"
	case math.IsInf(f, -1):
		return "'-inf'"
	}
	return "'" + strconv.FormatFloat(f, 'g', -1, bits) + "'"
}

// stringLiteral prints a text; zero bytes cannot stand in SQL text and are joined in.
func stringLiteral(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", qerr.New(qerr.User, "the text is not UTF-8")
	}
	if !strings.ContainsRune(s, 0) {
		return table.Literal(s), nil
	}
	parts := strings.Split(s, "\x00")
	for i, p := range parts {
		parts[i] = table.Literal(p)
	}
	return "(" + strings.Join(parts, " || chr(0) || ") + ")", nil
}

func blobLiteral(b []byte) string {
	var s strings.Builder
	s.WriteString("'")
	for _, c := range b {
		fmt.Fprintf(&s, `\x%02X`, c)
	}
	s.WriteString("'")
	return s.String()
}

func decimalLiteral(n *big.Int, t table.Type) string {
	digits := new(big.Int).Abs(n).String()
	scale := int(t.Scale)
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		digits = "-" + digits
	}
	return "'" + digits + "'"
}

// momentLiteral prints dates, times, timestamps, durations and intervals; ok is false for other arrays.
func momentLiteral(a arrow.Array, i int) (s string, ok bool, err error) {
	switch a := a.(type) {
	case *array.Date32:
		return dayLiteral(int64(a.Value(i))), true, nil
	case *array.Date64:
		return dayLiteral(table.FloorDiv(int64(a.Value(i)), 86_400_000)), true, nil
	case *array.Time32:
		unit := a.DataType().(*arrow.Time32Type).Unit //nolint:forcetypeassert // Its type by definition.
		return clockLiteral(int64(a.Value(i)) * int64(unit.Multiplier())), true, nil
	case *array.Time64:
		unit := a.DataType().(*arrow.Time64Type).Unit //nolint:forcetypeassert // Its type by definition.
		return clockLiteral(int64(a.Value(i)) * int64(unit.Multiplier())), true, nil
	case *array.Timestamp:
		return stampLiteral(a, i), true, nil
	case *array.Duration:
		unit := a.DataType().(*arrow.DurationType).Unit //nolint:forcetypeassert // Its type by definition.
		return intervalLiteral(0, 0, scaleDown(int64(a.Value(i)), unit)), true, nil
	case *array.MonthInterval:
		return intervalLiteral(int64(a.Value(i)), 0, 0), true, nil
	case *array.DayTimeInterval:
		v := a.Value(i)
		return intervalLiteral(0, int64(v.Days), int64(v.Milliseconds)*1000), true, nil
	case *array.MonthDayNanoInterval:
		v := a.Value(i)
		return intervalLiteral(int64(v.Months), int64(v.Days), v.Nanoseconds/1000), true, nil
	}
	return "", false, nil
}

func scaleDown(n int64, unit arrow.TimeUnit) int64 {
	switch unit {
	case arrow.Second:
		return n * 1_000_000
	case arrow.Millisecond:
		return n * 1000
	case arrow.Nanosecond:
		return n / 1000
	}
	return n
}

// intervalLiteral counts microseconds, DuckDB's finest unit.
func intervalLiteral(months, days, micros int64) string {
	return fmt.Sprintf("'%d months %d days %d microseconds'", months, days, micros)
}

// dayLiteral is arithmetic for the years that text cannot write.
func dayLiteral(days int64) string {
	d := time.Unix(days*86_400, 0).UTC()
	if days > -1_000_000 && days < 3_000_000 && d.Year() >= 1 && d.Year() <= 9999 {
		return "'" + d.Format("2006-01-02") + "'"
	}
	return fmt.Sprintf("(DATE '1970-01-01' + CAST(%d AS INTEGER))", days)
}

func clockLiteral(nanos int64) string {
	s := nanos / 1_000_000_000
	return fmt.Sprintf("'%02d:%02d:%02d.%09d'", s/3600, s/60%60, s%60, nanos%1_000_000_000)
}

// stampLiteral prints the instant; with a zone it is one in UTC, which its cast to TIMESTAMPTZ reads.
func stampLiteral(a *array.Timestamp, i int) string {
	t := a.DataType().(*arrow.TimestampType) //nolint:forcetypeassert // Its type by definition.
	per := int64(time.Second) / int64(t.Unit.Multiplier())
	n := int64(a.Value(i))
	secs := table.FloorDiv(n, per)
	frac := (n - secs*per) * int64(t.Unit.Multiplier())
	d := time.Unix(secs, frac).UTC()
	if secs > -60_000_000_000 && secs < 250_000_000_000 && d.Year() >= 1 && d.Year() <= 9999 {
		s := d.Format("2006-01-02 15:04:05.999999999")
		if t.TimeZone != "" {
			s += "+00"
		}
		return "'" + s + "'"
	}
	if t.TimeZone != "" {
		return fmt.Sprintf("make_timestamptz(CAST(%d AS BIGINT))", scaleDown(n, t.Unit))
	}
	return fmt.Sprintf("make_timestamp(CAST(%d AS BIGINT))", scaleDown(n, t.Unit))
}

// nestedLiteral prints lists, structs and maps.
func nestedLiteral(a arrow.Array, i int, t table.Type) (string, error) {
	switch a := a.(type) {
	case *array.Map:
		start, stop := a.ValueOffsets(i)
		items := make([]string, 0, stop-start)
		for k := int(start); k < int(stop); k++ {
			key, err := elementLiteral(a.Keys(), k, t.Fields[0].Type)
			if err != nil {
				return "", err
			}
			value, err := elementLiteral(a.Items(), k, t.Fields[1].Type)
			if err != nil {
				return "", err
			}
			items = append(items, key+": "+value)
		}
		return "MAP {" + strings.Join(items, ", ") + "}", nil
	case array.ListLike:
		start, stop := a.ValueOffsets(i)
		items := make([]string, 0, stop-start)
		for k := int(start); k < int(stop); k++ {
			item, err := elementLiteral(a.ListValues(), k, t.Elem())
			if err != nil {
				return "", err
			}
			items = append(items, item)
		}
		return "[" + strings.Join(items, ", ") + "]", nil
	case *array.Struct:
		items := make([]string, a.NumField())
		for k := range items {
			item, err := elementLiteral(a.Field(k), i, t.Fields[k].Type)
			if err != nil {
				return "", err
			}
			items[k] = table.Quote(t.Fields[k].Name) + " := " + item
		}
		return "struct_pack(" + strings.Join(items, ", ") + ")", nil
	case array.Union:
		child := a.ChildID(i)
		at := i
		if d, ok := a.(*array.DenseUnion); ok {
			at = int(d.ValueOffset(i))
		}
		item, err := elementLiteral(a.Field(child), at, t.Fields[child].Type)
		if err != nil {
			return "", err
		}
		return "union_value(" + table.Quote(t.Fields[child].Name) + " := " + item + ")", nil
	}
	return "", qerr.New(qerr.User, "values of Arrow type %s cannot be parameters", a.DataType())
}

func elementLiteral(a arrow.Array, i int, t table.Type) (string, error) {
	sql, err := arrowLiteral(a, i, t)
	if err != nil || t.ID == table.Null {
		return sql, err
	}
	return "CAST(" + sql + " AS " + t.SQL() + ")", nil
}
