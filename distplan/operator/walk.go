package operator

import "github.com/arbalest-sql/arbalest/distplan/expr"

// Walk calls visit for n and every node below it, parents first, until visit returns false; it reports whether it came to
// the end.
func Walk(n Node, visit func(Node) bool) bool {
	if !visit(n) {
		return false
	}
	for _, c := range n.Children() {
		if !Walk(c, visit) {
			return false
		}
	}
	return true
}

// Scans lists the Scan leaves of a tree from left to right.
func Scans(n Node) []*Scan {
	var all []*Scan
	Walk(n, func(n Node) bool {
		if s, ok := n.(*Scan); ok {
			all = append(all, s)
		}
		return true
	})
	return all
}

// Exprs lists the expressions that a node itself holds, in a fixed order, not those of its inputs.
func Exprs(n Node) []expr.Expr {
	var all []expr.Expr
	orders := func(by []expr.Order) {
		for _, o := range by {
			all = append(all, o.Expr)
		}
	}
	join := func(j *Join) {
		for _, c := range j.Conditions {
			all = append(all, c.Left, c.Right)
		}
		if j.Predicate != nil {
			all = append(all, j.Predicate)
		}
	}
	switch n := n.(type) {
	case *Values:
		for _, row := range n.Rows {
			all = append(all, row...)
		}
	case *Filter:
		all = append(all, n.Conditions...)
	case *Project:
		all = append(all, n.Exprs...)
	case *Aggregate:
		all = append(all, n.Groups...)
		for _, a := range n.Aggregates {
			all = append(all, a)
		}
	case *Distinct:
		all = append(all, n.On...)
		orders(n.OrderBy)
	case *Join:
		join(n)
	case *DelimJoin:
		join(&n.Join)
		all = append(all, n.Columns...)
	case *Order:
		orders(n.By)
	case *TopN:
		orders(n.By)
	case *Window:
		for _, w := range n.Windows {
			all = append(all, w)
		}
	}
	return all
}
