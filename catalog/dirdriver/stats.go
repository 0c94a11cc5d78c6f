package dirdriver

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/footer"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A columnTotal sums what footers tell of one column of a table.
type columnTotal struct {
	compressed, uncompressed int64
	nulls                    int64
	nullsUnknown             bool
	ranges                   footer.Range
	any                      bool
	distinct                 table.DistinctCount
}

// addTotals adds one file. Of a column that the file lacks all rows are NULL.
func addTotals(totals []columnTotal, f *footer.Footer, positions []int) {
	has := make([]bool, len(totals))
	for i, p := range positions {
		has[p] = true
		c, t := f.Columns[i], &totals[p]
		t.compressed += c.CompressedBytes
		t.uncompressed += c.UncompressedBytes
		t.nulls += max(0, c.Nulls)
		t.nullsUnknown = t.nullsUnknown || c.Nulls < 0
		t.distinct.Add(c.Distinct)
		switch {
		case f.Rows == 0 || c.Nulls == f.Rows:
		case !t.any:
			t.any, t.ranges = true, c.Range
		default:
			t.ranges = t.ranges.Merge(c.Range)
		}
	}
	for i := range totals {
		if !has[i] {
			totals[i].nulls += f.Rows
		}
	}
}

func (t *columnTotal) stats() table.ColumnStats {
	s := table.ColumnStats{CompressedBytes: t.compressed, UncompressedBytes: t.uncompressed, Nulls: t.nulls}
	if t.nullsUnknown {
		s.Nulls = -1
	}
	if lo, hi, ok := t.ranges.Text(); ok {
		s.Min, s.Max, s.HasBounds = lo, hi, true
	}
	return s
}

// keyStats counts the NULLs and the values of a key's column; they are in no file and cost nothing to read.
func keyStats(files []table.File, k int) table.ColumnStats {
	s := table.ColumnStats{Together: true}
	values := map[string]bool{}
	for _, f := range files {
		if f.Keys[k] == nil {
			s.Nulls += f.Rows
			continue
		}
		values[*f.Keys[k]] = true
	}
	s.Distinct = int64(len(values))
	return s
}

const (
	// sampleBytes of the first file that is not empty tell the length of a row: enough for hundreds of rows, and one read.
	sampleBytes = 64 << 10
	// rowBytesDefault is the guess for a row when the sample has no line break.
	rowBytesDefault = 128
)

// estimateRow guesses how many bytes of file a row takes, from the line breaks in a sample.
func estimateRow(sources []source) (float64, error) {
	for _, s := range sources {
		if s.size == 0 {
			continue
		}
		perRow, err := sampleRow(s.path)
		if err != nil {
			return 0, qerr.New(qerr.IO, "cannot read %s: %v", s.path, err)
		}
		return perRow, nil
	}
	return rowBytesDefault, nil
}

func sampleRow(path string) (float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var source io.Reader = f
	if strings.HasSuffix(table.Fold(path), ".gz") {
		if source, err = gzip.NewReader(f); err != nil {
			return 0, err
		}
	}
	sample := make([]byte, sampleBytes)
	n, err := io.ReadFull(source, sample)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, err
	}
	consumed := float64(n)
	if source != io.Reader(f) {
		// How much of the compressed file the sample came from; reading ahead makes rows look a little longer.
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return 0, err
		}
		consumed = float64(at)
	}
	lines := strings.Count(string(sample[:n]), "\n")
	if lines == 0 {
		return max(1, min(consumed, rowBytesDefault)), nil
	}
	return max(consumed/float64(lines), 0.01), nil
}
