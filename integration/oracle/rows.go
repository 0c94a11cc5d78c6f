package oracle

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// Rows is a result as comparable values.
type Rows struct {
	Columns []string
	Types   []arrow.DataType // nil when the origin gave none
	Cells   [][]Cell         // by row
}

// A Cell is one value.
type Cell struct {
	Null  bool
	Float bool   // Text is a floating-point number: compared by tolerance
	Text  string // DuckDB's text of the value
}

// String gives the cell for a message.
func (c Cell) String() string {
	if c.Null {
		return "NULL"
	}
	return c.Text
}

// FromBatches makes Rows of a result's batches, which it only borrows.
func FromBatches(schema *arrow.Schema, batches []arrow.RecordBatch) *Rows {
	r := &Rows{}
	for _, f := range schema.Fields() {
		r.Columns = append(r.Columns, f.Name)
		r.Types = append(r.Types, f.Type)
	}
	for _, b := range batches {
		r.append(b)
	}
	return r
}

func (r *Rows) append(b arrow.RecordBatch) {
	for i := range int(b.NumRows()) {
		row := make([]Cell, b.NumCols())
		for j, column := range b.Columns() {
			row[j] = cellOf(column, i)
		}
		r.Cells = append(r.Cells, row)
	}
}

// ReadStream makes Rows of a file that holds an Arrow IPC stream.
func ReadStream(path string) (*Rows, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, err := ipc.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer reader.Release()
	r := FromBatches(reader.Schema(), nil)
	for reader.Next() {
		r.append(reader.RecordBatch())
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ReadJSON makes Rows of a file that holds a list of rows, each a list of null, text, {"$hex": bytes}, or lists and objects
// of them: what clients without Arrow write.
func ReadJSON(path string) (*Rows, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := &Rows{}
	for _, values := range rows {
		row := make([]Cell, len(values))
		for j, v := range values {
			row[j] = cellOfJSON(v)
		}
		r.Cells = append(r.Cells, row)
	}
	return r, nil
}

// FromText gives one row of texts, for answers known in advance; "NULL" is the null.
func FromText(rows ...string) *Rows {
	r := &Rows{}
	for _, line := range rows {
		var row []Cell
		for text := range strings.SplitSeq(line, "|") {
			row = append(row, Cell{Null: text == "NULL", Text: text})
		}
		r.Cells = append(r.Cells, row)
	}
	return r
}
