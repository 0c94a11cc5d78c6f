package sqltext

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// MatchesOnce reports whether no left row of a join can have two matches, as far as the tree shows.
func MatchesOnce(n *operator.Join) bool { return matchesOnce(n) }

// matchesOnce reports whether no left row can have two matches: the right side is unique on columns that are compared for
// equality.
func matchesOnce(n *operator.Join) bool {
	equal := map[int]bool{}
	for _, c := range n.Conditions {
		if r, ok := c.Right.(*expr.Ref); ok && (c.Op == expr.Equal || c.Op == expr.NotDistinctFrom) {
			equal[r.Index] = true
		}
	}
	return uniqueOn(n.Right, equal)
}

// uniqueOn reports whether no two rows of n agree (NULL counting as a value) on all the given columns.
func uniqueOn(n operator.Node, cols map[int]bool) bool {
	through := func(child operator.Node, position func(int) int) bool {
		below := map[int]bool{}
		for c := range cols {
			if b := position(c); b >= 0 {
				below[b] = true
			}
		}
		return uniqueOn(child, below)
	}
	same := func(project []int) func(int) int {
		return func(c int) int {
			if project == nil {
				return c
			}
			return project[c]
		}
	}
	switch n := n.(type) {
	case *operator.Aggregate:
		if !n.Plain() {
			return false
		}
		return allIn(len(n.Groups), cols)
	case *operator.Distinct:
		return n.On == nil && allIn(len(n.Types()), cols)
	case *operator.DelimGet:
		return allIn(len(n.Result), cols)
	case *operator.Limit:
		return n.Limit == 0 || n.Limit == 1 || uniqueOn(n.Child, cols)
	case *operator.TopN:
		return n.Limit == 0 || n.Limit == 1 || uniqueOn(n.Child, cols)
	case *operator.Filter:
		return through(n.Child, same(n.Project))
	case *operator.Order:
		return through(n.Child, same(n.Project))
	case *operator.Window:
		width := len(n.Child.Types())
		return through(n.Child, func(c int) int {
			if c < width {
				return c
			}
			return -1
		})
	case *operator.Project:
		return through(n.Child, func(c int) int {
			if r, ok := n.Exprs[c].(*expr.Ref); ok {
				return r.Index
			}
			return -1
		})
	}
	return false
}

func allIn(n int, cols map[int]bool) bool {
	for i := 0; i < n; i++ {
		if !cols[i] {
			return false
		}
	}
	return true
}
