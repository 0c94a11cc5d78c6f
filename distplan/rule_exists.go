package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// plainExists makes a semi or anti join of a correlated [NOT] EXISTS that only compares:
//
//	delim join semi on=(a IS NOT DISTINCT FROM #0, b IS NOT DISTINCT FROM y)      join semi on=(x <> a and y = b)
//	  outer (a, b)                                                                  outer (a, b)
//	  project #0, y                                                          →      inner (x, y)
//	    join inner on=(x <> #0 and y = #1)
//	      inner (x, y)
//	      delim get (a, b)
//
// The rows of the delim get are the distinct (a, b) of the outer rows, so that an outer row has a match through them exactly
// when it has one without. DuckDB keeps this form where the outer rows are few, to thin out the inner ones first; among
// tasks it costs an exchange of both, and hides that the two may lie by ranges of a key already.
func plainExists(n operator.Node) (operator.Node, error) {
	n, err := rewriteChildren(n, plainExists)
	if err != nil {
		return nil, err
	}
	if delim, ok := n.(*operator.DelimJoin); ok {
		if join := undelimited(delim); join != nil {
			return join, nil
		}
	}
	return n, nil
}

// undelimited returns the plain join, nil when the shape is another.
func undelimited(n *operator.DelimJoin) *operator.Join {
	once := n.Kind == operator.Semi || n.Kind == operator.Anti
	if n.Predicate != nil || !once && n.Kind != operator.RightSemi && n.Kind != operator.RightAnti || n.Flipped == once {
		return nil
	}
	for _, c := range n.Columns {
		if expr.HasVolatile(c) {
			return nil
		}
	}
	other := n.Right
	if n.Flipped {
		other = n.Left
	}
	inner, at := throughProjections(other)
	if inner == nil || inner.Kind != operator.Inner || inner.Predicate != nil {
		return nil
	}
	values, leftValues := inner.Left.(*operator.DelimGet)
	rest := inner.Right
	if !leftValues {
		values, _ = inner.Right.(*operator.DelimGet)
		rest = inner.Left
	}
	if values == nil || values.ID != n.ID || len(values.Result) != len(n.Columns) || getsDelim(rest, n.ID) {
		return nil
	}
	e := existence{n: n, inner: inner, leftValues: leftValues}
	if !e.covered(at) {
		return nil
	}
	join := n.Join
	join.Conditions = e.conditions()
	if n.Flipped {
		join.Left, join.LeftProject = rest, nil
	} else {
		join.Right, join.RightProject = rest, nil
	}
	return &join
}

// throughProjections goes down over projections of bare columns to a join; at says which of its output columns each column
// of n is.
func throughProjections(n operator.Node) (join *operator.Join, at []int) {
	at = allColumns(n)
	for {
		switch x := n.(type) {
		case *operator.Join:
			return x, at
		case *operator.Project:
			for i, c := range at {
				if at[i] = bareColumn(x.Exprs[c]); at[i] < 0 {
					return nil, nil
				}
			}
			n = x.Child
		default:
			return nil, nil
		}
	}
}

func getsDelim(n operator.Node, id int) bool {
	return !operator.Walk(n, func(n operator.Node) bool {
		get, ok := n.(*operator.DelimGet)
		return !ok || get.ID != id
	})
}

// An existence is a DelimJoin over an inner join with its DelimGet.
type existence struct {
	n          *operator.DelimJoin
	inner      *operator.Join
	leftValues bool // the DelimGet is the inner join's left side
}

// sides returns a condition's expression over the inner rows and that over the DelimGet.
func (e existence) sides(c operator.Condition) (rest, value expr.Expr) {
	if e.leftValues {
		return c.Right, c.Left
	}
	return c.Left, c.Right
}

// covered reports whether the conditions of the DelimJoin say, for every correlated column, that the value that the match
// was found for is the outer row's, and nothing else. at maps the other side's columns to the inner join's output.
func (e existence) covered(at []int) bool {
	said := make([]bool, len(e.n.Columns))
	for _, c := range e.n.Conditions {
		outer, other := c.Left, c.Right
		if e.n.Flipped {
			outer, other = other, outer
		}
		column := bareColumn(other)
		if c.Op != expr.NotDistinctFrom || column < 0 {
			return false
		}
		j := e.valueOf(at[column])
		if j < 0 || !expr.Same(e.n.Columns[j], outer) {
			return false
		}
		said[j] = true
	}
	for _, s := range said {
		if !s {
			return false
		}
	}
	return true
}

// valueOf returns the correlated column whose value output column c of the inner join is, itself or by an equality; < 0 for
// none.
func (e existence) valueOf(c int) int {
	left := len(operator.Pick(e.inner.LeftProject, len(e.inner.Left.Types())))
	fromLeft := c < left
	project := e.inner.LeftProject
	if !fromLeft {
		c, project = c-left, e.inner.RightProject
	}
	if project != nil {
		c = project[c]
	}
	if fromLeft == e.leftValues {
		return c
	}
	for _, condition := range e.inner.Conditions {
		rest, value := e.sides(condition)
		if condition.Op == expr.Equal && bareColumn(rest) == c && rest.Type().Equal(value.Type()) {
			return bareColumn(value)
		}
	}
	return -1
}

// conditions are those of the inner join, with the outer row's own values.
func (e existence) conditions() []operator.Condition {
	all := make([]operator.Condition, len(e.inner.Conditions))
	for i, c := range e.inner.Conditions {
		rest, value := e.sides(c)
		value = expr.MapRefs(value, func(r *expr.Ref) expr.Expr { return e.n.Columns[r.Index] })
		// The comparison is written rest op value or value op rest; the join wants left op right.
		op := c.Op
		if e.leftValues {
			op = mirrored(op)
		}
		if all[i] = (operator.Condition{Op: op, Left: rest, Right: value}); !e.n.Flipped {
			all[i] = operator.Condition{Op: mirrored(op), Left: value, Right: rest}
		}
	}
	return all
}
