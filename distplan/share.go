package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// A reader is what the readers of a shared subtree read.
type reader struct {
	share *operator.Share
	// out is how a task's share of the rows lies.
	out delivered
	// columns are what a DelimGet reads of the rows, distinct; nil for a CTERef, which reads all.
	columns []expr.Expr
	rows    float64
}

// share makes a placed subtree one that several places may read: a stage of its own, which is run once. Its rows are laid
// out by the keys that suit its readers, best first in wants; rows that lie by some keys already stay, unless that suits
// no reader. Rows of one task, and rows without a column to hash, stay in one partition.
func (d *distributor) share(p placed, wants [][]int) *reader {
	r := &reader{share: &operator.Share{Child: p.node, Result: p.node.Types(), Partitions: 1}, rows: d.sizes.rows(p.node)}
	if p.partitioning == single {
		return r
	}
	keys := d.sharedKeys(p, wants)
	if len(keys) == 0 {
		d.because("a subquery that is read more than once has no column to divide it by: it is read in one task")
		return r
	}
	r.share.Keys, r.share.Partitions = keys, d.opts.Partitions
	r.out = delivered{partitioning: hashed, keys: keys, partitions: d.opts.Partitions}
	if p.lies(keys, d.opts.Partitions) {
		r.out.also = p.also
		if !sameInts(p.keys, keys) {
			r.out.also = nil
		}
	}
	return r
}

func (d *distributor) sharedKeys(p placed, wants [][]int) []int {
	types := p.node.Types()
	usable := make([][]int, 0, len(wants))
	for _, want := range wants {
		fit := want[:0:0]
		for _, c := range want {
			if hashable(types[c]) {
				fit = append(fit, c)
			}
		}
		if len(fit) > 0 {
			usable = append(usable, fit)
		}
	}
	if p.partitioning == hashed && p.partitions == d.opts.Partitions {
		suits := len(usable) == 0
		for _, want := range usable {
			suits = suits || p.together(want)
		}
		if suits {
			return p.keys
		}
	}
	if best := suitsMost(usable); best != nil {
		return best
	}
	var all []int
	for c, t := range types {
		if hashable(t) {
			all = append(all, c)
		}
	}
	return all
}

// suitsMost picks the column set that the most readers can use: rows that agree on all columns of a reader agree on any of
// them, so a subset will do. Of equals the largest, which spreads the rows best, then the first; in the order of the last
// reader of just these columns, where what comes back from below has been grouped or joined by them.
func suitsMost(wants [][]int) []int {
	var best []int
	most := 0
	for _, keys := range wants {
		suits := 0
		for _, want := range wants {
			if subset(keys, want) {
				suits++
			}
		}
		if suits > most || suits == most && len(keys) > len(best) {
			best, most = keys, suits
		}
	}
	for _, keys := range wants {
		if len(keys) == len(best) && subset(keys, best) {
			best = keys
		}
	}
	return best
}

func subset(a, b []int) bool {
	for _, c := range a {
		if !in(c, b) {
			return false
		}
	}
	return true
}

// read places a leaf that reads the shared rows.
func (d *distributor) read(r *reader) placed {
	return placed{&operator.SharedRead{Estimated: operator.Estimated{Rows: r.share.Child.Estimate()}, Share: r.share}, r.out}
}
