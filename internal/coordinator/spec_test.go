package coordinator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// TestSplitsInRange: row groups are told apart by whether all of their rows are in the run, and any doubt is a no.
func TestSplitsInRange(t *testing.T) {
	bounds := func(lo, hi int64, nulls table.NullState) table.Bounds {
		return table.Bounds{Min: table.Value{Number: lo}, Max: table.Value{Number: hi}, Known: true, Nulls: nulls}
	}
	unknown := table.Bounds{Nulls: table.NullsNone}
	none, some := table.NullsNone, table.NullsSome
	for _, c := range []struct {
		name  string
		run   distplan.Run // of the ranges …10, 10…20, 20…30, 30…
		zones []table.Bounds
		split table.Split
		want  string // rows of each split, * for a whole file, + for those inside
	}{
		{"all inside", distplan.Run{First: 1, Until: 3}, []table.Bounds{bounds(10, 15, none), bounds(15, 29, none)}, table.Split{Rows: -1}, "*+"},
		{"an end is beyond", distplan.Run{First: 1, Until: 3}, []table.Bounds{bounds(10, 15, none), bounds(15, 30, none)}, table.Split{Rows: -1}, "0-99+ 100-199"},
		{"a start is before", distplan.Run{First: 1, Until: 3}, []table.Bounds{bounds(9, 15, none), bounds(15, 20, none), bounds(20, 20, none)}, table.Split{Rows: -1}, "0-99 100-299+"},
		{"bounds are not known", distplan.Run{First: 1, Until: 3}, []table.Bounds{bounds(10, 15, none), unknown, bounds(20, 20, none)}, table.Split{Rows: -1}, "0-99+ 100-199 200-299+"},
		{"none of a file", distplan.Run{First: 1, Until: 3}, []table.Bounds{unknown, bounds(9, 40, none)}, table.Split{Rows: -1}, "*"},
		{"NULLs are in the first range", distplan.Run{First: 0, Until: 2}, []table.Bounds{bounds(0, 15, some), {Nulls: table.NullsOnly}}, table.Split{Rows: -1}, "*+"},
		{"and in no other", distplan.Run{First: 1, Until: 4}, []table.Bounds{bounds(10, 15, some), bounds(10, 99, none), bounds(10, 15, table.NullsUnknown)}, table.Split{Rows: -1}, "0-99 100-199+ 200-299"},
		{"a part of a file", distplan.Run{First: 3, Until: 4}, []table.Bounds{bounds(1, 2, none), bounds(29, 31, none), bounds(30, 31, none), bounds(5, 6, none)},
			table.Split{FirstRow: 100, Rows: 200}, "100-199 200-299+"},
	} {
		f := &table.File{Path: "f", Zones: make([]table.Zone, 2)}
		for _, b := range c.zones {
			f.Zones[1].Add(b, false)
			f.RowGroups = append(f.RowGroups, table.RowGroup{FirstRow: f.Rows, Rows: 100})
			f.Rows += 100
		}
		c.split.File = f
		ranges := &operator.Ranges{Type: table.Of(table.BigInt), Cuts: []table.Value{{Number: 10}, {Number: 20}, {Number: 30}}}
		in := &distplan.ScanInput{Columns: []int{0, 1}, By: &operator.RangesBy{Ranges: ranges, Column: 1}}
		var got []string
		for _, s := range splitsInRange(in, c.run, []table.Split{c.split}) {
			text := "*"
			if s.GetRows() >= 0 {
				text = fmt.Sprintf("%d-%d", s.GetFirstRow(), s.GetFirstRow()+s.GetRows()-1)
			}
			if s.GetInside() {
				text += "+"
			}
			got = append(got, text)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}
