package distplan

import (
	"slices"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A RuntimeFilter says that a stage needs only those rows of one of its scans whose value in a column is among the values that
// another stage gives in a column of its output, once that one has finished.
type RuntimeFilter struct {
	// From and FromColumn are the finished stage and the column of its output.
	From       ids.StageID
	FromColumn int
	// To, Scan and Column are the stage to be filtered, the position among its Scans, and the column c0 … cn of that scan.
	To     ids.StageID
	Scan   int
	Column int
	// Nulls says that rows with NULL there are needed too.
	Nulls bool
}

// RuntimeFilters lists what could be filtered in a plan: for each equality of a join, the keys of one exchanged side leave out
// rows of the other exchanged side's scans, far below the join.
//
// It is right when three things hold. The join drops rows of that side that match nothing (filterable). Between scan and join
// there is nothing that a dropped row could change for another one: the column passes as it is through filters, projections,
// groups, and joins on the side whose rows they pass or drop one by one (commutes). And between the finished stage's output and
// the join no value comes up that the stage did not give; NULLs may (passes), so that they are left out only where the join
// takes them for equal to nothing.
//
// Nothing is filtered by a stage whose rows may be others when it runs again, or that reads from such a one: what was left out
// by its first rows might match its second ones.
func RuntimeFilters(p *Plan) []RuntimeFilter {
	shifting := shiftingStages(p)
	var all []RuntimeFilter
	for _, s := range p.Stages {
		if s.Body == nil || s.Spread == SpreadSingle {
			continue
		}
		operator.Walk(s.Body, func(n operator.Node) bool {
			join, ok := n.(*operator.Join)
			if !ok {
				return true
			}
			for _, c := range join.Conditions {
				for _, left := range []bool{true, false} {
					f, ok := filterOf(p, s, join, c, left)
					if ok && !shifting[f.From] && !slices.Contains(all, f) {
						all = append(all, f)
					}
				}
			}
			return true
		})
	}
	return all
}

// filterOf is what one condition of a join says of the scan below one of its sides.
func filterOf(p *Plan, s *Stage, join *operator.Join, c operator.Condition, left bool) (RuntimeFilter, bool) {
	own, other := c.Left, c.Right
	if !left {
		own, other = other, own
	}
	to, isRef := own.(*expr.Ref)
	from, isRefToo := other.(*expr.Ref)
	if !filterable(join.Kind, left) || c.Op != expr.Equal && c.Op != expr.NotDistinctFrom || !isRef || !isRefToo ||
		!to.Result.Equal(from.Result) || !to.Result.Ordered() {
		return RuntimeFilter{}, false
	}
	source, fromColumn := follow(side(join, !left), from.Index, passes)
	target, toColumn := follow(side(join, left), to.Index, commutes)
	a, b := producerNamed(p, s, source), producerNamed(p, s, target)
	if a == nil || b == nil || a == b || b.Body == nil || b.Spread != SpreadSplits || consumerOf(p, b.ID) != s || !readOnce(s, b.ID) {
		return RuntimeFilter{}, false
	}
	node, column := follow(b.Body, toColumn, commutes)
	scan, isScan := node.(*operator.Scan)
	if !isScan {
		return RuntimeFilter{}, false
	}
	at := slices.Index(operator.Scans(b.Body), scan)
	if at < 0 || b.Scans[at].Replicated || scan.By != nil || scan.Columns[column] < 0 ||
		!scan.Table.Columns[scan.Columns[column]].Type.Equal(to.Result) {
		return RuntimeFilter{}, false
	}
	return RuntimeFilter{From: a.ID, FromColumn: fromColumn, To: b.ID, Scan: at, Column: column, Nulls: c.Op == expr.NotDistinctFrom}, true
}

// filterable reports whether a join drops rows of a side that match nothing, and gives the same for all other rows without
// them. MARK joins tell "no match" from "a NULL might have matched", so all rows count; ANTI joins are left alone, since they
// are there for rows without a match.
func filterable(kind operator.JoinKind, left bool) bool {
	switch kind {
	case operator.Inner, operator.Semi, operator.RightSemi:
		return true
	case operator.Left:
		return !left
	case operator.Right:
		return left
	}
	return false
}

// follow goes down with a column of n as long as a step allows it, and returns where it ends: an Input, a Scan, or a node at
// which there is no further step.
func follow(n operator.Node, column int, step func(operator.Node, int) (operator.Node, int)) (operator.Node, int) {
	for {
		child, at := step(n, column)
		if child == nil || at < 0 {
			return n, column
		}
		n, column = child, at
	}
}

// commutes steps below an operator with a column of its output, if dropping rows by that column below it gives what dropping
// them above it does.
func commutes(n operator.Node, column int) (operator.Node, int) {
	switch n := n.(type) {
	case *operator.Filter:
		return n.Child, operator.Pick(n.Project, len(n.Child.Types()))[column]
	case *operator.Project:
		return n.Child, refOf(n.Exprs, column)
	case *operator.Aggregate:
		if n.Plain() && column < len(n.Groups) {
			return n.Child, refOf(n.Groups, column)
		}
	case *operator.Distinct:
		if n.On == nil {
			return n.Child, column
		}
	case *operator.Join:
		left, at := joinSide(n, column)
		switch n.Kind {
		case operator.Inner, operator.Semi, operator.RightSemi:
			return side(n, left), at
		case operator.Left, operator.Anti, operator.Mark, operator.Single:
			if left {
				return n.Left, at
			}
		case operator.Right, operator.RightAnti:
			if !left {
				return n.Right, at
			}
		}
	}
	return nil, -1
}

// passes steps below an operator whose output column holds no value, but for NULL, that its input's column does not.
func passes(n operator.Node, column int) (operator.Node, int) {
	switch n := n.(type) {
	case *operator.Join:
		left, at := joinSide(n, column)
		return side(n, left), at
	case *operator.TopN, *operator.Limit:
		return n.Children()[0], column
	}
	return commutes(n, column)
}

// refOf is the column that the i-th of some expressions is; < 0 when it is another expression.
func refOf(exprs []expr.Expr, i int) int {
	if r, ok := exprs[i].(*expr.Ref); ok {
		return r.Index
	}
	return -1
}

// joinSide says from which side of a join an output column comes, and which column it is there; < 0 for a MARK join's mark.
func joinSide(n *operator.Join, column int) (left bool, at int) {
	lefts := operator.Pick(n.LeftProject, len(n.Left.Types()))
	rights := operator.Pick(n.RightProject, len(n.Right.Types()))
	switch n.Kind {
	case operator.RightSemi, operator.RightAnti:
		return false, rights[column]
	case operator.Semi, operator.Anti, operator.Mark:
		if column >= len(lefts) {
			return true, -1
		}
		return true, lefts[column]
	}
	if column < len(lefts) {
		return true, lefts[column]
	}
	return false, rights[column-len(lefts)]
}

// producerNamed is the stage that gives an input of a stage; nil when the node is none.
func producerNamed(p *Plan, s *Stage, n operator.Node) *Stage {
	if in, ok := n.(*operator.Input); ok {
		if input := inputOf(s, in.Name); input != nil {
			return p.Stages[input.From]
		}
	}
	return nil
}

// shiftingStages are those that may give other rows when they, or one they read from, run again.
func shiftingStages(p *Plan) []bool {
	shifting := make([]bool, len(p.Stages))
	for i, s := range p.Stages {
		shifting[i] = s.Indeterminate
		for _, in := range s.Inputs {
			shifting[i] = shifting[i] || shifting[in.From]
		}
	}
	return shifting
}
