package oracle

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// cellOf gives row i of an array in DuckDB's text form.
func cellOf(a arrow.Array, i int) Cell {
	if a.IsNull(i) {
		return Cell{Null: true}
	}
	switch a := a.(type) {
	case *array.Float32:
		return Cell{Float: true, Text: floatText(float64(a.Value(i)), 32)}
	case *array.Float64:
		return Cell{Float: true, Text: floatText(a.Value(i), 64)}
	case *array.Dictionary:
		return cellOf(a.Dictionary(), a.GetValueIndex(i))
	case array.ExtensionArray:
		return cellOf(a.Storage(), i)
	}
	return Cell{Text: text(a, i)}
}

func text(a arrow.Array, i int) string {
	switch a := a.(type) {
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i))
	case *array.Decimal128:
		return a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Binary:
		return blobText(a.Value(i))
	case *array.LargeBinary:
		return blobText(a.Value(i))
	case *array.FixedSizeBinary:
		return blobText(a.Value(i))
	case *array.Date32:
		return dayText(int64(a.Value(i)))
	case *array.Time32:
		return clockText(a.Value(i).ToTime(a.DataType().(*arrow.Time32Type).Unit))
	case *array.Time64:
		return clockText(a.Value(i).ToTime(a.DataType().(*arrow.Time64Type).Unit))
	case *array.Timestamp:
		kind := a.DataType().(*arrow.TimestampType)
		at := a.Value(i).ToTime(kind.Unit)
		suffix := ""
		if kind.TimeZone != "" {
			suffix = "+00" // both sides run in UTC
		}
		return dayText(int64(math.Floor(float64(at.Unix())/86400))) + " " + clockText(at) + suffix
	case *array.MonthDayNanoInterval:
		return intervalText(a.Value(i))
	case *array.Null:
		return "NULL"
	case array.ListLike:
		return nestedText(a, i)
	case *array.Struct:
		return nestedText(a, i)
	}
	return strings.Clone(a.ValueStr(i)) // it may point into the batch
}

// nestedText gives lists as [a, b], structs as {'k': v} and maps as {k=v}.
func nestedText(a arrow.Array, i int) string {
	var parts []string
	switch a := a.(type) {
	case *array.Map:
		from, to := a.ValueOffsets(i)
		for j := int(from); j < int(to); j++ {
			parts = append(parts, cellOf(a.Keys(), j).String()+"="+cellOf(a.Items(), j).String())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *array.Struct:
		for j, f := range a.DataType().(*arrow.StructType).Fields() {
			parts = append(parts, "'"+f.Name+"': "+cellOf(a.Field(j), i).String())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case array.ListLike:
		from, to := a.ValueOffsets(i)
		for j := int(from); j < int(to); j++ {
			parts = append(parts, cellOf(a.ListValues(), j).String())
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func floatText(v float64, bits int) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(v, 'g', -1, bits)), "+")
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return strconv.FormatFloat(v, 'f', 1, bits)
	}
	return strconv.FormatFloat(v, 'g', -1, bits)
}

// blobText gives printable ASCII as it is, and all else as \xHH.
func blobText(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		if c < 32 || c > 126 || c == '\\' || c == '\'' || c == '"' {
			fmt.Fprintf(&out, `\x%02X`, c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

func dayText(day int64) string {
	at := time.Unix(day*86400, 0).UTC()
	if at.Year() <= 0 {
		return fmt.Sprintf("%04d-%02d-%02d (BC)", 1-at.Year(), at.Month(), at.Day())
	}
	return fmt.Sprintf("%04d-%02d-%02d", at.Year(), at.Month(), at.Day())
}

func clockText(at time.Time) string {
	at = at.UTC()
	text := at.Format("15:04:05")
	if fraction := at.Nanosecond(); fraction != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%09d", fraction), "0")
	}
	return text
}

func intervalText(v arrow.MonthDayNanoInterval) string {
	var parts []string
	add := func(n int64, unit string) {
		if n == 1 || n == -1 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit))
		} else if n != 0 {
			parts = append(parts, fmt.Sprintf("%d %ss", n, unit))
		}
	}
	add(int64(v.Months/12), "year")
	add(int64(v.Months%12), "month")
	add(int64(v.Days), "day")
	if micros := v.Nanoseconds / 1000; micros != 0 || len(parts) == 0 {
		sign := ""
		if micros < 0 {
			sign, micros = "-", -micros
		}
		seconds := micros / 1_000_000
		clock := fmt.Sprintf("%s%02d:%02d:%02d", sign, seconds/3600, seconds/60%60, seconds%60)
		if fraction := micros % 1_000_000; fraction != 0 {
			clock += "." + strings.TrimRight(fmt.Sprintf("%06d", fraction), "0")
		}
		parts = append(parts, clock)
	}
	return strings.Join(parts, " ")
}

func cellOfJSON(v any) Cell {
	switch v := v.(type) {
	case nil:
		return Cell{Null: true}
	case []any:
		var parts []string
		for _, each := range v {
			parts = append(parts, cellOfJSON(each).String())
		}
		return Cell{Text: "[" + strings.Join(parts, ", ") + "]"}
	case map[string]any:
		if digits, ok := v["$hex"].(string); ok {
			raw, err := hex.DecodeString(digits)
			if err != nil {
				return Cell{Text: err.Error()}
			}
			return Cell{Text: blobText(raw)}
		}
		var parts []string
		for key, each := range v {
			parts = append(parts, "'"+key+"': "+cellOfJSON(each).String())
		}
		sort.Strings(parts)
		return Cell{Text: "{" + strings.Join(parts, ", ") + "}"}
	case string:
		return Cell{Text: v}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return Cell{Text: err.Error()}
	}
	return Cell{Text: string(raw)}
}
