package footer

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// TestDistinct: how many values a column of 10,000 rows in one row group has, within a factor of two, by what its writer
// left behind.
func TestDistinct(t *testing.T) {
	const rows = 10_000
	number := func(i, of int) string { return fmt.Sprint(i % of * 7) }
	word := func(i, of int) string { return fmt.Sprintf("word %08d", i%of) }
	const duckdb = "DuckDB version v1.5.5 (build 0000)"
	for _, c := range []struct {
		name    string
		typ     arrow.DataType
		value   func(i, of int) string
		of      int
		options []parquet.WriterProperty
		want    int64 // 0: nothing is known
	}{
		{"few integers", arrow.PrimitiveTypes.Int64, number, 5, nil, 5},
		{"many integers", arrow.PrimitiveTypes.Int64, number, 300, nil, 300},
		{"doubles", arrow.PrimitiveTypes.Float64, number, 500, nil, 500},
		{"texts", arrow.BinaryTypes.String, word, 300, nil, 300},
		{"another writer's dictionary that was given up", arrow.PrimitiveTypes.Int64, number, rows, nil, 0},
		{"no dictionary", arrow.PrimitiveTypes.Int64, number, 5, []parquet.WriterProperty{parquet.WithDictionaryDefault(false)}, 0},
		{"DuckDB gave it up", arrow.PrimitiveTypes.Int64, number, rows, []parquet.WriterProperty{parquet.WithDictionaryDefault(false), parquet.WithCreatedBy(duckdb)}, rows},
		{"DuckDB gave it up, of texts", arrow.BinaryTypes.String, word, rows, []parquet.WriterProperty{parquet.WithDictionaryDefault(false), parquet.WithCreatedBy(duckdb)}, rows / 5},
		{"an old DuckDB", arrow.PrimitiveTypes.Int64, number, rows, []parquet.WriterProperty{parquet.WithDictionaryDefault(false), parquet.WithCreatedBy("DuckDB version v1.1.3")}, 0},
		{"no more than its bounds", arrow.PrimitiveTypes.Int64, func(i, _ int) string { return fmt.Sprint(i % 40) }, 0,
			[]parquet.WriterProperty{parquet.WithDictionaryDefault(false), parquet.WithCreatedBy(duckdb)}, 40},
		{"booleans", arrow.FixedWidthTypes.Boolean, func(i, _ int) string { return fmt.Sprint(i%2 == 0) }, 0, []parquet.WriterProperty{parquet.WithCreatedBy(duckdb)}, 0},
		{"NULLs only", arrow.PrimitiveTypes.Int64, func(int, int) string { return array.NullValueStr }, 0, nil, 0},
	} {
		f, err := readBytes(t, written(t, c.typ, rows, func(i int) string { return c.value(i, c.of) }, c.options...))
		if err != nil {
			t.Fatal(err)
		}
		got := f.Columns[0].Distinct
		if c.want == 0 {
			if got.Groups != 0 || got.Values != 0 {
				t.Errorf("%s: %+v, want nothing", c.name, got)
			}
			continue
		}
		if got.Groups != 1 || got.Rows != rows || got.Values < c.want/2 || got.Values > 2*c.want {
			t.Errorf("%s: %+v, want about %d values", c.name, got, c.want)
		}
	}
}

func written(t testing.TB, typ arrow.DataType, rows int, value func(i int) string, options ...parquet.WriterProperty) []byte {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "v", Type: typ, Nullable: true}}, nil))
	defer b.Release()
	for i := range rows {
		if err := b.Field(0).AppendValueFromString(value(i)); err != nil {
			t.Fatal(err)
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(batch.Schema(), &out, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
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

func TestGivesUpDictionaries(t *testing.T) {
	for by, want := range map[string]bool{
		"DuckDB version v1.5.5 (build 0b8bc0ed)": true, "DuckDB version v1.2.0 (build x)": true, "DuckDB version v2.0.0": true,
		"DuckDB version v1.1.3 (build x)": false, "DuckDB": false, "": false, "parquet-rs version 60.0.0": false,
		"DuckDB version v" + strings.Repeat("9", 40): false,
	} {
		if got := givesUpDictionaries(by); got != want {
			t.Errorf("%q: %v", by, got)
		}
	}
}
