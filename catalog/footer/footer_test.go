package footer

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// encode writes one column; a row group holds two rows.
func encode(t testing.TB, dt arrow.DataType, values ...string) []byte {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "v", Type: dt, Nullable: true}}, nil))
	defer b.Release()
	for _, v := range values {
		if err := b.Field(0).AppendValueFromString(v); err != nil {
			t.Fatal(err)
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	unit := arrow.Microsecond
	if ts, ok := dt.(*arrow.TimestampType); ok {
		unit = ts.Unit
	}
	w, err := pqarrow.NewFileWriter(batch.Schema(), &out, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(2)),
		pqarrow.NewArrowWriterProperties(pqarrow.WithCoerceTimestamps(unit)))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(t testing.TB, path string) (*Footer, error) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return Read(context.Background(), path, info.Size(), info.ModTime().UnixNano())
}

func readBytes(t testing.TB, data []byte) (*Footer, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

// TestBounds: bounds over row groups, in DuckDB's text form, and none where they could be wrong.
func TestBounds(t *testing.T) {
	long := strings.Repeat("z", textBytesMax+1)
	for _, c := range []struct {
		name   string
		typ    arrow.DataType
		values []string
		want   string // "min…max", "" for none
		nulls  int64
	}{
		{"bool", arrow.FixedWidthTypes.Boolean, []string{"true", "true", "false"}, "false…true", 0},
		{"int8", arrow.PrimitiveTypes.Int8, []string{"-5", "3", "100"}, "-5…100", 0},
		{"int32", arrow.PrimitiveTypes.Int32, []string{"9", "10", "-2147483648"}, "-2147483648…10", 0},
		{"int64", arrow.PrimitiveTypes.Int64, []string{"9223372036854775807", "-9223372036854775808"}, "-9223372036854775808…9223372036854775807", 0},
		{"uint8", arrow.PrimitiveTypes.Uint8, []string{"200", "3"}, "3…200", 0},
		{"uint32", arrow.PrimitiveTypes.Uint32, []string{"4294967295", "1", "7"}, "1…4294967295", 0},
		{"uint64", arrow.PrimitiveTypes.Uint64, []string{"18446744073709551615", "1"}, "1…18446744073709551615", 0},
		{"nulls", arrow.PrimitiveTypes.Int64, []string{"(null)", "3", "(null)", "(null)", "1", "(null)"}, "1…3", 4},
		{"only nulls", arrow.PrimitiveTypes.Int64, []string{"(null)", "(null)", "(null)"}, "", 3},
		{"no rows", arrow.PrimitiveTypes.Int64, nil, "", 0},
		{"float: NaN is not in statistics", arrow.PrimitiveTypes.Float64, []string{"1.5", "2.5"}, "", 0},
		{"decimal", &arrow.Decimal128Type{Precision: 9, Scale: 2}, []string{"1.50", "-0.05", "12.00"}, "-0.05…12.00", 0},
		{"decimal without scale", &arrow.Decimal128Type{Precision: 18, Scale: 0}, []string{"7", "-7"}, "-7…7", 0},
		{"decimal too wide", &arrow.Decimal128Type{Precision: 38, Scale: 0}, []string{"99999999999999999999999999999999999999"}, "", 0},
		{"date", arrow.FixedWidthTypes.Date32, []string{"2024-02-29", "1969-12-31"}, "1969-12-31…2024-02-29", 0},
		{"time", arrow.FixedWidthTypes.Time64us, []string{"01:02:03.5", "23:59:59"}, "01:02:03.5…23:59:59", 0},
		{"timestamp ms", &arrow.TimestampType{Unit: arrow.Millisecond}, []string{"2024-01-01 10:00:00.250", "1969-12-31 23:59:59.999"}, "1969-12-31 23:59:59.999…2024-01-01 10:00:00.25", 0},
		{"timestamp us", &arrow.TimestampType{Unit: arrow.Microsecond}, []string{"2024-01-01 10:00:00", "2024-01-02 00:00:00"}, "2024-01-01 10:00:00…2024-01-02 00:00:00", 0},
		{"timestamp ns", &arrow.TimestampType{Unit: arrow.Nanosecond}, []string{"2024-01-01 10:00:00.000000001"}, "2024-01-01 10:00:00.000000001…2024-01-01 10:00:00.000000001", 0},
		{"timestamp tz", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, []string{"2024-01-01 10:00:00Z"}, "2024-01-01 10:00:00+00…2024-01-01 10:00:00+00", 0},
		{"text", arrow.BinaryTypes.String, []string{"b", "a", "é", "B"}, "B…é", 0},
		{"empty text", arrow.BinaryTypes.String, []string{"", ""}, "…", 0},
		{"long text", arrow.BinaryTypes.String, []string{long, "a"}, "", 0},
		{"long text in a later group", arrow.BinaryTypes.String, []string{"a", "b", long}, "", 0},
		{"blob", arrow.BinaryTypes.Binary, []string{"YQ=="}, "", 0},
	} {
		f, err := readBytes(t, encode(t, c.typ, c.values...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		lo, hi, ok := f.Columns[0].Range.Text()
		got := ""
		if ok {
			got = lo + "…" + hi
		}
		if got != c.want || f.Columns[0].Nulls != c.nulls {
			t.Errorf("%s: %q with %d nulls, want %q with %d", c.name, got, f.Columns[0].Nulls, c.want, c.nulls)
		}
		if f.Rows != int64(len(c.values)) || len(f.Groups) != max(1, (len(c.values)+1)/2) {
			t.Errorf("%s: %d rows in %d groups of %d", c.name, f.Rows, len(f.Groups), len(c.values))
		}
	}
}

func TestMergeOfRanges(t *testing.T) {
	number := func(kind boundKind, lo, hi int64) Range {
		return Range{bound{kind: kind, number: lo}, bound{kind: kind, number: hi}}
	}
	cents := Range{bound{kind: decimal, scale: 2, number: 1}, bound{kind: decimal, scale: 2, number: 2}}
	for _, c := range []struct {
		a, b Range
		want string
	}{
		{number(signed, 1, 5), number(signed, -3, 2), "-3…5"},
		{number(unsigned, 1, -1), number(unsigned, 5, 7), "1…18446744073709551615"},
		{number(signed, 1, 5), Range{}, "…"},
		{number(signed, 1, 5), number(unsigned, 1, 5), "…"},
		{cents, number(decimal, 1, 2), "…"},
		{number(date, -800000, 1), number(date, 0, 1), "…"}, // before the year 1: DuckDB prints it otherwise
	} {
		lo, hi, ok := c.a.Merge(c.b).Text()
		if got := lo + "…" + hi; ok != (c.want != "…") || ok && got != c.want {
			t.Errorf("got %s %v, want %s", got, ok, c.want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	seen := map[string]string{}
	for name, dt := range map[string]arrow.DataType{
		"int32": arrow.PrimitiveTypes.Int32, "uint32": arrow.PrimitiveTypes.Uint32, "int64": arrow.PrimitiveTypes.Int64,
		"us": &arrow.TimestampType{Unit: arrow.Microsecond}, "utc": &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"},
		"list": arrow.ListOf(arrow.PrimitiveTypes.Int32), "struct": arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32}),
		"struct2": arrow.StructOf(arrow.Field{Name: "b", Type: arrow.PrimitiveTypes.Int32}),
		"dec":     &arrow.Decimal128Type{Precision: 9, Scale: 2}, "dec2": &arrow.Decimal128Type{Precision: 9, Scale: 3},
		"text": arrow.BinaryTypes.String, "blob": arrow.BinaryTypes.Binary,
	} {
		f, err := readBytes(t, encode(t, dt))
		if err != nil {
			t.Fatal(name, err)
		}
		if other, twice := seen[f.Fingerprint]; twice {
			t.Errorf("%s and %s have one fingerprint", name, other)
		}
		seen[f.Fingerprint] = name
	}
	a, _ := readBytes(t, encode(t, arrow.PrimitiveTypes.Int64, "1"))
	b, _ := readBytes(t, encode(t, arrow.PrimitiveTypes.Int64, "2", "3", "4"))
	if a.Fingerprint != b.Fingerprint {
		t.Error("the data is part of the fingerprint")
	}
}

// TestDamage: whatever bytes of a file are damaged, the result is a footer or an IO error that names the file.
func TestDamage(t *testing.T) {
	sound := encode(t, arrow.BinaryTypes.String, "a", "b", "c")
	rng := rand.New(rand.NewPCG(1, 2))
	failed := 0
	dir := t.TempDir()
	path := filepath.Join(dir, "damaged.parquet")
	for i := range 3000 {
		data := bytes.Clone(sound)
		switch i % 3 {
		case 0:
			data = data[:rng.IntN(len(data))]
		default:
			for range 1 + rng.IntN(4) {
				// The footer is most of such a small file.
				data[len(data)-1-rng.IntN(len(data)*3/4)] = byte(rng.IntN(256))
			}
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := read(t, path)
		if err == nil {
			continue
		}
		failed++
		if !qerr.Is(err, qerr.IO) || !strings.Contains(err.Error(), path) {
			t.Fatalf("%v of kind %v", err, qerr.KindOf(err))
		}
	}
	if failed < 500 {
		t.Errorf("only %d of 3000 damages were found: the test damages the wrong bytes", failed)
	}
}

func TestChangedAndVanished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	data := encode(t, arrow.PrimitiveTypes.Int64, "1")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(path)
	ctx := context.Background()
	for _, c := range []struct {
		path       string
		size, time int64
		says       string
	}{
		{path, info.Size() + 1, info.ModTime().UnixNano(), "has changed"},
		{path, info.Size(), info.ModTime().UnixNano() + 1, "has changed"},
		{path + ".gone", 1, 1, "cannot read"},
	} {
		if _, err := Read(ctx, c.path, c.size, c.time); !qerr.Is(err, qerr.IO) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("got %v, want %q", err, c.says)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Read(cancelled, path, info.Size(), info.ModTime().UnixNano()); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("got %v", err)
	}
}
