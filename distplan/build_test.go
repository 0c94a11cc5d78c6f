package distplan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/schedule"
)

// The scripts under testdata/plan: tables and trees in plantest's form, plans in EXPLAIN's.
//
//	table name=t files=3 groups=2 rows=1000 bytes=4096     its columns stand below
//	zone table=t column=a first=0 step=1000 width=1000 [nulls=none]     see plantest.Zone; the table's bounds
//	distinct table=t column=a values=100 [together]         how many values the catalog thinks that a column has
//	plan workers=3 [partitions=7] [distributed=auto] [small=BYTES] [strategy=exchange] [endpoints]    the tree stands below
//	fragments …                                             likewise; prints the SQL of each stage
func TestPlans(t *testing.T) {
	datadriven.Walk(t, "testdata/plan", func(t *testing.T, path string) {
		tables := map[string]*table.Table{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "table":
				return defineTable(t, d, tables)
			case "zone":
				return defineZone(t, d, tables)
			case "distinct":
				return defineDistinct(t, d, tables)
			case "plan", "fragments":
				p, workers, err := buildPlan(t, d, tables)
				if err != nil {
					return "error: " + err.Error()
				}
				if d.Cmd == "fragments" {
					return fragments(p)
				}
				return distplan.ExplainOn(p, tasks(t, p, workers))
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func defineTable(t *testing.T, d *datadriven.TestData, tables map[string]*table.Table) string {
	t.Helper()
	s := plantest.Spec{Columns: strings.TrimSpace(d.Input), Files: 3, GroupsPerFile: 2}
	rows, bytes := int64(1000), int64(4096)
	d.ScanArgs(t, "name", &s.Name)
	d.MaybeScanArgs(t, "files", &s.Files)
	d.MaybeScanArgs(t, "groups", &s.GroupsPerFile)
	d.MaybeScanArgs(t, "rows", &rows)
	d.MaybeScanArgs(t, "bytes", &bytes)
	s.RowsPerGroup, s.BytesPerGroup = rows, bytes
	made, err := plantest.Table(s)
	if err != nil {
		t.Fatal(err)
	}
	tables[s.Name] = made
	return "ok"
}

func defineZone(t *testing.T, d *datadriven.TestData, tables map[string]*table.Table) string {
	t.Helper()
	z := plantest.Zone{Nulls: table.NullsNone}
	name, nulls := "", "none"
	d.ScanArgs(t, "table", &name)
	d.ScanArgs(t, "column", &z.Column)
	d.MaybeScanArgs(t, "first", &z.First)
	d.MaybeScanArgs(t, "step", &z.Step)
	d.MaybeScanArgs(t, "width", &z.Width)
	d.MaybeScanArgs(t, "nulls", &nulls)
	z.Nulls = map[string]table.NullState{"none": table.NullsNone, "some": table.NullsSome, "only": table.NullsOnly}[nulls]
	if err := plantest.Lay(tables[name], z); err != nil {
		d.Fatalf(t, "%v", err)
	}
	return "ok"
}

func defineDistinct(t *testing.T, d *datadriven.TestData, tables map[string]*table.Table) string {
	t.Helper()
	var name, column string
	var s table.ColumnStats
	d.ScanArgs(t, "table", &name)
	d.ScanArgs(t, "column", &column)
	d.ScanArgs(t, "values", &s.Distinct)
	s.Together = d.HasArg("together")
	tab := tables[name]
	tab.Stats = slices.Grow(tab.Stats, len(tab.Columns))[:len(tab.Columns)]
	for i, c := range tab.Columns {
		if c.Name == column {
			tab.Stats[i] = s
		}
	}
	return "ok"
}

func buildPlan(t *testing.T, d *datadriven.TestData, tables map[string]*table.Table) (*distplan.Plan, int, error) {
	t.Helper()
	opts := distplan.Options{Workers: 3, Partitions: 6, Distributed: distplan.Always}
	mode, strategy := string(opts.Distributed), ""
	d.MaybeScanArgs(t, "workers", &opts.Workers)
	d.MaybeScanArgs(t, "partitions", &opts.Partitions)
	d.MaybeScanArgs(t, "distributed", &mode)
	d.MaybeScanArgs(t, "small", &opts.SmallBytes)
	d.MaybeScanArgs(t, "strategy", &strategy)
	opts.OrderedEndpoints = d.HasArg("endpoints")
	opts.Distributed, opts.JoinStrategy = distplan.Mode(mode), distplan.JoinStrategy(strategy)
	tree, names, err := plantest.Tree(d.Input, tables)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	st := distplan.Statement{Tree: tree, Columns: resultColumns(tree, names)}
	for _, a := range d.CmdArgs {
		if a.Key != "as" {
			continue
		}
		if st.Columns, err = plantest.Columns(strings.ReplaceAll(strings.Join(a.Vals, ","), ":", " ")); err != nil {
			d.Fatalf(t, "%v", err)
		}
	}
	p, err := distplan.Build(st, opts)
	return p, opts.Workers, err
}

func resultColumns(tree operator.Node, names []string) []table.Column {
	columns := make([]table.Column, len(tree.Types()))
	for i, typ := range tree.Types() {
		columns[i] = table.Column{Name: names[i], Type: typ}
	}
	return columns
}

func tasks(t *testing.T, p *distplan.Plan, workers int) []int {
	t.Helper()
	members := make([]schedule.Worker, workers)
	for i := range members {
		members[i].ID = ids.WorkerID(fmt.Sprintf("w%d", i+1))
	}
	a, err := schedule.Assign(p, members)
	if err != nil {
		t.Fatal(err)
	}
	return a.Tasks()
}

func fragments(p *distplan.Plan) string {
	var b strings.Builder
	for _, s := range p.Stages {
		fmt.Fprintf(&b, "stage %d: %s\n", s.ID, s.Fragment)
	}
	return b.String()
}
