package distplan_test

import (
	"math/rand/v2"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
)

// A gen makes random operator trees over two tables: small, well formed, and of every kind of operator.
type gen struct {
	*rand.Rand
	tables []*table.Table
	ids    int
}

func newGen(seed uint64) *gen {
	g := &gen{Rand: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // A seed makes the test repeatable.
	for _, s := range []plantest.Spec{
		{Name: "big", Columns: "a BIGINT, b INTEGER, s VARCHAR, d DECIMAL(15,2), f DOUBLE", Files: 4, GroupsPerFile: 3, RowsPerGroup: 100, BytesPerGroup: 999},
		{Name: "small", Columns: "a BIGINT, s VARCHAR", Files: g.IntN(2), GroupsPerFile: 1, RowsPerGroup: 10, BytesPerGroup: 9},
	} {
		t, err := plantest.Table(s)
		if err != nil {
			panic(err)
		}
		g.tables = append(g.tables, t)
	}
	return g
}

func (g *gen) estimate() operator.Estimated {
	return operator.Estimated{Rows: float64(g.IntN(1000) - 1)}
}

func (g *gen) tree(depth int) operator.Node {
	if depth == 0 {
		return g.leaf()
	}
	child := g.tree(depth - 1)
	switch g.IntN(14) {
	case 0:
		return &operator.Filter{Estimated: g.estimate(), Child: child, Conditions: []expr.Expr{g.condition(child)}, Project: g.project(child)}
	case 1:
		return &operator.Project{Estimated: g.estimate(), Child: child, Exprs: g.exprs(child)}
	case 2, 3, 4:
		return g.aggregate(child)
	case 5:
		return &operator.Distinct{Estimated: g.estimate(), Child: child}
	case 6:
		return &operator.Distinct{Estimated: g.estimate(), Child: child, On: []expr.Expr{g.ref(child)}, OrderBy: g.orders(child)}
	case 7:
		return &operator.TopN{Estimated: g.estimate(), Child: child, By: g.orders(child), Limit: int64(g.IntN(9)), Offset: int64(g.IntN(3))}
	case 8:
		return &operator.Limit{Estimated: g.estimate(), Child: child, Limit: int64(g.IntN(9) - 1), Offset: int64(g.IntN(3))}
	case 9:
		return &operator.Order{Estimated: g.estimate(), Child: child, By: g.orders(child), Project: g.project(child)}
	case 10:
		return g.setOp(child, depth)
	case 11:
		return g.window(child)
	case 12:
		return g.join(child, g.tree(depth-1))
	}
	g.ids++
	cte := &operator.CTE{Estimated: g.estimate(), ID: g.ids, Definition: child}
	reader := func() operator.Node {
		return &operator.CTERef{Estimated: g.estimate(), ID: cte.ID, Result: child.Types()}
	}
	cte.Body = g.join(reader(), reader())
	return cte
}

func (g *gen) leaf() operator.Node {
	if g.IntN(6) == 0 {
		return &operator.Values{
			Estimated: g.estimate(),
			Rows:      [][]expr.Expr{{&expr.Const{SQL: "CAST(1 AS BIGINT)", Result: table.Of(table.BigInt)}}},
			Result:    []table.Type{table.Of(table.BigInt)},
		}
	}
	t := g.tables[g.IntN(len(g.tables))]
	s := &operator.Scan{Estimated: g.estimate(), Table: t}
	for c := range t.Columns {
		if g.IntN(3) > 0 {
			s.Columns = append(s.Columns, c)
		}
	}
	if len(s.Columns) == 0 {
		s.Columns = []int{-1}
	}
	return s
}

func (g *gen) ref(n operator.Node) expr.Expr {
	types := n.Types()
	c := g.IntN(len(types))
	return &expr.Ref{Index: c, Result: types[c]}
}

func (g *gen) condition(n operator.Node) expr.Expr {
	r := g.ref(n)
	if g.IntN(3) == 0 {
		return &expr.Operator{Kind: expr.IsNotNull, Operands: []expr.Expr{r}, Result: table.Of(table.Boolean)}
	}
	return &expr.Compare{Op: expr.NotEqual, Left: r, Right: r}
}

func (g *gen) project(n operator.Node) []int {
	if g.IntN(2) == 0 {
		return nil
	}
	width := len(n.Types())
	project := make([]int, 1+g.IntN(width))
	for i := range project {
		project[i] = g.IntN(width)
	}
	return project
}

func (g *gen) exprs(n operator.Node) []expr.Expr {
	list := make([]expr.Expr, 1+g.IntN(4))
	for i := range list {
		list[i] = g.ref(n)
		switch g.IntN(4) {
		case 0:
			list[i] = &expr.Cast{Child: list[i], Result: table.Of(table.Varchar)}
		case 1:
			list[i] = &expr.Operator{Kind: expr.IsNull, Operands: []expr.Expr{list[i]}, Result: table.Of(table.Boolean)}
		}
	}
	return list
}

func (g *gen) orders(n operator.Node) []expr.Order {
	return []expr.Order{{Expr: g.ref(n), Descending: g.IntN(2) == 0, NullsFirst: g.IntN(2) == 0}}
}

func (g *gen) aggregate(child operator.Node) operator.Node {
	a := &operator.Aggregate{Estimated: g.estimate(), Child: child}
	for range g.IntN(3) {
		a.Groups = append(a.Groups, g.ref(child))
	}
	for range 1 + g.IntN(3) {
		a.Aggregates = append(a.Aggregates, g.function(child))
	}
	if len(a.Groups) > 0 && g.IntN(4) == 0 {
		a.Sets = [][]int{{0}, {}}
		if g.IntN(2) == 0 {
			a.Sets = append(a.Sets, operator.Pick(nil, len(a.Groups)))
		}
		a.GroupingCalls = [][]int{{0}}
	}
	return a
}

func (g *gen) function(child operator.Node) *expr.Aggregate {
	r := g.ref(child)
	bigint := table.Of(table.BigInt)
	a := &expr.Aggregate{Name: "count", Args: []expr.Expr{r}, Result: bigint}
	switch g.IntN(6) {
	case 0:
		a = &expr.Aggregate{Name: "count_star", Result: bigint}
	case 1:
		a = &expr.Aggregate{Name: "max", Args: []expr.Expr{r}, Result: r.Type()}
	case 2:
		a = &expr.Aggregate{Name: "list", Args: []expr.Expr{r}, Result: table.Type{ID: table.List, Fields: []table.Field{{Type: r.Type()}}}}
	case 3:
		if r.Type().ID == table.BigInt {
			a = &expr.Aggregate{Name: "avg", Args: []expr.Expr{r}, Result: table.Of(table.Double)}
		}
	}
	if len(a.Args) > 0 {
		a.Distinct = g.IntN(4) == 0
	}
	if g.IntN(4) == 0 {
		a.Filter = g.condition(child)
	}
	return a
}

func (g *gen) setOp(child operator.Node, depth int) operator.Node {
	kinds := []operator.SetKind{operator.Union, operator.Intersect, operator.Except}
	set := &operator.SetOp{Estimated: g.estimate(), Kind: kinds[g.IntN(3)], All: g.IntN(2) == 0, Inputs: []operator.Node{child}}
	// The other input is brought to the same types, as DuckDB's binder does.
	other := g.tree(depth - 1)
	from := other.Types()
	casts := &operator.Project{Estimated: g.estimate(), Child: other}
	for i, t := range child.Types() {
		c := i % len(from)
		var e expr.Expr = &expr.Ref{Index: c, Result: from[c]}
		if !from[c].Equal(t) {
			e = &expr.Cast{Child: e, Result: t}
		}
		casts.Exprs = append(casts.Exprs, e)
	}
	set.Inputs = append(set.Inputs, casts)
	return set
}

func (g *gen) window(child operator.Node) operator.Node {
	w := &expr.Window{
		Name: "row_number", Orders: g.orders(child), Result: table.Of(table.BigInt),
		Start: expr.FrameBound{Kind: "UNBOUNDED_PRECEDING"}, End: expr.FrameBound{Kind: "CURRENT_ROW_RANGE"},
	}
	if g.IntN(3) > 0 {
		w.Partitions = []expr.Expr{g.ref(child)}
	}
	return &operator.Window{Estimated: g.estimate(), Child: child, Windows: []*expr.Window{w}}
}

func (g *gen) join(left, right operator.Node) operator.Node {
	if g.IntN(8) == 0 {
		return &operator.Cross{Estimated: g.estimate(), Left: left, Right: right}
	}
	kinds := []operator.JoinKind{
		operator.Inner, operator.Left, operator.Right, operator.Full, operator.Semi, operator.Anti, operator.RightSemi, operator.RightAnti,
		operator.Mark, operator.Single,
	}
	j := &operator.Join{Estimated: g.estimate(), Kind: kinds[g.IntN(len(kinds))], Left: left, Right: right}
	j.Conditions = []operator.Condition{g.on(left, right)}
	for j.Kind != operator.Mark && g.IntN(3) == 0 {
		j.Conditions = append(j.Conditions, g.on(left, right))
	}
	if j.Kind != operator.Mark && g.IntN(4) == 0 {
		types := append(append([]table.Type(nil), left.Types()...), right.Types()...)
		at := g.IntN(len(types))
		j.Predicate = &expr.Operator{
			Kind: expr.IsNotNull, Operands: []expr.Expr{&expr.Ref{Index: at, Result: types[at]}}, Result: table.Of(table.Boolean),
		}
	}
	if g.IntN(2) == 0 {
		j.LeftProject, j.RightProject = g.project(left), g.project(right)
	}
	if g.IntN(4) > 0 {
		return j
	}
	g.ids++
	d := &operator.DelimJoin{Join: *j, ID: g.ids}
	d.LeftProject, d.RightProject, d.Predicate = nil, nil, nil
	d.Conditions = []operator.Condition{{Op: expr.Equal, Left: g.ref(left), Right: g.ref(right)}}
	d.Columns = []expr.Expr{g.ref(left)}
	get := &operator.DelimGet{Estimated: g.estimate(), ID: d.ID, Result: []table.Type{d.Columns[0].Type()}}
	d.Right = &operator.Cross{Estimated: g.estimate(), Left: right, Right: get}
	return d
}

// on is a condition between two columns, brought to one type as DuckDB's binder does.
func (g *gen) on(left, right operator.Node) operator.Condition {
	ops := []expr.CompareOp{expr.Equal, expr.Equal, expr.Equal, expr.NotDistinctFrom, expr.Less, expr.NotEqual}
	c := operator.Condition{Op: ops[g.IntN(len(ops))], Left: g.ref(left), Right: g.ref(right)}
	if !c.Left.Type().Equal(c.Right.Type()) {
		c.Left = &expr.Cast{Child: c.Left, Result: table.Of(table.Varchar)}
		c.Right = &expr.Cast{Child: c.Right, Result: table.Of(table.Varchar)}
	}
	return c
}
