package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// hoistEqualities takes plain equalities out of a join's predicate and makes them conditions, which may bring the rows
// together by hash; the rest stays the predicate. A join is on all of its conditions and its predicate, of whatever kind it
// is, so that this changes nothing on one node. "ON a.k = b.k AND f(a, b)" of an outer join arrives as one predicate.
//
// A MARK join's conditions tell NULL from false, as its predicate does not: it stays.
func hoistEqualities(n operator.Node) (operator.Node, error) {
	n, err := rewriteChildren(n, hoistEqualities)
	if err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case *operator.Join:
		if j := hoisted(n); j != nil {
			return j, nil
		}
	case *operator.DelimJoin:
		if j := hoisted(&n.Join); j != nil {
			d := *n
			d.Join = *j
			return &d, nil
		}
	}
	return n, nil
}

// hoisted returns nil when there is nothing to take out.
func hoisted(n *operator.Join) *operator.Join {
	if n.Predicate == nil || n.Kind == operator.Mark {
		return nil
	}
	width := len(n.Left.Types())
	out := *n
	out.Conditions = append([]operator.Condition(nil), n.Conditions...)
	var rest []expr.Expr
	for _, term := range conjuncts(n.Predicate) {
		if c, ok := equality(term, width); ok {
			out.Conditions = append(out.Conditions, c)
		} else {
			rest = append(rest, term)
		}
	}
	if len(out.Conditions) == len(n.Conditions) {
		return nil
	}
	switch len(rest) {
	case 0:
		out.Predicate = nil
	case 1:
		out.Predicate = rest[0]
	default:
		out.Predicate = &expr.Logical{Terms: rest}
	}
	return &out
}

func conjuncts(e expr.Expr) []expr.Expr {
	l, ok := e.(*expr.Logical)
	if !ok || l.Or {
		return []expr.Expr{e}
	}
	var all []expr.Expr
	for _, t := range l.Terms {
		all = append(all, conjuncts(t)...)
	}
	return all
}

// equality reads a term as a condition between the sides of a join whose left side has so many columns.
func equality(term expr.Expr, width int) (operator.Condition, bool) {
	c, ok := term.(*expr.Compare)
	if !ok || c.Op != expr.Equal && c.Op != expr.NotDistinctFrom {
		return operator.Condition{}, false
	}
	left, right := c.Left, c.Right
	l, lok := keyOf(left)
	r, rok := keyOf(right)
	if !lok || !rok {
		return operator.Condition{}, false
	}
	if l >= width {
		left, right, l, r = right, left, r, l
	}
	if l >= width || r < width || !left.Type().Equal(right.Type()) || !hashable(left.Type()) {
		return operator.Condition{}, false
	}
	right = expr.MapRefs(right, func(r *expr.Ref) expr.Expr { return &expr.Ref{Index: r.Index - width, Result: r.Result} })
	return operator.Condition{Op: c.Op, Left: left, Right: right}, true
}

// keyOf returns the column of an expression that cannot fail, for as a key it is computed of every row: a bare column, or
// an integer one that is widened.
func keyOf(e expr.Expr) (int, bool) {
	if c, ok := e.(*expr.Cast); ok {
		if from, to := integerBytes(c.Child.Type()), integerBytes(c.Result); from == 0 || to <= from {
			return 0, false
		}
		e = c.Child
	}
	r, ok := e.(*expr.Ref)
	if !ok {
		return 0, false
	}
	return r.Index, true
}

// integerBytes is the width of signed integers, 0 for all other types.
func integerBytes(t table.Type) int {
	switch t.ID {
	case table.TinyInt:
		return 1
	case table.SmallInt:
		return 2
	case table.Integer:
		return 4
	case table.BigInt:
		return 8
	case table.HugeInt:
		return 16
	}
	return 0
}
