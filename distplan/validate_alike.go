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
	case *operator.Order:
		from := operator.Pick(n.Project, len(n.Child.Types()))
		return valuesOf(c.alikeIn(s, n.Child, from[column]), column, len(from), func(to int) int { return from[to] })
	case *operator.Distinct, *operator.TopN, *operator.Limit:
		return c.alikeIn(s, n.Children()[0], column)
	case *operator.Window:
		if column < len(n.Child.Types()) {
			return c.alikeIn(s, n.Child, column)
		}
	case *operator.Cross:
		width := len(n.Left.Types())
		if column < width {
			return c.alikeIn(s, n.Left, column)
		}
		return valuesOf(c.alikeIn(s, n.Right, column-width), column, len(n.Types()), func(to int) int { return to - width })
	case *operator.Join:
		return c.alikeJoined(s, n, column)
	}
	return map[int]bool{column: true}
}

// alikeJoined: columns of one side stay alike; an inner join makes the columns alike that it compares.
func (c *shareChecker) alikeJoined(s *Stage, n *operator.Join, column int) map[int]bool {
	out := map[int]bool{column: true}
	for _, left := range []bool{true, false} {
		for k := range side(n, left).Types() {
			if outputOf(n, left, k) != column {
				continue
			}
			for same := range joinedAlike(n, joinColumn{left, k}, func(own bool, at int) map[int]bool { return c.alikeIn(s, side(n, own), at) }) {
				if to := outputOf(n, same.left, same.column); to >= 0 {
					out[to] = true
				}
			}
		}
	}
	return out
}

// A joinColumn is a column of a join's left or right side.
type joinColumn struct {
	left   bool
	column int
}

// joinedAlike lists the columns of a join's sides that hold the value of one of them in every row of the join, itself included:
// those that are alike on a side (also; nil = only the column itself), and those that an inner join compares, and so on.
func joinedAlike(n *operator.Join, from joinColumn, also func(left bool, column int) map[int]bool) map[joinColumn]bool {
	all := map[joinColumn]bool{from: true}
	for next := []joinColumn{from}; len(next) > 0; {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		add := func(left bool, column int) {
			if same := (joinColumn{left, column}); !all[same] {
				all[same] = true
				next = append(next, same)
			}
		}
		if also != nil {
			for column := range also(at.left, at.column) {
				add(at.left, column)
			}
		}
		if n.Kind == operator.Inner {
			for _, column := range equalColumns(n, at.left, at.column) {
				add(!at.left, column)
			}
		}
	}
	return all
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
