package distplan

import "github.com/arbalest-sql/arbalest/distplan/operator"

var (
	ruleExchangeBoth = newRule("join: both sides go by their keys")
	ruleExchangeOne  = newRule("join: a side that lies by the keys stays")
	ruleExchangeNone = newRule("join: both sides lie by the keys")
)

// align chooses which keys both sides are hashed by, and in which order: those by which a side lies already, the larger one
// if both do and differ, so that it need not move; else all keys. Fewer keys than all are right: rows that agree on all
// agree on those. Nil when there is no key.
func (d *distributor) align(k keyed) []int {
	if len(k.lcols) == 0 {
		return nil
	}
	left, right := d.laidBy(k.left, k.lcols), d.laidBy(k.right, k.rcols)
	switch {
	case left == nil && right == nil:
		return operator.Pick(nil, len(k.lcols))
	case right == nil:
		return left
	case left == nil:
		return right
	case d.sizes.bytes(k.left.node) < d.sizes.bytes(k.right.node):
		return right
	}
	return left
}

// laidBy finds the keys by which a side lies; nil when it lies otherwise.
func (d *distributor) laidBy(p placed, columns []int) []int {
	if p.partitioning != hashed || p.partitions != d.opts.Partitions {
		return nil
	}
	order := make([]int, 0, len(p.keys))
	for i := range p.keys {
		at := -1
		for k, c := range columns {
			if in(c, p.columnsOf(i)) {
				at = k
				break
			}
		}
		if at < 0 {
			return nil
		}
		order = append(order, at)
	}
	return order
}

// joinByExchange brings the rows of both sides together by hash of the keys; a side that lies so already stays. NULL keys
// go where their hash sends them, as any value: rows of a preserved side survive there.
func (d *distributor) joinByExchange(k keyed, order []int) placed {
	left := d.exchange(k.left, pickInts(k.lcols, order))
	right := d.exchange(k.right, pickInts(k.rcols, order))
	switch {
	case left.node != k.left.node && right.node != k.right.node:
		d.fired(ruleExchangeBoth)
	case left.node != k.left.node || right.node != k.right.node:
		d.fired(ruleExchangeOne)
	default:
		d.fired(ruleExchangeNone)
	}
	return together(k.join, left, right)
}

// together puts a join over sides whose rows lie by the same keys, and says how its output lies.
func together(n *operator.Join, left, right placed) placed {
	out := joined(n, left, right, delivered{partitioning: arbitrary, partitions: left.partitions})
	join := out.node.(*operator.Join)
	switch join.Kind {
	case operator.Inner:
		out.delivered = union(layAs(join, left.delivered, true), layAs(join, right.delivered, false))
	case operator.Left, operator.Semi, operator.Anti, operator.Mark, operator.Single:
		out.delivered = layAs(join, left.delivered, true)
	case operator.Right, operator.RightSemi, operator.RightAnti:
		out.delivered = layAs(join, right.delivered, false)
	}
	// FULL: a row without a match lies by the key of its own side and has NULL for the other's: by neither column.
	return out
}

// union says the same of how rows lie by both, which list their keys in the same order.
func union(a, b delivered) delivered {
	if !a.keyed() {
		return b
	}
	if !b.keyed() {
		return a
	}
	classes := make([][]int, len(a.keys))
	for i := range a.keys {
		classes[i] = append([]int(nil), a.columnsOf(i)...)
		for _, c := range b.columnsOf(i) {
			if !in(c, classes[i]) {
				classes[i] = append(classes[i], c)
			}
		}
	}
	return a.by(classes)
}
