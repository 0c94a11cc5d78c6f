package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var (
	ruleWindow     = newRule("window: rows go by the shared PARTITION BY columns")
	ruleWindowLies = newRule("window: rows that lie by PARTITION BY columns stay")
)

// window sends rows by the PARTITION BY columns that all functions share, so that each window partition is whole in one
// task. Without such columns all rows go to one.
func (d *distributor) window(n *operator.Window) placed {
	child := d.place(n.Child)
	over := func(c placed) placed {
		out := *n
		out.Child = c.node
		return placed{&out, c.delivered} // appends columns: the keys stay where they are
	}
	if child.partitioning == single {
		return over(child)
	}
	shared := sharedPartitions(n.Windows)
	if len(shared) == 0 {
		d.because("window functions without common PARTITION BY columns run in one task")
		return over(d.gather(child))
	}
	child = d.groupedByRanges(child, shared, d.sizes.bytes(child.node))
	if child.together(shared) {
		d.fired(ruleWindowLies)
		return over(child)
	}
	d.fired(ruleWindow)
	return over(d.exchange(child, shared))
}

// sharedPartitions lists the bare columns that every window partitions by, in the order of the first.
func sharedPartitions(windows []*expr.Window) []int {
	var shared []int
	for i, w := range windows {
		columns := map[int]bool{}
		var order []int
		for _, e := range w.Partitions {
			if r, ok := e.(*expr.Ref); ok && !columns[r.Index] {
				columns[r.Index] = true
				order = append(order, r.Index)
			}
		}
		if i == 0 {
			shared = order
			continue
		}
		kept := shared[:0]
		for _, c := range shared {
			if columns[c] {
				kept = append(kept, c)
			}
		}
		shared = kept
	}
	return shared
}
