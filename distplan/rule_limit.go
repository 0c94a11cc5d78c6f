package distplan

import (
	"math"

	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var (
	rulePartialTop   = newRule("top: in every task, then in one")
	rulePartialLimit = newRule("limit: in every task, then in one")
)

// topN takes the first Offset+Limit rows in every task, and of those the answer in one.
func (d *distributor) topN(n *operator.TopN) placed {
	child := d.place(n.Child)
	if most, ok := headOf(n.Limit, n.Offset); ok && child.partitioning != single {
		d.fired(rulePartialTop)
		partial := *n
		partial.Child, partial.Limit, partial.Offset = child.node, most, 0
		child = placed{&partial, delivered{partitioning: arbitrary}}
	}
	out := *n
	out.Child = d.gather(child).node
	return placed{node: &out}
}

// limit does the same without an order: any rows will do, so a task that has enough stops.
func (d *distributor) limit(n *operator.Limit) placed {
	child := d.place(n.Child)
	if most, ok := headOf(n.Limit, n.Offset); ok && child.partitioning != single {
		d.fired(rulePartialLimit)
		partial := *n
		partial.Child, partial.Limit, partial.Offset = child.node, most, 0
		child = placed{&partial, delivered{partitioning: arbitrary}}
	}
	out := *n
	out.Child = d.gather(child).node
	return placed{node: &out}
}

// headOf returns how many rows of a task can matter; false when all can.
func headOf(limit, offset int64) (int64, bool) {
	if limit < 0 || limit > math.MaxInt64-max(offset, 0) {
		return 0, false
	}
	return limit + max(offset, 0), true
}
