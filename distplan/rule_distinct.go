package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var (
	ruleDistinctLies    = newRule("distinct: rows that lie by some of their columns stay")
	ruleDistinctTwice   = newRule("distinct: in every task, then by all columns")
	ruleDistinctOn      = newRule("distinct on: rows go by the ON columns")
	ruleDistinctOnStays = newRule("distinct on: rows that lie by the ON columns stay")
)

// distinct drops repetitions in every task first, then among tasks after a hash exchange on all columns. Rows that already
// lie by some of their columns are distinct where they are. DISTINCT ON has no partial: its rows go by the ON columns.
func (d *distributor) distinct(n *operator.Distinct) placed {
	child := d.place(n.Child)
	over := func(c placed) placed {
		out := *n
		out.Child = c.node
		return placed{&out, c.delivered}
	}
	if n.On != nil {
		return d.distinctOn(n, child, over)
	}
	child = d.groupedByRanges(child, allColumns(n), d.sizes.bytes(n))
	if child.partitioning != arbitrary {
		if child.partitioning != single {
			d.fired(ruleDistinctLies)
		}
		return over(child)
	}
	d.fired(ruleDistinctTwice)
	return over(d.exchange(over(child), allColumns(n)))
}

func (d *distributor) distinctOn(n *operator.Distinct, child placed, over func(placed) placed) placed {
	if child.partitioning == single {
		return over(child)
	}
	var keys []int
	for _, e := range n.On {
		r, ok := e.(*expr.Ref)
		if !ok {
			d.because("DISTINCT ON an expression runs in one task")
			return over(d.gather(child))
		}
		keys = append(keys, r.Index)
	}
	if len(keys) == 0 {
		return over(d.gather(child))
	}
	child = d.groupedByRanges(child, keys, d.sizes.bytes(child.node))
	if child.together(keys) {
		d.fired(ruleDistinctOnStays)
		return over(child)
	}
	d.fired(ruleDistinctOn)
	return over(d.exchange(child, keys))
}
