package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// sameRanges reports whether the sides of a join of divided sides lie by the same ranges of columns that one of its
// conditions compares, so that rows that match are in one task. All NULLs are in one range.
func (c *shareChecker) sameRanges(n *operator.Join) bool {
	left, byLeft := c.rangedBy(n.Left)
	right, byRight := c.rangedBy(n.Right)
	if byLeft == nil || byLeft != byRight {
		return false
	}
	for _, condition := range n.Conditions {
		l, isRef := condition.Left.(*expr.Ref)
		r, isRefToo := condition.Right.(*expr.Ref)
		equality := condition.Op == expr.NotDistinctFrom || condition.Op == expr.Equal && n.Kind != operator.Mark
		if isRef && isRefToo && equality && left[l.Index] && right[r.Index] {
			return true
		}
	}
	return false
}

// rangedBy says by which output columns of n its rows lie by ranges, and by which ranges; nil when they do not, or when that
// is not plain to see. It does not believe the rules that placed n.
func (c *shareChecker) rangedBy(n operator.Node) (map[int]bool, *operator.Ranges) {
	switch n := n.(type) {
	case *operator.Scan:
		if by := c.stage.Scans[c.scans[n]].By; by != nil {
			return map[int]bool{by.Column: true}, by.Ranges
		}
	case *operator.Filter:
		return c.rangedThrough(n.Child, func(to int) int { return operator.Pick(n.Project, len(n.Child.Types()))[to] }, len(n.Types()))
	case *operator.Project:
		return c.rangedThrough(n.Child, func(to int) int { return refIndex(n.Exprs[to]) }, len(n.Exprs))
	case *operator.Aggregate:
		if n.Plain() {
			return c.rangedThrough(n.Child, func(to int) int { return refIndex(n.Groups[to]) }, len(n.Groups))
		}
	case *operator.Distinct:
		return c.rangedBy(n.Child)
	case *operator.Window:
		return c.rangedBy(n.Child)
	case *operator.Join:
		return c.rangedJoin(n)
	case *operator.Cross:
		return c.rangedCross(n)
	}
	return nil, nil
}

// rangedCross: of a cross product one side is seen whole by every task, and the other lies as it did.
func (c *shareChecker) rangedCross(n *operator.Cross) (map[int]bool, *operator.Ranges) {
	if left, by := c.rangedBy(n.Left); by != nil {
		return left, by
	}
	right, by := c.rangedBy(n.Right)
	shifted := map[int]bool{}
	for column := range right {
		shifted[len(n.Left.Types())+column] = true
	}
	return shifted, by
}

func refIndex(e expr.Expr) int {
	if r, ok := e.(*expr.Ref); ok {
		return r.Index
	}
	return -1
}

// rangedThrough carries over an operator whose output column k is input column from(k), < 0 for none.
func (c *shareChecker) rangedThrough(child operator.Node, from func(int) int, width int) (map[int]bool, *operator.Ranges) {
	in, by := c.rangedBy(child)
	if by == nil {
		return nil, nil
	}
	out := map[int]bool{}
	for k := range width {
		if in[from(k)] {
			out[k] = true
		}
	}
	return out, by
}

// rangedJoin: a side that every task sees whole changes nothing; of two divided sides, those columns lie by the ranges in
// which no NULLs were put for rows without a match.
func (c *shareChecker) rangedJoin(n *operator.Join) (map[int]bool, *operator.Ranges) {
	out := map[int]bool{}
	var ranges *operator.Ranges
	for _, left := range []bool{true, false} {
		if !left && (n.Kind == operator.Left || n.Kind == operator.Single) || left && n.Kind == operator.Right || n.Kind == operator.Full {
			continue
		}
		columns, by := c.rangedBy(side(n, left))
		if by == nil {
			continue
		}
		ranges = by
		for column := range columns {
			if to := outputOf(n, left, column); to >= 0 {
				out[to] = true
			}
			if n.Kind != operator.Inner {
				continue
			}
			for _, other := range equalColumns(n, left, column) {
				if to := outputOf(n, !left, other); to >= 0 {
					out[to] = true
				}
			}
		}
	}
	return out, ranges
}
