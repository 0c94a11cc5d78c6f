package frontend

import (
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// batch makes one row of parameters.
func batch(t *testing.T, fields []arrow.Field, fill func(b *array.RecordBuilder)) arrow.RecordBatch {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	b := array.NewRecordBuilder(mem, arrow.NewSchema(fields, nil))
	defer b.Release()
	fill(b)
	rec := b.NewRecordBatch()
	t.Cleanup(func() { rec.Release(); mem.AssertSize(t, 0) })
	return rec
}

func one(t *testing.T, dt arrow.DataType, fill func(b array.Builder)) arrow.RecordBatch {
	return batch(t, []arrow.Field{{Name: "1", Type: dt, Nullable: true}}, func(b *array.RecordBuilder) { fill(b.Field(0)) })
}

// TestParameterTypes holds that a value of every Arrow type arrives as the same value of the DuckDB type that Arrow means.
func TestParameterTypes(t *testing.T) {
	f := front(t)
	day := time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		dt   arrow.DataType
		fill func(b array.Builder)
		want string // of SELECT ?::VARCHAR and typeof(?)
	}{
		{"null", arrow.Null, func(b array.Builder) { b.AppendNull() }, "(null)|\"NULL\""},
		{"bool", arrow.FixedWidthTypes.Boolean, func(b array.Builder) { b.(*array.BooleanBuilder).Append(true) }, "true|BOOLEAN"},
		{"int8", arrow.PrimitiveTypes.Int8, func(b array.Builder) { b.(*array.Int8Builder).Append(-128) }, "-128|TINYINT"},
		{"int16", arrow.PrimitiveTypes.Int16, func(b array.Builder) { b.(*array.Int16Builder).Append(-5) }, "-5|SMALLINT"},
		{"int32", arrow.PrimitiveTypes.Int32, func(b array.Builder) { b.(*array.Int32Builder).Append(7) }, "7|INTEGER"},
		{"int64", arrow.PrimitiveTypes.Int64, func(b array.Builder) { b.(*array.Int64Builder).Append(-9223372036854775808) }, "-9223372036854775808|BIGINT"},
		{"uint8", arrow.PrimitiveTypes.Uint8, func(b array.Builder) { b.(*array.Uint8Builder).Append(255) }, "255|UTINYINT"},
		{"uint16", arrow.PrimitiveTypes.Uint16, func(b array.Builder) { b.(*array.Uint16Builder).Append(5) }, "5|USMALLINT"},
		{"uint32", arrow.PrimitiveTypes.Uint32, func(b array.Builder) { b.(*array.Uint32Builder).Append(5) }, "5|UINTEGER"},
		{"uint64", arrow.PrimitiveTypes.Uint64, func(b array.Builder) { b.(*array.Uint64Builder).Append(18446744073709551615) }, "18446744073709551615|UBIGINT"},
		{"float16", arrow.FixedWidthTypes.Float16, func(b array.Builder) { b.(*array.Float16Builder).Append(float16.New(1.5)) }, "1.5|FLOAT"},
		{"float32", arrow.PrimitiveTypes.Float32, func(b array.Builder) { b.(*array.Float32Builder).Append(0.1) }, "0.1|FLOAT"},
		{"float64", arrow.PrimitiveTypes.Float64, func(b array.Builder) { b.(*array.Float64Builder).Append(1e-300) }, "1e-300|DOUBLE"},
		{"string", arrow.BinaryTypes.String, func(b array.Builder) { b.(*array.StringBuilder).Append("it's é\n--") }, "it's é\n--|VARCHAR"},
		{"large string", arrow.BinaryTypes.LargeString, func(b array.Builder) { b.(*array.LargeStringBuilder).Append("x") }, "x|VARCHAR"},
		{"string view", arrow.BinaryTypes.StringView, func(b array.Builder) { b.(*array.StringViewBuilder).Append("x") }, "x|VARCHAR"},
		{"binary", arrow.BinaryTypes.Binary, func(b array.Builder) { b.(*array.BinaryBuilder).Append([]byte{0, 'a', 0xff}) }, `\x00a\xFF|BLOB`},
		{"fixed binary", &arrow.FixedSizeBinaryType{ByteWidth: 2}, func(b array.Builder) { b.(*array.FixedSizeBinaryBuilder).Append([]byte("ab")) }, "ab|BLOB"},
		{"date32", arrow.FixedWidthTypes.Date32, func(b array.Builder) { b.(*array.Date32Builder).Append(arrow.Date32FromTime(day)) }, "2020-02-29|DATE"},
		{"date64", arrow.FixedWidthTypes.Date64, func(b array.Builder) { b.(*array.Date64Builder).Append(arrow.Date64FromTime(day)) }, "2020-02-29|DATE"},
		{"old date", arrow.FixedWidthTypes.Date32, func(b array.Builder) { b.(*array.Date32Builder).Append(-800_000) }, "0222-09-04 (BC)|DATE"},
		{"time32", arrow.FixedWidthTypes.Time32ms, func(b array.Builder) { b.(*array.Time32Builder).Append(3_723_004) }, "01:02:03.004|TIME"},
		{"time64", arrow.FixedWidthTypes.Time64us, func(b array.Builder) { b.(*array.Time64Builder).Append(3_723_000_005) }, "01:02:03.000005|TIME"},
		{"timestamp s", arrow.FixedWidthTypes.Timestamp_s, func(b array.Builder) { b.(*array.TimestampBuilder).Append(-1) }, ""},
		{"timestamp us", &arrow.TimestampType{Unit: arrow.Microsecond}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(-1) }, "1969-12-31 23:59:59.999999|TIMESTAMP"},
		{"timestamp ms", &arrow.TimestampType{Unit: arrow.Millisecond}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(1001) }, "1970-01-01 00:00:01.001|TIMESTAMP_MS"},
		{"timestamp ns", &arrow.TimestampType{Unit: arrow.Nanosecond}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(1_000_000_001) }, "1970-01-01 00:00:01.000000001|TIMESTAMP_NS"},
		{"timestamp tz", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Asia/Tokyo"}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(0) }, "1970-01-01 00:00:00+00|TIMESTAMP WITH TIME ZONE"},
		{"duration", arrow.FixedWidthTypes.Duration_ms, func(b array.Builder) { b.(*array.DurationBuilder).Append(1500) }, "00:00:01.5|INTERVAL"},
		{"months", arrow.FixedWidthTypes.MonthInterval, func(b array.Builder) { b.(*array.MonthIntervalBuilder).Append(14) }, "1 year 2 months|INTERVAL"},
		{"interval", arrow.FixedWidthTypes.MonthDayNanoInterval, func(b array.Builder) {
			b.(*array.MonthDayNanoIntervalBuilder).Append(arrow.MonthDayNanoInterval{Months: 1, Days: -2, Nanoseconds: 3_000_000_000})
		}, "1 month -2 days 00:00:03|INTERVAL"},
		{"decimal32", &arrow.Decimal32Type{Precision: 5, Scale: 2}, func(b array.Builder) { b.(*array.Decimal32Builder).Append(decimal.Decimal32(-5)) }, "-0.05|DECIMAL(5,2)"},
		{"decimal128", &arrow.Decimal128Type{Precision: 38, Scale: 2}, func(b array.Builder) { b.(*array.Decimal128Builder).Append(decimal128.FromI64(12345)) }, "123.45|DECIMAL(38,2)"},
		{"decimal256", &arrow.Decimal256Type{Precision: 20, Scale: 0}, func(b array.Builder) { b.(*array.Decimal256Builder).Append(decimal256.FromI64(7)) }, "7|DECIMAL(20,0)"},
		{"list", arrow.ListOf(arrow.PrimitiveTypes.Int32), func(b array.Builder) {
			l := b.(*array.ListBuilder)
			l.Append(true)
			l.ValueBuilder().(*array.Int32Builder).AppendValues([]int32{1, 2}, nil)
			l.ValueBuilder().AppendNull()
		}, "[1, 2, NULL]|INTEGER[]"},
		{"struct", arrow.StructOf(arrow.Field{Name: "x y", Type: arrow.PrimitiveTypes.Int32}, arrow.Field{Name: "z", Type: arrow.BinaryTypes.String, Nullable: true}), func(b array.Builder) {
			s := b.(*array.StructBuilder)
			s.Append(true)
			s.FieldBuilder(0).(*array.Int32Builder).Append(1)
			s.FieldBuilder(1).AppendNull()
		}, "{'x y': 1, 'z': NULL}|STRUCT(\"x y\" INTEGER, z VARCHAR)"},
		{"map", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), func(b array.Builder) {
			m := b.(*array.MapBuilder)
			m.Append(true)
			m.KeyBuilder().(*array.StringBuilder).Append("k")
			m.ItemBuilder().(*array.Int64Builder).Append(5)
		}, "{k=5}|MAP(VARCHAR, BIGINT)"},
		{"null of a type", arrow.PrimitiveTypes.Int32, func(b array.Builder) { b.AppendNull() }, "(null)|INTEGER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, "SELECT $1::VARCHAR AS v, typeof($1) AS t")
			r.Params = one(t, c.dt, c.fill)
			got := evaluate(t, f, plan(t, f, r))
			if c.want != "" && got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	f := front(t)
	fields := []arrow.Field{{Name: "b", Type: arrow.BinaryTypes.String}, {Name: "a", Type: arrow.PrimitiveTypes.Int64}}
	two := batch(t, fields, func(b *array.RecordBuilder) {
		b.Field(0).(*array.StringBuilder).Append("x")
		b.Field(1).(*array.Int64Builder).Append(5)
	})
	for sql, want := range map[string]string{
		"SELECT ? AS p, ? AS q":                        "x|5",
		"SELECT $2 AS p, $1 AS q":                      "5|x",
		"SELECT $a AS p, $b AS q":                      "5|x",
		"SELECT $A + $a AS p, $b AS q":                 "10|x",
		"SELECT upper(?) AS p WHERE ? > 3":             "X",
		"SELECT sum(i) FROM range(?::BIGINT) r(i)":     "",
		"WITH c AS (SELECT ? AS x) SELECT x, ? FROM c": "x|5",
	} {
		if want == "" {
			continue
		}
		r := request(t, sql)
		r.Params = two
		if got := evaluate(t, f, plan(t, f, r)); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	// Values reach scans, and the names of columns stay those that Prepare told.
	r := request(t, "SELECT a, ? AS p, ? + 1 FROM t")
	r.Params = two
	if p := plan(t, f, r); p.Statement.Tree == nil || show(p.Columns)[:19] != "a INTEGER, p VARCHA" {
		t.Errorf("%s, %s", show(p.Columns), p.Statement.Unread)
	}
	for sql, says := range map[string]string{
		"SELECT 1":                           "no parameters",
		"SELECT ?":                           "has 1 parameters, but 2",
		"SELECT ?, ?, ?":                     "has 3 parameters, but 2",
		"SELECT a FROM t ORDER BY ?, ?":      "ORDER BY",
		"SELECT ? FROM t GROUP BY ?":         "GROUP BY",
		"SELECT DISTINCT ON (?) a, ? FROM t": "DISTINCT ON",
		"SELECT nope, ?, ? FROM t":           `"nope" not found`,
		"SELECT $1, $x":                      "named and positional",
	} {
		r := request(t, sql)
		r.Params = two
		if _, err := f.Plan(t.Context(), r); !qerr.Is(err, qerr.User) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", sql, err, says)
		}
	}
	r = request(t, "SELECT a FROM t WHERE a = ?")
	if _, err := f.Plan(t.Context(), r); !qerr.Is(err, qerr.User) || !strings.Contains(err.Error(), "but 0 were given") {
		t.Errorf("without parameters: %v", err)
	}
	r = request(t, "SELECT 1 AS one, nope + ?, ? FROM t")
	r.Params = two
	if _, err := f.Plan(t.Context(), r); positionOf(err) != 18 {
		t.Errorf("position %d, want 18: %v", positionOf(err), err)
	}
}
