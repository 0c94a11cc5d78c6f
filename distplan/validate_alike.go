package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A sent is a column of a stage's output.
type sent struct {
	stage  ids.StageID
	column int
}

// alike lists the columns of a stage's output that hold the same value as one of them in every row, itself included: rows
// that lie by it lie by any of them.
func (c *shareChecker) alike(s *Stage, column int) map[int]bool {
	key := sent{s.ID, column}
	if known, ok := c.alikes[key]; ok {
		return known
	}
	all := map[int]bool{column: true}
	if s.Body != nil {
		all = c.alikeIn(s, s.Body, column)
	}
	c.alikes[key] = all
	return all
}

// alikeIn says the same of an operator of a stage's body.
func (c *shareChecker) alikeIn(s *Stage, n operator.Node, column int) map[int]bool {
	switch n := n.(type) {
	case *operator.Input:
		if in := inputOf(s, n.Name); in != nil {
			return c.alike(c.plan.Stages[in.From], column)
		}
	case *operator.Filter:
		from := operator.Pick(n.Project, len(n.Child.Types()))
		return valuesOf(c.alikeIn(s, n.Child, from[column]), column, len(from), func(to int) int { return from[to] })
	case *operator.Project:
		if _, isRef := n.Exprs[column].(*expr.Ref); isRef {
			below := c.alikeIn(s, n.Child, refIndex(n.Exprs[column]))
			return valuesOf(below, column, len(n.Exprs), func(to int) int { return refIndex(n.Exprs[to]) })
		}
	case *operator.Aggregate:
		if column < len(n.Groups) && refIndex(n.Groups[column]) >= 0 && n.Plain() {
			below := c.alikeIn(s, n.Child, refIndex(n.Groups[column]))
			return valuesOf(below, column, len(n.Groups), func(to int) int { return refIndex(n.Groups[to]) })
		}
	case *operator.Join:
		return c.alikeJoined(s, n, column)
	}
	return map[int]bool{column: true}
}

// alikeJoined: columns of one side stay alike; an inner join makes the columns alike that it compares.
func (c *shareChecker) alikeJoined(s *Stage, n *operator.Join, column int) map[int]bool {
	out := map[int]bool{column: true}
	for _, left := range []bool{true, false} {
		own, other := side(n, left), side(n, !left)
		for k := range own.Types() {
			if outputOf(n, left, k) != column {
				continue
			}
			for same := range c.alikeIn(s, own, k) {
				if to := outputOf(n, left, same); to >= 0 {
					out[to] = true
				}
				if n.Kind != operator.Inner {
					continue
				}
				for _, equal := range equalColumns(n, left, same) {
					for also := range c.alikeIn(s, other, equal) {
						if to := outputOf(n, !left, also); to >= 0 {
							out[to] = true
						}
					}
				}
			}
		}
	}
	return out
}

// valuesOf are the output columns, column among them, that are some of the input columns.
func valuesOf(below map[int]bool, column, width int, from func(int) int) map[int]bool {
	out := map[int]bool{column: true}
	for to := range width {
		if below[from(to)] {
			out[to] = true
		}
	}
	return out
}
