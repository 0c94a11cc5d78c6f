package arrowwire

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// one makes a batch of one column out of JSON rows.
func one(t *testing.T, mem memory.Allocator, dt arrow.DataType, rows string) arrow.RecordBatch {
	t.Helper()
	column, _, err := array.FromJSON(mem, dt, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	defer column.Release()
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "c", Type: dt, Nullable: true}}, nil), []arrow.Array{column}, int64(column.Len()))
}

// convert gives the type and the text of the column in its wire layout.
func convert(t *testing.T, mem memory.Allocator, batch arrow.RecordBatch, bytesMax int64) (typ, values string, err error) {
	t.Helper()
	kind, err := Type(batch.Schema().Field(0))
	if err != nil {
		return "", "", err
	}
	wire, err := Batch(mem, batch, []table.Type{kind}, bytesMax)
	if err != nil {
		return kind.SQL(), "", err
	}
	defer wire.Release()
	if got, want := wire.Column(0).DataType(), arrowtype.WireType(kind); !arrow.TypeEqual(got, want) {
		t.Errorf("%s is %s on the wire, not %s", kind.SQL(), got, want)
	}
	if err := array.ValidateFull(wire.Column(0)); err != nil {
		t.Errorf("%s: %v", kind.SQL(), err)
	}
	return kind.SQL(), wire.Column(0).String(), nil
}

var micros = &arrow.TimestampType{Unit: arrow.Microsecond}

func decimal(t arrow.DecimalType, err error) arrow.DataType {
	if err != nil {
		panic(err)
	}
	return t
}

