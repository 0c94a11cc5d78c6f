package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

var (
	ruleRangesJoin  = newRule("clustered scans are joined by ranges of their key")
	ruleRangesGroup = newRule("a clustered scan's rows are grouped by ranges of a key")
)

// joinRanges looks for a key by whose ranges both sides of a join can lie, without an exchange; nil when there is none.
func (d *distributor) joinRanges(k keyed) *option {
	if d.opts.JoinStrategy != JoinAuto || k.left.partitioning == single || k.right.partitioning == single {
		return nil
	}
	choices := make([][]int, len(k.lcols))
	for i := range k.lcols {
		choices[i] = []int{k.lcols[i], k.rcols[i]}
	}
	return d.rangesFor([]placed{k.left, k.right}, choices)
}

// joinByRanges joins sides of which every task reads the same ranges. NULL keys are all in one range: rows of a preserved
// side survive there.
func (d *distributor) joinByRanges(k keyed, o *option) placed {
	d.fired(ruleRangesJoin)
	lie := d.take(o)
	left, right := k.left, k.right
	left.delivered = lie[0].joining(left.delivered)
	right.delivered = lie[1].joining(right.delivered)
	return together(k.join, left, right)
}

// joining keeps what else was known of rows that lay by ranges before.
func (p delivered) joining(was delivered) delivered {
	if was.partitioning == ranged {
		return union(p, was)
	}
	return p
}

// groupedByRanges has rows that agree on the columns lie in one task by ranges of one of them, when that reads no more than
// an exchange would move; otherwise it leaves the input as it is.
func (d *distributor) groupedByRanges(child placed, columns []int, moved float64) placed {
	if child.partitioning != arbitrary || len(child.sortable) == 0 {
		return child
	}
	choices := make([][]int, 0, len(columns))
	for _, c := range columns {
		choices = append(choices, []int{c})
	}
	o := d.rangesFor([]placed{child}, choices)
	if o == nil || o.more > moved {
		return child
	}
	d.fired(ruleRangesGroup)
	child.delivered = d.take(o)[0]
	return child
}

// someColumns lists those of the expressions that are columns.
func someColumns(list []expr.Expr) []int {
	var columns []int
	for _, e := range list {
		if c := bareColumn(e); c >= 0 {
			columns = append(columns, c)
		}
	}
	return columns
}
