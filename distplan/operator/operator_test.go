package operator_test

import (
	"reflect"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var (
	bigint  = table.Of(table.BigInt)
	varchar = table.Of(table.Varchar)
	boolean = table.Of(table.Boolean)
)

func input(types ...table.Type) operator.Node { return &operator.Input{Name: "x", Result: types} }

// everyNode holds one of each over inputs of a BIGINT and a VARCHAR.
func everyNode() []operator.Node {
	in, other := input(bigint, varchar), input(varchar)
	join := operator.Join{Kind: operator.Inner, Left: in, Right: other}
	return []operator.Node{
		&operator.Scan{Table: &table.Table{}}, &operator.Values{}, &operator.Empty{}, &operator.Dummy{}, in,
		&operator.DelimGet{ID: 1}, &operator.CTERef{ID: 1},
		&operator.Filter{Child: in}, &operator.Project{Child: in}, &operator.Aggregate{Child: in}, &operator.Distinct{Child: in},
		&operator.Order{Child: in}, &operator.TopN{Child: in}, &operator.Limit{Child: in}, &operator.Window{Child: in},
		&operator.Exchange{Child: in}, &join, &operator.DelimJoin{Join: join, ID: 3, Flipped: true},
		&operator.Cross{Left: in, Right: other}, &operator.CTE{ID: 1, Definition: in, Body: other},
		&operator.SetOp{Kind: operator.Union, Inputs: []operator.Node{in, in, in}},
	}
}

// WithChildren gives the same kind of node over other inputs, and leaves the original alone.
func TestChildrenRoundTrip(t *testing.T) {
	for _, n := range everyNode() {
		same := n.WithChildren(n.Children())
		if !reflect.DeepEqual(n, same) || same == n {
			t.Errorf("%T: %+v became %+v", n, n, same)
		}
		before := append([]operator.Node(nil), n.Children()...)
		others := make([]operator.Node, len(before))
		for i := range others {
			others[i] = &operator.Dummy{Estimated: operator.Estimated{Rows: float64(i)}}
		}
		got := n.WithChildren(others).Children()
		for i := range others {
			if got[i] != others[i] || n.Children()[i] != before[i] {
				t.Errorf("%T: input %d is %v", n, i, got[i])
			}
		}
	}
}

func TestTypes(t *testing.T) {
	left, right := input(bigint, varchar), input(boolean)
	join := func(kind operator.JoinKind, l, r []int) operator.Node {
		return &operator.Join{Kind: kind, Left: left, Right: right, LeftProject: l, RightProject: r}
	}
	scan := &operator.Scan{Table: &table.Table{Columns: []table.Column{{Name: "a", Type: varchar}}}, Columns: []int{-1, 0}}
	group := &operator.Aggregate{
		Child: left, Groups: []expr.Expr{&expr.Ref{Index: 1, Result: varchar}},
		Aggregates: []*expr.Aggregate{{Name: "bool_and", Result: boolean}}, GroupingCalls: [][]int{{0}},
	}
	for name, c := range map[string]struct {
		node operator.Node
		want []table.Type
	}{
		"a column nobody reads": {scan, []table.Type{bigint, varchar}},
		"inner":                 {join(operator.Inner, nil, nil), []table.Type{bigint, varchar, boolean}},
		"picked":                {join(operator.Left, []int{1}, []int{}), []table.Type{varchar}},
		"semi":                  {join(operator.Semi, nil, nil), []table.Type{bigint, varchar}},
		"right anti":            {join(operator.RightAnti, nil, nil), []table.Type{boolean}},
		"mark":                  {join(operator.Mark, []int{0}, nil), []table.Type{bigint, boolean}},
		"filter":                {&operator.Filter{Child: left, Project: []int{1, 1}}, []table.Type{varchar, varchar}},
		"aggregate":             {group, []table.Type{varchar, boolean, bigint}},
		"window":                {&operator.Window{Child: right, Windows: []*expr.Window{{Result: bigint}}}, []table.Type{boolean, bigint}},
		"with":                  {&operator.CTE{Definition: left, Body: right}, []table.Type{boolean}},
	} {
		if got := c.node.Types(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestPlain(t *testing.T) {
	groups := []expr.Expr{&expr.Ref{Index: 0, Result: bigint}, &expr.Ref{Index: 1, Result: varchar}}
	for _, c := range []struct {
		sets [][]int
		want bool
	}{{nil, true}, {[][]int{{1, 0}}, true}, {[][]int{{0}}, false}, {[][]int{{}}, false}, {[][]int{{0, 1}, {0, 1}}, false}} {
		if got := (&operator.Aggregate{Groups: groups, Sets: c.sets}).Plain(); got != c.want {
			t.Errorf("%v: %v", c.sets, got)
		}
	}
}