func TestBatch(t *testing.T) {
	text := arrow.BinaryTypes.String
	for _, c := range []struct {
		from       arrow.DataType
		rows       string
		typ, wants string
	}{
		{arrow.Null, `[null, null]`, "INTEGER", "[(null) (null)]"},
		{arrow.FixedWidthTypes.Boolean, `[true, null]`, "BOOLEAN", "[true (null)]"},
		{arrow.PrimitiveTypes.Int8, `[-1]`, "TINYINT", "[-1]"},
		{arrow.PrimitiveTypes.Uint64, `[18446744073709551615]`, "UBIGINT", "[18446744073709551615]"},
		{arrow.FixedWidthTypes.Float16, `[1.5, null]`, "FLOAT", "[1.5 (null)]"},
		{arrow.PrimitiveTypes.Float64, `[1.5]`, "DOUBLE", "[1.5]"},
		{text, `["a", null, "ü"]`, "VARCHAR", `["a" (null) "ü"]`},
		{arrow.BinaryTypes.LargeString, `["a", null]`, "VARCHAR", `["a" (null)]`},
		{arrow.BinaryTypes.StringView, `["a", "longer than twelve bytes"]`, "VARCHAR", `["a" "longer than twelve bytes"]`},
		{arrow.BinaryTypes.LargeBinary, `["AAE="]`, "BLOB", "[\"\\x00\\x01\"]"},
		{arrow.BinaryTypes.BinaryView, `["AAE="]`, "BLOB", "[\"\\x00\\x01\"]"},
		{&arrow.FixedSizeBinaryType{ByteWidth: 2}, `["AAE=", null]`, "BLOB", "[\"\\x00\\x01\" (null)]"},
		{arrow.FixedWidthTypes.Date32, `["2024-02-29"]`, "DATE", "[2024-02-29]"},
		{arrow.FixedWidthTypes.Date64, `["1969-12-31"]`, "DATE", "[1969-12-31]"},
		{arrow.FixedWidthTypes.Time32s, `["12:34:56"]`, "TIME", "[45296000000]"},
		{arrow.FixedWidthTypes.Time32ms, `["12:34:56.789"]`, "TIME", "[45296789000]"},
		{arrow.FixedWidthTypes.Time64us, `["12:34:56.789012"]`, "TIME", "[45296789012]"},
		{arrow.FixedWidthTypes.Time64ns, `["12:34:56.789012345"]`, "TIME_NS", "[45296789012345]"},
		{&arrow.TimestampType{Unit: arrow.Second}, `[-1]`, "TIMESTAMP_S", "[-1]"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, `[1]`, "TIMESTAMP_NS", "[1]"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, `[-1]`, "TIMESTAMP WITH TIME ZONE", "[-1]"},
		{&arrow.TimestampType{Unit: arrow.Second, TimeZone: "Europe/Berlin"}, `[1, null]`, "TIMESTAMP WITH TIME ZONE", "[1000000 (null)]"},
		{&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "+02:00"}, `[1, null]`, "TIMESTAMP WITH TIME ZONE", "[1 (null)]"},
		{arrow.FixedWidthTypes.Duration_ms, `[5]`, "INTERVAL", "[\"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x88\\x13\\x00\\x00\\x00\\x00\\x00\\x00\"]"},
		{arrow.FixedWidthTypes.MonthInterval, `[{"months": 3}]`, "INTERVAL", "[\"\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"]"},
		{arrow.FixedWidthTypes.DayTimeInterval, `[{"days": 2, "milliseconds": 1}]`, "INTERVAL", "[\"\\x00\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\xe8\\x03\\x00\\x00\\x00\\x00\\x00\\x00\"]"},
		{arrow.FixedWidthTypes.MonthDayNanoInterval, `[{"months": 1, "days": 2, "nanoseconds": 3000}, null]`, "INTERVAL",
			"[\"\\x01\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00\" (null)]"},
		{&arrow.Decimal128Type{Precision: 4, Scale: 2}, `["12.34", null, "-0.01"]`, "DECIMAL(4,2)", "[1234 (null) -1]"},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, `["-12.34"]`, "DECIMAL(9,2)", "[-1234]"},
		{&arrow.Decimal128Type{Precision: 18, Scale: 0}, `["999999999999999999"]`, "DECIMAL(18,0)", "[999999999999999999]"},
		{&arrow.Decimal128Type{Precision: 38, Scale: 0}, `["-1", null]`, "DECIMAL(38,0)", "[\"" + strings.Repeat("\\xff", 16) + "\" (null)]"},
		{&arrow.Decimal256Type{Precision: 38, Scale: 0}, `["1"]`, "DECIMAL(38,0)", "[\"\\x01" + strings.Repeat("\\x00", 15) + "\"]"},
		{&arrow.Decimal256Type{Precision: 10, Scale: 1}, `["1.5"]`, "DECIMAL(10,1)", "[15]"},
		{decimal(arrow.NewDecimalType(arrow.DECIMAL32, 5, 1)), `["1.5"]`, "DECIMAL(5,1)", "[15]"},
		{decimal(arrow.NewDecimalType(arrow.DECIMAL64, 12, 1)), `["-1.5"]`, "DECIMAL(12,1)", "[-15]"},
		{arrow.ListOf(arrow.PrimitiveTypes.Int32), `[[1, null], [], null]`, "INTEGER[]", "[[1 (null)] [] (null)]"},
		{arrow.LargeListOf(arrow.BinaryTypes.LargeString), `[["a"], null]`, "VARCHAR[]", `[["a"] (null)]`},
		{arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int32), `[[1, 2], null, [3, null]]`, "INTEGER[2]", "[[1 2] (null) [3 (null)]]"},
		{arrow.ListOf(arrow.Null), `[[null]]`, "INTEGER[]", "[[(null)]]"},
		{arrow.StructOf(arrow.Field{Name: "a", Type: text, Nullable: true}, arrow.Field{Name: "b", Type: arrow.FixedWidthTypes.Time32s, Nullable: true}),
			`[{"a": "x", "b": "00:00:01"}, null, {"a": null, "b": null}]`, `STRUCT("a" VARCHAR, "b" TIME)`, `{["x" (null) (null)] [1000000 (null) (null)]}`},
		{arrow.MapOf(text, arrow.PrimitiveTypes.Int32), `[[{"key": "k", "value": 1}, {"key": "l", "value": null}], [], null]`, "MAP(VARCHAR, INTEGER)",
			`[{["k" "l"] [1 (null)]} {[] []} (null)]`},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}, `["a", null, "a"]`, "VARCHAR", `["a" (null) "a"]`},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint32, ValueType: arrow.PrimitiveTypes.Int64}, `[7, 7]`, "BIGINT", `[7 7]`},
	} {
		t.Run(c.from.String(), func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			defer mem.AssertSize(t, 0)
			batch := one(t, mem, c.from, c.rows)
			defer batch.Release()
			typ, values, err := convert(t, mem, batch, 1<<20)
			if err != nil || typ != c.typ || values != c.wants {
				t.Errorf("%s %s (%v); want %s %s", typ, values, err, c.typ, c.wants)
			}
			// The same as the end of a longer batch.
			twice, err := array.Concatenate([]arrow.Array{batch.Column(0), batch.Column(0)}, mem)
			if err != nil {
				t.Fatal(err)
			}
			defer twice.Release()
			long := array.NewRecordBatch(batch.Schema(), []arrow.Array{twice}, 2*batch.NumRows())
			defer long.Release()
			end := long.NewSlice(batch.NumRows(), 2*batch.NumRows())
			defer end.Release()
			if _, sliced, err := convert(t, mem, end, 1<<20); err != nil || sliced != values {
				t.Errorf("as a slice: %s (%v)", sliced, err)
			}
		})
	}
}

