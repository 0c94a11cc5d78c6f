package shell

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

const (
	// sampleRows is how many rows decide the column widths before the first is printed.
	sampleRows = 1000
	// cellRunesMax cuts long values; csv and json give them whole.
	cellRunesMax = 60
)

// tableWriter prints aligned columns. Numbers stand right, NULL is printed as NULL; csv and json tell it from the text.
type tableWriter struct {
	out     io.Writer
	names   []string
	right   []bool
	widths  []int
	sample  [][]string
	printed bool
	buffer  *bufio.Writer
	rows    int64
	plain   bool // a plan, whose text is printed as it is
}

func (w *tableWriter) Schema(s *arrow.Schema) error {
	w.buffer = bufio.NewWriter(w.out)
	w.plain = s.NumFields() == 2 && s.Field(0).Name == "explain_key" && s.Field(1).Name == "explain_value"
	for _, f := range s.Fields() {
		w.names = append(w.names, f.Name)
		w.right = append(w.right, arrow.IsInteger(f.Type.ID()) || arrow.IsFloating(f.Type.ID()) || arrow.IsDecimal(f.Type.ID()))
		w.widths = append(w.widths, max(utf8.RuneCountInString(f.Name), 1))
	}
	return nil
}

func (w *tableWriter) Batch(b arrow.RecordBatch) error {
	for r := range int(b.NumRows()) {
		if w.plain {
			plan, _ := text(b.Column(1), r)
			fmt.Fprintln(w.buffer, strings.TrimRight(plan, "\n"))
			continue
		}
		cells := make([]string, len(w.names))
		for c := range cells {
			cells[c] = cell(b.Column(c), r)
		}
		w.rows++
		if w.printed {
			w.line(cells)
			continue
		}
		w.sample = append(w.sample, cells)
		if len(w.sample) == sampleRows {
			w.flushSample()
		}
	}
	if w.printed {
		return w.buffer.Flush()
	}
	return nil
}

// Finish prints what is left and the number of rows.
func (w *tableWriter) Finish() error {
	if w.plain {
		return w.buffer.Flush()
	}
	if !w.printed {
		w.flushSample()
	}
	plural := "s"
	if w.rows == 1 {
		plural = ""
	}
	fmt.Fprintf(w.buffer, "(%d row%s)\n", w.rows, plural)
	return w.buffer.Flush()
}

func (w *tableWriter) flushSample() {
	for _, cells := range w.sample {
		for c, v := range cells {
			w.widths[c] = max(w.widths[c], utf8.RuneCountInString(v))
		}
	}
	w.line(w.names)
	rule := make([]string, len(w.names))
	for c := range rule {
		rule[c] = strings.Repeat("─", w.widths[c])
	}
	fmt.Fprintln(w.buffer, strings.Join(rule, "─┼─"))
	for _, cells := range w.sample {
		w.line(cells)
	}
	w.sample, w.printed = nil, true
}

func (w *tableWriter) line(cells []string) {
	for c, v := range cells {
		if c > 0 {
			w.buffer.WriteString(" │ ")
		}
		pad := strings.Repeat(" ", max(0, w.widths[c]-utf8.RuneCountInString(v)))
		switch {
		case w.right[c]:
			w.buffer.WriteString(pad + v)
		case c == len(cells)-1:
			w.buffer.WriteString(v)
		default:
			w.buffer.WriteString(v + pad)
		}
	}
	w.buffer.WriteByte('\n')
}

var oneLine = strings.NewReplacer("\n", "␊", "\r", "␍", "\t", "␉")

func cell(column arrow.Array, row int) string {
	v, ok := text(column, row)
	if !ok {
		return "NULL"
	}
	v = oneLine.Replace(v)
	if utf8.RuneCountInString(v) > cellRunesMax {
		v = string([]rune(v)[:cellRunesMax-1]) + "…"
	}
	return v
}
