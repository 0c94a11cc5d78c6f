package frontend

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// treeBytes estimates the memory of a tree, whose tables belong to the catalog's own cache.
func treeBytes(root operator.Node) int64 {
	const perNode, perExpr = 256, 160
	bytes := int64(0)
	count := func(list ...expr.Expr) {
		for _, e := range list {
			expr.Walk(e, func(e expr.Expr) bool {
				bytes += perExpr
				if c, ok := e.(*expr.Const); ok {
					bytes += int64(len(c.SQL))
				}
				return true
			})
		}
	}
	operator.Walk(root, func(n operator.Node) bool {
		bytes += perNode
		switch n := n.(type) {
		case *operator.Values:
			for _, r := range n.Rows {
				count(r...)
			}
		case *operator.Filter:
			count(n.Conditions...)
		case *operator.Project:
			count(n.Exprs...)
		case *operator.Aggregate:
			count(n.Groups...)
			for _, a := range n.Aggregates {
				count(a.Args...)
			}
		case *operator.Window:
			for _, w := range n.Windows {
				count(w.Args...)
				bytes += perExpr * int64(len(w.Orders)+len(w.Partitions)+1)
			}
		case *operator.Join:
			bytes += perExpr * 2 * int64(len(n.Conditions)+1)
		}
		return true
	})
	return bytes
}
