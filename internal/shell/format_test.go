package shell

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// sample is three rows of a number and a text, with NULLs and what breaks naive formats.
func sample(t *testing.T) arrow.RecordBatch {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "text", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 0, 300}, []bool{true, false, true})
	b.Field(1).(*array.StringBuilder).AppendValues([]string{"a,\"b\"", "line\nbreak", ""}, []bool{true, true, false})
	batch := b.NewRecordBatch()
	t.Cleanup(batch.Release)
	return batch
}

func written(t *testing.T, format string, batches ...arrow.RecordBatch) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(format, &out)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Schema(sample(t).Schema()); err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Batch(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTextFormats(t *testing.T) {
	for format, want := range map[string]string{
		"csv":   "n,text\n1,\"a,\"\"b\"\"\"\n,\"line\nbreak\"\n300,\n",
		"json":  "{\"n\":1,\"text\":\"a,\\\"b\\\"\"}\n{\"n\":null,\"text\":\"line\\nbreak\"}\n{\"n\":300,\"text\":null}\n",
		"table": "   n │ text\n─────┼───────────\n   1 │ a,\"b\"\nNULL │ line␊break\n 300 │ NULL\n(3 rows)\n",
	} {
		got := string(written(t, format, sample(t)))
		if format == "table" { // the rule is as wide as the widest cell, which is not what this test is about
			got, want = dropRule(got), dropRule(want)
		}
		if got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", format, got, want)
		}
	}
}

func dropRule(s string) string {
	lines := strings.Split(s, "\n")
	return strings.Join(append(lines[:1:1], lines[2:]...), "\n")
}

func TestBinaryFormatsReadBack(t *testing.T) {
	reader, err := ipc.NewReader(bytes.NewReader(written(t, "arrow", sample(t), sample(t))))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	rows := int64(0)
	for reader.Next() {
		rows += reader.RecordBatch().NumRows()
	}
	if rows != 6 || reader.Err() != nil {
		t.Errorf("arrow: %d rows, %v", rows, reader.Err())
	}
	parquet, err := file.NewParquetReader(bytes.NewReader(written(t, "parquet", sample(t), sample(t))))
	if err != nil {
		t.Fatal(err)
	}
	defer parquet.Close()
	if parquet.NumRows() != 6 {
		t.Errorf("parquet: %d rows", parquet.NumRows())
	}
}

func TestEmptyResultHasItsHeader(t *testing.T) {
	if got := string(written(t, "csv")); got != "n,text\n" {
		t.Errorf("csv: %q", got)
	}
	if got := string(written(t, "table")); !strings.Contains(got, "(0 rows)") || !strings.Contains(got, "text") {
		t.Errorf("table: %q", got)
	}
}

func TestUnknownFormatNamesTheAllowed(t *testing.T) {
	if _, err := NewWriter("xml", nil); err == nil || !strings.Contains(err.Error(), "parquet") {
		t.Error(err)
	}
}

func TestDecimalsKeepTheirScaleAndPlansTheirLines(t *testing.T) {
	mem := memory.NewGoAllocator()
	d := array.NewDecimal128Builder(mem, &arrow.Decimal128Type{Precision: 15, Scale: 2})
	defer d.Release()
	d.Append(decimal128.FromI64(-120))
	column := d.NewArray()
	defer column.Release()
	if got, _ := text(column, 0); got != "-1.20" {
		t.Errorf("decimal %q", got)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "explain_key", Type: arrow.BinaryTypes.String}, {Name: "explain_value", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append("plan")
	b.Field(1).(*array.StringBuilder).Append("stage 0\n  scan\n")
	batch := b.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	w := &tableWriter{out: &out}
	if err := errors.Join(w.Schema(schema), w.Batch(batch), w.Finish()); err != nil || out.String() != "stage 0\n  scan\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestLongValuesAreCutInTables(t *testing.T) {
	mem := memory.NewGoAllocator()
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Append(strings.Repeat("é", 200))
	column := b.NewArray()
	defer column.Release()
	if got := cell(column, 0); len([]rune(got)) != cellRunesMax || !strings.HasSuffix(got, "…") {
		t.Errorf("%q", got)
	}
}
