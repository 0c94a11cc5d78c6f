package distplan

import (
	"math"
	"slices"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// groupColumnsMax is how many columns make groups in the estimate; more hardly change it.
const groupColumnsMax = 4

// taskGroups estimates how many groups each of so many tasks finds among its equal share of the rows of n, or says that
// nothing is known. With d(1) ≥ d(2) ≥ … the values of those columns of which the catalog knows some,
//
//	groups = d(1) × d(2)^½ × d(3)^¼ × d(4)^⅛      columns depend on each other more often than not
//	a task's = groups / tasks                     when one of the columns lies together, as in a sorted table
//	           groups × (1 - exp(-rows / groups)) otherwise: that many are met in rows draws
//
// What is not known counts as no group more, so the true number is rather larger.
func (s *sizes) taskGroups(n operator.Node, by []expr.Expr, tasks int) (groups float64, known bool) {
	var values []float64
	lies := false
	for _, e := range by {
		c := bareColumn(e)
		if c < 0 {
			continue
		}
		d, together := s.distinctOf(n, c, map[*operator.Share]bool{})
		if d <= 0 {
			continue
		}
		values = append(values, min(d, max(s.valuesMax(n, c), 1)))
		lies = lies || together
	}
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	slices.Reverse(values)
	groups = 1
	for i, d := range values[:min(len(values), groupColumnsMax)] {
		groups *= math.Pow(d, math.Pow(0.5, float64(i)))
	}
	share := max(s.rows(n)/float64(tasks), 1)
	if lies {
		return min(max(groups/float64(tasks), 1), share), true
	}
	return max(-math.Expm1(-share/groups)*groups, 1), true
}

// distinctOf follows an output column down to the scan it comes from: how many values the catalog knows of there, 0 when
// none, and whether equal ones still lie together.
func (s *sizes) distinctOf(n operator.Node, c int, seen map[*operator.Share]bool) (values float64, together bool) {
	switch n := n.(type) {
	case *operator.Scan:
		if at := n.Columns[c]; at >= 0 && at < len(n.Table.Stats) {
			return float64(n.Table.Stats[at].Distinct), n.Table.Stats[at].Together
		}
	case *operator.Filter:
		return s.distinctOf(n.Child, operator.Pick(n.Project, len(n.Child.Types()))[c], seen)
	case *operator.Order:
		return s.distinctOf(n.Child, operator.Pick(n.Project, len(n.Child.Types()))[c], seen)
	case *operator.Project:
		if below := bareColumn(n.Exprs[c]); below >= 0 {
			return s.distinctOf(n.Child, below, seen)
		}
	case *operator.Aggregate:
		if c < len(n.Groups) {
			if below := bareColumn(n.Groups[c]); below >= 0 {
				return s.distinctOf(n.Child, below, seen)
			}
		}
	case *operator.Distinct, *operator.TopN, *operator.Limit:
		return s.distinctOf(n.Children()[0], c, seen)
	case *operator.Exchange:
		values, _ = s.distinctOf(n.Child, c, seen)
		return values, false
	case *operator.SharedRead:
		if !seen[n.Share] {
			seen[n.Share] = true
			values, _ = s.distinctOf(n.Share.Child, c, seen)
			return values, false
		}
	case *operator.Window:
		if c < len(n.Child.Types()) {
			return s.distinctOf(n.Child, c, seen)
		}
	case *operator.Join:
		for _, left := range []bool{true, false} {
			own := side(n, left)
			for from := range own.Types() {
				if outputOf(n, left, from) == c {
					return s.distinctOf(own, from, seen)
				}
			}
		}
	}
	return 0, false
}
