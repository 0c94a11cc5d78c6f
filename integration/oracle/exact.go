package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// CompareExactly is Compare for two answers that both have types: texts must be equal to the letter, floating point within
// the tolerance, and a bag is compared row by row in whatever order makes most rows agree.
func CompareExactly(want, got *Rows, keys ...int) error {
	if !slices.Equal(want.Columns, got.Columns) {
		return fmt.Errorf("columns are %q, want %q", got.Columns, want.Columns)
	}
	missing, unexpected := bagDifference(want.Cells, got.Cells)
	if len(missing)+len(unexpected) > 0 {
		return fmt.Errorf("%d rows, want %d\nmissing: %s\nunexpected: %s", len(got.Cells), len(want.Cells), some(missing), some(unexpected))
	}
	for i := range want.Cells {
		for _, key := range keys {
			if !exactly(want.Cells[i][key], got.Cells[i][key]) {
				return fmt.Errorf("row %d is out of order: column %d is %s, want %s", i, key, got.Cells[i][key], want.Cells[i][key])
			}
		}
	}
	return nil
}

func exactly(a, b Cell) bool {
	if a.Null != b.Null || a.Float != b.Float {
		return a.Null && b.Null
	}
	return a.Null || a.Text == b.Text || a.Float && same(a, b)
}

// bagDifference pairs equal rows off and returns those that are left on either side.
func bagDifference(want, got [][]Cell) (missing, unexpected [][]Cell) {
	left := map[string][][]Cell{}
	for _, row := range want {
		key := exactKey(row)
		left[key] = append(left[key], row)
	}
	for _, row := range got {
		key := exactKey(row)
		at := slices.IndexFunc(left[key], func(other []Cell) bool { return slices.EqualFunc(other, row, exactly) })
		if at < 0 {
			unexpected = append(unexpected, row)
			continue
		}
		last := len(left[key]) - 1
		left[key][at] = left[key][last]
		left[key] = left[key][:last]
	}
	for _, rows := range left {
		missing = append(missing, rows...)
	}
	return missing, unexpected
}

// exactKey is equal for rows that agree in everything but floating point.
func exactKey(row []Cell) string {
	var b strings.Builder
	for _, c := range row {
		switch {
		case c.Null:
			b.WriteString("N")
		case c.Float:
			b.WriteString("F")
		default:
			fmt.Fprintf(&b, "%d:%s", len(c.Text), c.Text)
		}
	}
	return b.String()
}

// some shows the first rows, in an order that does not change from run to run.
func some(rows [][]Cell) string {
	texts := make([]string, len(rows))
	for i, row := range rows {
		texts[i] = "\n  " + show(row)
	}
	slices.Sort(texts)
	if len(texts) > shownRows {
		texts = append(texts[:shownRows], fmt.Sprintf("\n  … %d more", len(texts)-shownRows))
	}
	if len(texts) == 0 {
		return "none"
	}
	return strings.Join(texts, "")
}
