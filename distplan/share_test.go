package distplan_test

import (
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
)

// CTEs that each read the one before twice, under a correlated subquery: the tree written out would have 2^40 leaves. Each
// is a stage, the table is scanned once, and planning looks at each subtree once, or this test does not end.
func TestStackedCTEs(t *testing.T) {
	const depth = 40
	tab, err := plantest.Table(plantest.Spec{Name: "t", Columns: "k BIGINT", Files: 3, GroupsPerFile: 2, RowsPerGroup: 1000, BytesPerGroup: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	unknown := operator.Estimated{Rows: -1}
	types := []table.Type{table.Of(table.BigInt)}
	k := &expr.Ref{Index: 0, Result: types[0]}
	on := []operator.Condition{{Op: expr.Equal, Left: k, Right: k}}
	read := func(id int) operator.Node { return &operator.CTERef{Estimated: unknown, ID: id, Result: types} }
	twice := func(id int) operator.Node {
		return &operator.Join{
			Estimated: unknown, Kind: operator.Inner, Left: read(id), Right: read(id), Conditions: on, LeftProject: []int{0}, RightProject: []int{},
		}
	}
	var tree operator.Node = &operator.DelimJoin{
		Join: operator.Join{
			Estimated: unknown, Kind: operator.Semi, Left: twice(depth), Conditions: on,
			Right: &operator.Join{
				Estimated: unknown, Kind: operator.Inner, Left: &operator.Scan{Estimated: unknown, Table: tab, Columns: []int{0}},
				Right: &operator.DelimGet{Estimated: unknown, ID: 1, Result: types}, Conditions: on, RightProject: []int{},
			},
		},
		ID: 1, Columns: []expr.Expr{k},
	}
	for id := depth; id > 1; id-- {
		tree = &operator.CTE{Estimated: unknown, ID: id, Definition: twice(id - 1), Body: tree}
	}
	tree = &operator.CTE{Estimated: unknown, ID: 1, Definition: &operator.Scan{Estimated: unknown, Table: tab, Columns: []int{0}}, Body: tree}
	p, err := distplan.Build(distplan.Statement{Tree: tree, Columns: resultColumns(tree, []string{"k"})},
		distplan.Options{Workers: 3, Distributed: distplan.Always})
	if err != nil {
		t.Fatal(err)
	}
	scans := 0
	for _, s := range p.Stages {
		scans += len(s.Scans)
	}
	if len(p.Fallbacks) > 0 || scans != 1 || len(p.Stages) > 2*depth {
		t.Errorf("%d scans in %d stages; fallbacks %v", scans, len(p.Stages), p.Fallbacks)
	}
}
