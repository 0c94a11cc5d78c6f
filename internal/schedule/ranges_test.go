package schedule_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/schedule"
)

// TestRanges: scans that share ranges are dealt alike; a split goes to every task that may need rows of it; a scan beside
// them that is divided by splits is dealt by itself.
func TestRanges(t *testing.T) {
	ranges := &operator.Ranges{Type: table.Of(table.BigInt), Weights: []float64{10, 10, 10, 10}}
	for _, n := range []int64{10, 20, 30} {
		ranges.Cuts = append(ranges.Cuts, table.Value{Number: n})
	}
	files := make([]table.File, 9)
	scan := func(file int, by *operator.RangesBy, spans ...distplan.Span) distplan.ScanInput {
		in := distplan.ScanInput{By: by, Spans: spans}
		for i := range spans {
			files[file+i].Path, files[file+i].Rows = fmt.Sprint("f", file+i), 100
			in.Splits = append(in.Splits, table.Split{File: &files[file+i], Rows: -1, Bytes: 100})
		}
		if by == nil {
			in.Spans = nil
		}
		return in
	}
	by := &operator.RangesBy{Ranges: ranges}
	stage := &distplan.Stage{Spread: distplan.SpreadSplits, Scans: []distplan.ScanInput{
		scan(0, by, distplan.Span{First: 0, Last: 0}, distplan.Span{First: 0, Last: 2}, distplan.Span{First: 3, Last: 3, Nulls: true}),
		scan(3, by, distplan.Span{First: 1, Last: 1}, distplan.Span{First: 2, Last: 3}),
		scan(5, nil, distplan.Span{}, distplan.Span{}),
	}}
	a, err := schedule.Assign(&distplan.Plan{Stages: []*distplan.Stage{stage}}, []schedule.Worker{{ID: "w1", Threads: 1}, {ID: "w2", Threads: 3}})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, task := range a.Stages[0] {
		fmt.Fprintf(&b, "%d %s", task.Index, task.Worker)
		for i, splits := range task.Splits {
			fmt.Fprintf(&b, " %v", task.Ranges[i])
			for _, s := range splits {
				b.WriteString(" " + s.File.Path)
			}
		}
		b.WriteByte('\n')
	}
	const want = "0 w1 {0 1} f0 f1 f2 {0 1} {0 0} f6\n1 w2 {1 4} f1 f2 {1 4} f3 f4 {0 0} f5\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
