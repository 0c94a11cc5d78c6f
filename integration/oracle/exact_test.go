package oracle

import (
	"strings"
	"testing"
)

func TestCompareExactly(t *testing.T) {
	float := func(texts ...string) *Rows {
		r := FromText(texts...)
		for i := range r.Cells {
			for j := range r.Cells[i] {
				r.Cells[i][j].Float = true
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
		{"bag in another order", FromText("1|a", "2|b", "1|a"), FromText("1|a", "1|a", "2|b"), nil, ""},
		{"a row is twice", FromText("1", "2", "2"), FromText("1", "1", "2"), nil, "missing: \n  2"},
		{"out of order", FromText("1|a", "2|b"), FromText("2|b", "1|a"), []int{0}, "out of order"},
		{"zeros count", FromText("1.50"), FromText("1.5"), nil, "missing"},
		{"NULL is not the text NULL", FromText("NULL"), &Rows{Cells: [][]Cell{{{Text: "NULL"}}}}, nil, "missing"},
		{"floats pair off whatever their order", float("1.5", "2.5", "inf", "nan"), float("nan", "2.50000000000001", "inf", "1.5"), nil, ""},
		{"infinite is not finite", float("1.5", "inf"), float("inf", "inf"), nil, "missing: \n  1.5"},
		{"values do not run together", FromText("1|11"), FromText("11|1"), nil, "missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CompareExactly(c.want, c.got, c.keys...)
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%v, want %q", err, c.fault)
			}
		})
	}
}
