package distplan_test

import (
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
)

// otherKey lets the first hash exchange send its rows by the column after the one it was planned to send them by.
func otherKey(p *distplan.Plan) {
	for _, s := range p.Stages {
		if s.Output.Kind == distplan.OutputHash {
			s.Output.Keys = []int{(s.Output.Keys[0] + 1) % len(s.Types)}
			return
		}
	}
}

// second is the second column of a side.
func second(n operator.Node) expr.Expr { return &expr.Ref{Index: 1, Result: n.Types()[1]} }

// Plans in which rows that must meet go to different tasks, made by damaging good ones.
func TestValidateRefusesRowsThatDoNotMeet(t *testing.T) {
	tables := map[string]*table.Table{}
	for _, name := range []string{"a", "b"} {
		made, err := plantest.Table(plantest.Spec{Name: name, Columns: "k BIGINT, v BIGINT", Files: 3, GroupsPerFile: 1, RowsPerGroup: 1000, BytesPerGroup: 100})
		if err != nil {
			t.Fatal(err)
		}
		tables[name] = made
	}
	for name, c := range map[string]struct {
		tree   string
		damage func(*distplan.Plan)
		want   string
	}{
		"join":              {"join inner on=(k = k)\n  scan a (k, v)\n  scan b (k, v)", otherKey, "rows that match"},
		"join above a join": {"join left on=(k = k)\n  join inner on=(k = k)\n    scan a (k, v)\n    scan b (k, v)\n  scan b (k, v)", otherKey, "rows that match"},
		"two phases":        {"aggregate group=(k) agg=(sum(v))\n  scan a (k, v)", otherKey, "rows of one group"},
		"raw groups":        {"aggregate group=(k) agg=(count(distinct v))\n  scan a (k, v)", otherKey, "rows of one group"},
		"groups above a join": {"aggregate group=(k) agg=(count(distinct v))\n  join semi on=(k = k)\n    scan a (k, v)\n    scan b (k, v)", func(p *distplan.Plan) {
			for _, s := range p.Stages { // both sides go by v, and meet
				if s.Output.Kind == distplan.OutputHash {
					s.Output.Keys = []int{1}
				}
			}
			operator.Walk(p.Root().Body, func(n operator.Node) bool {
				if j, ok := n.(*operator.Join); ok {
					j.Conditions[0].Left, j.Conditions[0].Right = second(j.Left), second(j.Right)
				}
				return true
			})
		}, "rows of one group"},
		"window":      {"window row_number() over (partition=(k) by=(v)) as rn\n  scan a (k, v)", otherKey, "rows of one partition"},
		"distinct on": {"distinct on=(k) by=(k, v)\n  scan a (k, v)", otherKey, "rows of one key"},
		"except": {"except\n  scan a (k, v)\n  scan b (k, v)", func(p *distplan.Plan) {
			p.Stages[0].Output.Keys, p.Stages[1].Output.Keys = []int{0}, []int{1}
		}, "equal rows"},
		"distinct without its second half": {"distinct\n  scan a (k, v)", func(p *distplan.Plan) {
			p.Stages = p.Stages[:1]
			p.Stages[0].Output = distplan.Output{Kind: distplan.OutputResult, Partitions: 1}
		}, "equal rows"},
		"limit without its second half": {"limit 3\n  scan a (k, v)", func(p *distplan.Plan) {
			p.Stages = p.Stages[:1]
			p.Stages[0].Output = distplan.Output{Kind: distplan.OutputResult, Partitions: 1}
		}, "limit of one"},
	} {
		tree, names, err := plantest.Tree(c.tree, tables)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p, err := distplan.Build(distplan.Statement{Tree: tree, Columns: resultColumns(tree, names)},
			distplan.Options{Workers: 2, Distributed: distplan.Always, JoinStrategy: distplan.JoinExchange})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.damage(p)
		if err := distplan.Validate(p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q\n%s", name, err, c.want, distplan.Explain(p))
		}
	}
}
