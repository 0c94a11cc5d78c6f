package shell

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// Formats are the names that NewWriter knows.
var Formats = []string{"table", "csv", "json", "arrow", "parquet"}

// Binary reports whether a format is not meant for a terminal.
func Binary(format string) bool { return format == "arrow" || format == "parquet" }

// NewWriter returns a writer of a format to out, which it does not close.
func NewWriter(format string, out io.Writer) (Writer, error) {
	switch format {
	case "table":
		return &tableWriter{out: out}, nil
	case "csv":
		return &csvWriter{out: csv.NewWriter(out)}, nil
	case "json":
		return &jsonWriter{out: out}, nil
	case "arrow":
		return &arrowWriter{out: out}, nil
	case "parquet":
		return &parquetWriter{out: out}, nil
	}
	return nil, fmt.Errorf("format %q is not known; allowed: %s", format, strings.Join(Formats, ", "))
}

// text is a value as people read it; ok is false for NULL.
func text(column arrow.Array, row int) (_ string, ok bool) {
	if column.IsNull(row) {
		return "", false
	}
	// Arrow's own text of a decimal drops trailing zeros, which SQL shows.
	if d, isDecimal := column.(*array.Decimal128); isDecimal {
		return d.Value(row).ToString(d.DataType().(*arrow.Decimal128Type).Scale), true
	}
	return column.ValueStr(row), true
}

// csvWriter writes a header and one line a row; NULL is an empty field (RFC 4180 has no other form).
type csvWriter struct {
	out *csv.Writer
	row []string
}

func (w *csvWriter) Schema(s *arrow.Schema) error {
	w.row = make([]string, s.NumFields())
	for i, f := range s.Fields() {
		w.row[i] = f.Name
	}
	return w.out.Write(w.row)
}

func (w *csvWriter) Batch(b arrow.RecordBatch) error {
	for r := range int(b.NumRows()) {
		for c := range w.row {
			w.row[c], _ = text(b.Column(c), r)
		}
		if err := w.out.Write(w.row); err != nil {
			return err
		}
	}
	return nil
}

func (w *csvWriter) Finish() error { w.out.Flush(); return w.out.Error() }

// jsonWriter writes one JSON object a line.
type jsonWriter struct{ out io.Writer }

func (w *jsonWriter) Schema(*arrow.Schema) error      { return nil }
func (w *jsonWriter) Batch(b arrow.RecordBatch) error { return array.RecordToJSON(b, w.out) }
func (w *jsonWriter) Finish() error                   { return nil }

// arrowWriter writes an Arrow IPC stream.
type arrowWriter struct {
	out io.Writer
	ipc *ipc.Writer
}

func (w *arrowWriter) Schema(s *arrow.Schema) error {
	w.ipc = ipc.NewWriter(w.out, ipc.WithSchema(s))
	return nil
}
func (w *arrowWriter) Batch(b arrow.RecordBatch) error { return w.ipc.Write(b) }
func (w *arrowWriter) Finish() error                   { return w.ipc.Close() }

// parquetWriter writes one Parquet file, zstd-compressed, with the Arrow schema kept.
type parquetWriter struct {
	out  io.Writer
	file *pqarrow.FileWriter
}

func (w *parquetWriter) Schema(s *arrow.Schema) (err error) {
	properties := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd))
	// The file writer closes what it writes to if it can; out stays the caller's.
	w.file, err = pqarrow.NewFileWriter(s, struct{ io.Writer }{w.out}, properties,
		pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	return err
}
func (w *parquetWriter) Batch(b arrow.RecordBatch) error { return w.file.WriteBuffered(b) }
func (w *parquetWriter) Finish() error                   { return w.file.Close() }
