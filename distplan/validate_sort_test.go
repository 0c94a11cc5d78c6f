package distplan_test

import (
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
)

// Plans that would give an ordered result in another order, made by damaging a good one: stage 2 sends rows to ranges, stage 3
// sorts them.
func TestValidateRefusesAnotherOrder(t *testing.T) {
	tab, err := plantest.Table(plantest.Spec{Name: "t", Columns: "k BIGINT, v BIGINT", Files: 2, GroupsPerFile: 2, RowsPerGroup: 10, BytesPerGroup: 100})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		damage func(*distplan.Plan)
		want   string
	}{
		"by hash": {func(p *distplan.Plan) {
			out := &p.Stages[2].Output
			out.Kind, out.Keys = distplan.OutputHash, []int{0}
			project := *p.Stages[2].Body.(*operator.Project)
			project.Exprs = project.Exprs[:2]
			p.Stages[2].Body = &project
		}, "ordered result comes from many tasks"},
		"rows that nobody sorts": {func(p *distplan.Plan) { p.Root().Body = p.Root().Body.(*operator.Order).Child }, "ordered result comes from many tasks"},
		"one range":              {func(p *distplan.Plan) { p.Stages[2].Output.Partitions = 1 }, "range output with 1 partitions"},
		"ranges by a key":        {func(p *distplan.Plan) { p.Stages[2].Output.Keys = []int{0} }, "1 keys"},
		"ranges of no number": {func(p *distplan.Plan) {
			project := *p.Stages[2].Body.(*operator.Project)
			project.Exprs = project.Exprs[:2]
			p.Stages[2].Body = &project
		}, "no INTEGER"},
	} {
		tree, names, err := plantest.Tree("order by=(k)\n  scan t (k, v)", map[string]*table.Table{"t": tab})
		if err != nil {
			t.Fatal(err)
		}
		p, err := distplan.Build(distplan.Statement{Tree: tree, Columns: resultColumns(tree, names)},
			distplan.Options{Workers: 3, Distributed: distplan.Always, OrderedEndpoints: true})
		if err != nil || len(p.Stages) != 4 {
			t.Fatalf("%v\n%s", err, distplan.Explain(p))
		}
		c.damage(p)
		if err := distplan.Validate(p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}
