package oracle

import (
	"strings"
	"testing"
)

// The comparison must see what differs and nothing else: each case that must fail is one a broken server could cause.
func TestCompare(t *testing.T) {
	float := func(texts ...string) *Rows {
		r := FromText(texts...)
		for _, row := range r.Cells {
			for j := range row {
				row[j].Float = true
			}
		}
		return r
	}
	for _, c := range []struct {
		name      string
		want, got *Rows
		keys      []int
		fault     string // empty = equal
	}{
		{"equal", FromText("1|a", "2|b"), FromText("1|a", "2|b"), []int{0}, ""},
		{"bag in another order", FromText("1|a", "2|b"), FromText("2|b", "1|a"), nil, ""},
		{"out of order", FromText("1|a", "2|b"), FromText("2|b", "1|a"), []int{0}, "out of order"},
		{"ties may stand in any order", FromText("1|a", "1|b"), FromText("1|b", "1|a"), []int{0}, ""},
		{"a tie hides no wrong row", FromText("1|a", "1|b"), FromText("1|b", "1|b"), []int{0}, "rows differ"},
		{"a row is missing", FromText("1", "2"), FromText("1"), nil, "1 rows, want 2"},
		{"a row is twice", FromText("1", "2", "2"), FromText("1", "1", "2"), nil, "rows differ"},
		{"a column is missing", FromText("1|a"), FromText("1"), nil, "columns"},
		{"NULL is not empty", FromText("NULL"), FromText(""), nil, "rows differ"},
		{"NULL is NULL", FromText("NULL"), FromText("NULL"), []int{0}, ""},
		{"trailing zeros", FromText("1.50"), FromText("1.5"), nil, ""},
		{"decimals are exact", FromText("1.5000000001"), FromText("1.5000000002"), nil, "rows differ"},
		{"floats within tolerance", float("1.50000000000001"), float("1.5"), nil, ""},
		{"what cancelled", float("-9.8e-16"), float("7.7e-16"), nil, ""},
		{"small is not zero", float("1e-8"), float("0"), nil, "rows differ"},
		{"floats beyond it", float("1.5001"), float("1.5"), nil, "rows differ"},
		{"a float may come as text", float("1.5"), FromText("1.50"), nil, ""},
		{"infinite is not finite", float("inf"), float("1.5"), nil, "rows differ"},
		{"not a number", float("nan"), FromText("NaN"), nil, ""},
		{"clock with zeros", FromText("1992-02-29 12:34:56"), FromText("1992-02-29 12:34:56.0"), nil, ""},
		{"text with a dot is no number", FromText("a.0"), FromText("a"), nil, "rows differ"},
		{"version text keeps its zeros", FromText("1.2.0"), FromText("1.2"), nil, "rows differ"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Compare(c.want, c.got, c.keys...)
			switch {
			case c.fault == "" && err != nil:
				t.Errorf("differ: %v", err)
			case c.fault != "" && err == nil:
				t.Errorf("taken as equal, want %q", c.fault)
			case c.fault != "" && !strings.Contains(err.Error(), c.fault):
				t.Errorf("fault %q, want %q", err, c.fault)
			}
		})
	}
}
