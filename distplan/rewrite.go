package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// rewriteChildren returns n over rewritten inputs, or n itself when none changed.
func rewriteChildren(n operator.Node, rewrite func(operator.Node) (operator.Node, error)) (operator.Node, error) {
	old := n.Children()
	children := make([]operator.Node, len(old))
	changed := false
	for i, c := range old {
		r, err := rewrite(c)
		if err != nil {
			return nil, err
		}
		children[i] = r
		changed = changed || r != c
	}
	if !changed {
		return n, nil
	}
	return n.WithChildren(children), nil
}

// estimated carries a node's estimate to one that replaces it.
func estimated(n operator.Node) operator.Estimated { return operator.Estimated{Rows: n.Estimate()} }

// refsTo returns references to columns first … first+len(types)-1.
func refsTo(first int, types []table.Type) []expr.Expr {
	refs := make([]expr.Expr, len(types))
	for i, t := range types {
		refs[i] = &expr.Ref{Index: first + i, Result: t}
	}
	return refs
}
