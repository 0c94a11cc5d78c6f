package operator

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

// The methods of Node, type by type. All receivers are pointers: a *Scan is a Node, a Scan is not.
//
// WithChildren with another number of inputs than Children gave is a bug of the caller, which the invariants build finds.

// Types implements Node.
func (n *Scan) Types() []table.Type {
	types := make([]table.Type, len(n.Columns))
	for i, c := range n.Columns {
		if c < 0 {
			types[i] = table.Of(table.BigInt)
		} else {
			types[i] = n.Table.Columns[c].Type
		}
	}
	return types
}

// Types implements Node.
func (n *Values) Types() []table.Type { return n.Result }

// Types implements Node.
func (n *Empty) Types() []table.Type { return n.Result }

// Types implements Node.
func (n *Dummy) Types() []table.Type { return nil }

// Types implements Node.
func (n *Filter) Types() []table.Type { return pick(n.Child.Types(), n.Project) }

// Types implements Node.
func (n *Project) Types() []table.Type { return exprTypes(n.Exprs) }

// Types implements Node.
func (n *Aggregate) Types() []table.Type {
	types := exprTypes(n.Groups)
	for _, a := range n.Aggregates {
		types = append(types, a.Result)
	}
	for range n.GroupingCalls {
		types = append(types, table.Of(table.BigInt))
	}
	return types
}

// Types implements Node.
func (n *Distinct) Types() []table.Type { return n.Child.Types() }

// Types implements Node.
func (n *Join) Types() []table.Type {
	left := func() []table.Type { return pick(n.Left.Types(), n.LeftProject) }
	right := func() []table.Type { return pick(n.Right.Types(), n.RightProject) }
	switch n.Kind {
	case Semi, Anti:
		return left()
	case RightSemi, RightAnti:
		return right()
	case Mark:
		return concat(left(), []table.Type{table.Of(table.Boolean)})
	}
	return concat(left(), right())
}

// Types implements Node.
func (n *DelimGet) Types() []table.Type { return n.Result }

// Types implements Node.
func (n *Cross) Types() []table.Type { return concat(n.Left.Types(), n.Right.Types()) }

// Types implements Node.
func (n *Order) Types() []table.Type { return pick(n.Child.Types(), n.Project) }

// Types implements Node.
func (n *TopN) Types() []table.Type { return n.Child.Types() }

// Types implements Node.
func (n *Limit) Types() []table.Type { return n.Child.Types() }

// Types implements Node.
func (n *SetOp) Types() []table.Type { return n.Inputs[0].Types() }

// Types implements Node.
func (n *Window) Types() []table.Type {
	types := concat(n.Child.Types(), nil)
	for _, w := range n.Windows {
		types = append(types, w.Result)
	}
	return types
}

// Types implements Node.
func (n *CTE) Types() []table.Type { return n.Body.Types() }

// Types implements Node.
func (n *CTERef) Types() []table.Type { return n.Result }

// Types implements Node.
func (n *Input) Types() []table.Type { return n.Result }

// Children implements Node.
func (n *Scan) Children() []Node { return nil }

// Children implements Node.
func (n *Values) Children() []Node { return nil }

// Children implements Node.
func (n *Empty) Children() []Node { return nil }

// Children implements Node.
func (n *Dummy) Children() []Node { return nil }

// Children implements Node.
func (n *Filter) Children() []Node { return []Node{n.Child} }

// Children implements Node.
func (n *Project) Children() []Node { return []Node{n.Child} }

// Children implements Node.
func (n *Aggregate) Children() []Node { return []Node{n.Child} }

// Children implements Node.
func (n *Distinct) Children() []Node { return []Node{n.Child} }

// Children implements Node: left, right. DelimJoin has it by embedding.
func (n *Join) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *DelimGet) Children() []Node { return nil }

// Children implements Node: left, right.
func (n *Cross) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *Order) Children() []Node { return []Node{n.Child} }

// Children implements Node.
func (n *TopN) Children() []Node { return []Node{n.Child} }

// Children implements Node.
func (n *Limit) Children() []Node { return []Node{n.Child} }

// Children implements Node.
func (n *SetOp) Children() []Node { return n.Inputs }

// Children implements Node.
func (n *Window) Children() []Node { return []Node{n.Child} }

// Children implements Node: definition, body.
func (n *CTE) Children() []Node { return []Node{n.Definition, n.Body} }

// Children implements Node.
func (n *CTERef) Children() []Node { return nil }

// Children implements Node.
func (n *Input) Children() []Node { return nil }

// Pick returns the positions that project selects of n columns: project itself, or all of them when it is nil.
func Pick(project []int, n int) []int {
	if project != nil {
		return project
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func pick(types []table.Type, project []int) []table.Type {
	if project == nil {
		return types
	}
	picked := make([]table.Type, len(project))
	for i, p := range project {
		picked[i] = types[p]
	}
	return picked
}

func concat(a, b []table.Type) []table.Type {
	all := make([]table.Type, 0, len(a)+len(b)+1)
	return append(append(all, a...), b...)
}

func exprTypes(exprs []expr.Expr) []table.Type {
	types := make([]table.Type, len(exprs))
	for i, e := range exprs {
		types[i] = e.Type()
	}
	return types
}
