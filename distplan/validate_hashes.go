package distplan

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// A layout says how rows lie over the tasks of a stage that is spread over hash partitions: for each key that the partition
// was taken from, in order, the output columns that hold its value. Nil = that is not plain to see.
type layout []map[int]bool

// hashedBy says how the rows of n lie. It reads that off the plan and does not believe the rules that placed n.
func (c *shareChecker) hashedBy(n operator.Node) layout {
	switch n := n.(type) {
	case *operator.Input:
		return c.hashedInput(n)
	case *operator.Filter:
		return c.hashedBy(n.Child).through(len(n.Types()), func(to int) int { return operator.Pick(n.Project, len(n.Child.Types()))[to] })
	case *operator.Project:
		return c.hashedBy(n.Child).through(len(n.Exprs), func(to int) int { return refIndex(n.Exprs[to]) })
	case *operator.Aggregate:
		if n.Plain() {
			return c.hashedBy(n.Child).through(len(n.Groups), func(to int) int { return refIndex(n.Groups[to]) })
		}
	case *operator.Distinct, *operator.Window, *operator.Limit, *operator.TopN:
		return c.hashedBy(n.Children()[0])
	case *operator.SetOp:
		return c.hashedAlike(n)
	case *operator.Join:
		return c.hashedJoin(n)
	case *operator.Cross:
		if left := c.hashedBy(n.Left); left != nil {
			return left
		}
		width := len(n.Left.Types())
		return c.hashedBy(n.Right).through(len(n.Types()), func(to int) int { return to - width })
	}
	return nil
}

func (c *shareChecker) hashedInput(n *operator.Input) layout {
	in := inputOf(c.stage, n.Name)
	if in == nil || in.Read != ReadShare || c.plan.Stages[in.From].Output.Kind != OutputHash {
		return nil
	}
	var l layout
	for _, k := range c.plan.Stages[in.From].Output.Keys {
		l = append(l, c.alike(c.plan.Stages[in.From], k))
	}
	return l
}

// through carries a layout over an operator of so many columns whose output column k is input column from(k), < 0 for none.
func (l layout) through(width int, from func(int) int) layout {
	if l == nil {
		return nil
	}
	out := make(layout, len(l))
	for i, columns := range l {
		out[i] = map[int]bool{}
		for k := range width {
			if columns[from(k)] {
				out[i][k] = true
			}
		}
	}
	return out
}

// hashedAlike keeps the columns by which all branches lie.
func (c *shareChecker) hashedAlike(n *operator.SetOp) layout {
	width := len(n.Types())
	all := c.hashedBy(n.Inputs[0]).through(width, func(to int) int { return to }) // a copy: an input's layout is remembered
	for _, in := range n.Inputs[1:] {
		other := c.hashedBy(in)
		if len(other) != len(all) {
			return nil
		}
		for i, columns := range other {
			for k := range all[i] {
				if !columns[k] {
					delete(all[i], k)
				}
			}
		}
	}
	return all
}

// hashedJoin: rows lie as those of each side do into which the join puts no NULLs for rows without a match.
func (c *shareChecker) hashedJoin(n *operator.Join) layout {
	var out layout
	for _, left := range []bool{true, false} {
		if n.Kind != operator.Inner && mayRepeat(n.Kind, left) || n.Kind == operator.Full {
			continue
		}
		by := c.hashedBy(side(n, left))
		if out == nil {
			out = by.through(0, nil) // as many keys, no column yet
		}
		if len(by) != len(out) {
			continue
		}
		for i, columns := range by {
			for column := range columns {
				for same := range joinedAlike(n, joinColumn{left, column}, nil) {
					if to := outputOf(n, same.left, same.column); to >= 0 {
						out[i][to] = true
					}
				}
			}
		}
	}
	return out
}

// sameHashes reports whether a join of divided sides has, for each key of both sides' partitions, a condition that compares
// the columns that hold it: then rows that match are in one task.
func (c *shareChecker) sameHashes(n *operator.Join) bool {
	left, right := c.hashedBy(n.Left), c.hashedBy(n.Right)
	if left == nil || len(left) != len(right) {
		return false
	}
	for i := range left {
		held := false
		for _, k := range joinKeys(n) {
			held = held || left[i][refIndex(n.Conditions[k].Left)] && right[i][refIndex(n.Conditions[k].Right)]
		}
		if !held {
			return false
		}
	}
	return true
}

// together reports whether rows of n that agree on the expressions are in one task.
func (c *shareChecker) together(n operator.Node, by []expr.Expr) bool {
	held := func(columns map[int]bool) bool {
		for _, e := range by {
			if columns[refIndex(e)] {
				return true
			}
		}
		return false
	}
	if columns, ranges := c.rangedBy(n); ranges != nil {
		return held(columns)
	}
	l := c.hashedBy(n)
	for _, columns := range l {
		if !held(columns) {
			return false
		}
	}
	return l != nil
}

// groups checks an operator over divided rows that needs all rows of a group in one task.
func (c *shareChecker) groups(n operator.Node) error {
	switch n := n.(type) {
	case *operator.Aggregate:
		if n.Phase != operator.Partial && (!n.Plain() || !c.together(n.Child, n.Groups)) {
			return fmt.Errorf("aggregate: rows of one group may be in several tasks")
		}
	case *operator.Distinct:
		if n.On != nil && !c.together(n.Child, n.On) {
			return fmt.Errorf("distinct on: rows of one key may be in several tasks")
		}
	case *operator.Window:
		for _, w := range n.Windows {
			if n.Phase != operator.Partial && !c.together(n.Child, w.Partitions) {
				return fmt.Errorf("window: rows of one partition may be in several tasks")
			}
		}
	case *operator.SetOp:
		if n.Kind == operator.Union && n.All {
			return nil
		}
		l := c.hashedAlike(n)
		for _, columns := range l {
			if len(columns) == 0 {
				l = nil
				break
			}
		}
		if l == nil {
			return fmt.Errorf("%s: equal rows may be in several tasks", n.Kind)
		}
	}
	return nil
}

// result checks the top of a stage whose output is the result: what a task gives is given, not put together above.
func (c *shareChecker) result(n operator.Node) error {
	switch n := n.(type) {
	case *operator.Filter, *operator.Project:
		return c.result(n.Children()[0])
	case *operator.Distinct:
		if n.On == nil && !c.together(n.Child, refsTo(0, n.Types())) {
			return fmt.Errorf("distinct: equal rows may be in several tasks")
		}
	case *operator.Limit, *operator.TopN:
		return fmt.Errorf("the limit of one of many tasks is the result's")
	}
	return nil
}