func TestRunEnds(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	dt := arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String)
	b := array.NewRunEndEncodedBuilder(mem, dt.RunEnds(), dt.Encoded())
	defer b.Release()
	for _, s := range []string{"a", "a", "b"} {
		if err := b.AppendValueFromString(s); err != nil {
			t.Fatal(err)
		}
	}
	b.AppendNull()
	column := b.NewArray()
	defer column.Release()
	batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "c", Type: dt, Nullable: true}}, nil), []arrow.Array{column}, 4)
	defer batch.Release()
	if _, values, err := convert(t, mem, batch, 1<<20); err != nil || values != `["a" "a" "b" (null)]` {
		t.Errorf("%s (%v)", values, err)
	}
}

// What the engine would believe, and would be wrong to, is refused, also inside of other values.
func TestRefusals(t *testing.T) {
	text := arrow.BinaryTypes.String
	for _, c := range []struct {
		from arrow.DataType
		rows string
		want string
	}{
		{&arrow.TimestampType{Unit: arrow.Second}, `[9223372036855]`, "range of TIMESTAMP_S"},
		{&arrow.TimestampType{Unit: arrow.Millisecond}, `[-9223372036854776]`, "range of TIMESTAMP_MS"},
		{micros, `[-9223372036854775808]`, "range of TIMESTAMP"},
		{&arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}, `[9223372036855]`, "range of TIMESTAMP WITH TIME ZONE"},
		{arrow.FixedWidthTypes.Time64us, `[86400000001]`, "within a day"},
		{arrow.FixedWidthTypes.Time32s, `[-1]`, "within a day"},
		{arrow.ListOf(arrow.FixedWidthTypes.Time64ns), `[[-1]]`, "within a day"},
		{arrow.FixedWidthTypes.Duration_s, `[9223372036855]`, "INTERVAL's range"},
		{&arrow.Decimal256Type{Precision: 50, Scale: 0}, `["1"]`, "no DuckDB type"},
		{arrow.StructOf(), `[{}]`, "struct without members"},
		{arrow.MapOf(text, text), `[[{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]]`, "key k twice"},
	} {
		t.Run(c.from.String(), func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			defer mem.AssertSize(t, 0)
			batch := one(t, mem, c.from, c.rows)
			defer batch.Release()
			_, values, err := convert(t, mem, batch, 1<<20)
			if !qerr.Is(err, qerr.User) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "column c") {
				t.Errorf("%s (%v); want a User error with %q", values, err, c.want)
			}
		})
	}
	for _, c := range []struct {
		of   arrow.DataType
		put  func(b array.Builder)
		want string
	}{
		{text, func(b array.Builder) { b.(*array.StringBuilder).Append("a\xff") }, "UTF-8"},
		{arrow.BinaryTypes.LargeString, func(b array.Builder) { b.(*array.LargeStringBuilder).Append("a\xff") }, "UTF-8"},
		{&arrow.Decimal128Type{Precision: 4}, func(b array.Builder) { b.(*array.Decimal128Builder).Append(decimal128.FromI64(-10000)) }, "digits"},
		{&arrow.Decimal128Type{Precision: 20}, func(b array.Builder) { b.(*array.Decimal128Builder).Append(decimal128.New(1<<62, 0)) }, "digits"},
		{&arrow.Decimal256Type{Precision: 38}, func(b array.Builder) { b.(*array.Decimal256Builder).Append(decimal256.New(1, 0, 0, 0)) }, "digits"},
	} {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		b := array.NewBuilder(mem, c.of)
		c.put(b)
		column := b.NewArray()
		b.Release()
		batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "c", Type: c.of}}, nil), []arrow.Array{column}, 1)
		column.Release()
		if _, _, err := convert(t, mem, batch, 1<<20); !qerr.Is(err, qerr.User) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.of, err)
		}
		batch.Release()
		mem.AssertSize(t, 0)
	}
}

// A dictionary says a long text once; what becomes of it is bounded, and nothing of it is left.
func TestTooLarge(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	batch := one(t, mem, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String},
		`["`+strings.Repeat("x", 1000)+`"`+strings.Repeat(`, "`+strings.Repeat("x", 1000)+`"`, 99)+`]`)
	defer batch.Release()
	if _, _, err := convert(t, mem, batch, 50_000); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, _, err := convert(t, mem, batch, 200_000); err != nil {
		t.Error(err)
	}
}
