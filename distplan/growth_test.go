package distplan_test

import (
	"fmt"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/schedule"
)

// A shape is a statement over tables of ten thousand files, two row groups each.
type shape struct{ name, tree string }

// shapes meet the rules whose work could grow with workers, files or both: one lies by ranges of its key, one does not and
// is exchanged, one only scans.
var shapes = []shape{
	{"scan", `
scan facts (id, v)`},
	{"clustered", `
aggregate group=(id) agg=(sum(v))
  join inner on=(id = key)
    scan facts (id, v)
    scan more (key)`},
	{"exchanged", `
aggregate group=(k) agg=(sum(v))
  join inner on=(k = j)
    scan facts (k, v)
    scan more (j)`},
}

// A planned is a shape that is ready to be planned.
type planned struct {
	st   distplan.Statement
	opts distplan.Options
}

func (s shape) ready(tb testing.TB, files, workers int) planned {
	tb.Helper()
	tables := map[string]*table.Table{}
	for name, columns := range map[string]string{"facts": "id BIGINT, k BIGINT, v BIGINT", "more": "key BIGINT, j BIGINT"} {
		made, err := plantest.Table(plantest.Spec{Name: name, Columns: columns, Files: files, GroupsPerFile: 2, RowsPerGroup: 100_000, BytesPerGroup: 1 << 20})
		if err != nil {
			tb.Fatal(err)
		}
		if err := plantest.Lay(made, plantest.Zone{Column: made.Columns[0].Name, Step: 1000, Width: 1000, Nulls: table.NullsNone}); err != nil {
			tb.Fatal(err)
		}
		tables[name] = made
	}
	tree := plantest.MustTree(s.tree, tables)
	return planned{distplan.Statement{Tree: tree, Columns: resultColumns(tree, make([]string, len(tree.Types())))}, distplan.Options{Workers: workers}}
}

func (p planned) build(tb testing.TB) *distplan.Plan {
	tb.Helper()
	made, err := distplan.Build(p.st, p.opts)
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

// plan does what a query needs before its first task: the plan, and who does what.
func (p planned) plan(tb testing.TB) (*distplan.Plan, *schedule.Assignment) {
	tb.Helper()
	made := p.build(tb)
	workers := make([]schedule.Worker, p.opts.Workers)
	for i := range workers {
		workers[i].ID = ids.WorkerID(fmt.Sprintf("w%d", i))
	}
	assigned, err := schedule.Assign(made, workers)
	if err != nil {
		tb.Fatal(err)
	}
	return made, assigned
}

// TestShapes holds the shapes to what the benchmark measures: a shape that falls back would be planned soon.
func TestShapes(t *testing.T) {
	for _, s := range shapes {
		made, assigned := s.ready(t, 200, 100).plan(t)
		ranged, hashed := false, false
		for _, stage := range made.Stages {
			for _, scan := range stage.Scans {
				ranged = ranged || scan.By != nil
			}
			hashed = hashed || stage.Output.Kind == distplan.OutputHash
		}
		if ranged != (s.name == "clustered") || hashed != (s.name == "exchanged") || assigned.Tasks()[0] != 100 {
			t.Errorf("%s: divided by ranges %v, exchanged %v\n%s", s.name, ranged, hashed, distplan.ExplainOn(made, assigned.Tasks()))
		}
	}
}
