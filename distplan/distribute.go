package distplan

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// A placed operator is a tree with exchanges in it, and what it delivers.
type placed struct {
	node operator.Node
	delivered
}

// A distributor places the exchanges of one tree, bottom up. It never changes the order or the meaning of operators: each
// subtree it returns gives, on one node, the rows of the subtree it was given.
type distributor struct {
	opts    Options
	reasons []string
	rules   []string // names of those that fired
	sizes   sizes
	// ctes and delims are what CTERef and DelimGet nodes read, by ID: those bound above what is being placed.
	ctes   map[int]*reader
	delims map[int]*reader
	// divided are the scans that are divided by ranges; slabsOf is what is known of those that were looked at.
	divided map[*operator.Scan]*cluster
	spreads *operator.Order // the order of the result, when several endpoints may give it
	above   int             // joins above what is being placed
	slabsOf map[member][]slab
}

func newDistributor(opts Options) *distributor {
	return &distributor{opts: opts, ctes: map[int]*reader{}, delims: map[int]*reader{}}
}

// place distributes n. Its estimate stays what it was before: the halves of a split operator are no smaller than the whole.
func (d *distributor) place(n operator.Node) placed {
	p := d.byRule(n)
	if _, knowsBetter := n.(*operator.DelimGet); !knowsBetter {
		d.sizes.set(p.node, d.sizes.rows(n))
	}
	return p
}

// byRule distributes n by the rule for its operator; what has none falls back to one task.
func (d *distributor) byRule(n operator.Node) placed {
	switch n := n.(type) {
	case *operator.Scan:
		return placed{n, delivered{partitioning: arbitrary, sortable: d.sortables(n)}}
	case *operator.Values, *operator.Empty, *operator.Dummy:
		return placed{node: n}
	case *operator.Filter:
		return d.filter(n)
	case *operator.Project:
		return d.project(n)
	case *operator.Aggregate:
		return d.aggregate(n)
	case *operator.Distinct:
		return d.distinct(n)
	case *operator.TopN:
		return d.topN(n)
	case *operator.Limit:
		return d.limit(n)
	case *operator.Order:
		return d.order(n)
	case *operator.SetOp:
		return d.setOp(n)
	case *operator.Window:
		return d.window(n)
	case *operator.Join:
		return d.join(n)
	case *operator.Cross:
		return d.cross(n)
	case *operator.CTE:
		return d.cte(n)
	case *operator.CTERef:
		return d.cteRef(n)
	case *operator.DelimJoin:
		return d.delimJoin(n)
	case *operator.DelimGet:
		return d.delimGet(n)
	}
	return d.fallback(n, fallbackReason(n))
}

// filter and project run wherever their input is.
func (d *distributor) filter(n *operator.Filter) placed {
	child := d.place(n.Child)
	out := *n
	out.Child = child.node
	return placed{&out, child.through(func(c int) int { return position(n.Project, c) })}
}

func (d *distributor) project(n *operator.Project) placed {
	child := d.place(n.Child)
	out := *n
	out.Child = child.node
	return placed{&out, child.through(func(c int) int { return refPosition(n.Exprs, c) })}
}

// gather brings the rows to one task; it places nothing when they are there already.
func (d *distributor) gather(p placed) placed {
	if p.partitioning == single {
		return p
	}
	return placed{node: &operator.Exchange{
		Estimated: estimated(p.node), Kind: operator.Gather, Child: p.node, Partitions: 1,
	}}
}

// exchange brings rows that agree on the keys to the same task.
func (d *distributor) exchange(p placed, keys []int) placed {
	if p.lies(keys, d.opts.Partitions) {
		return p
	}
	return placed{
		&operator.Exchange{
			Estimated: estimated(p.node), Kind: operator.Hash, Child: p.node, Keys: keys, Partitions: d.opts.Partitions,
		},
		delivered{partitioning: hashed, keys: keys, partitions: d.opts.Partitions},
	}
}

// because records why something is gathered; each reason stands once.
func (d *distributor) because(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	for _, r := range d.reasons {
		if r == reason {
			return
		}
	}
	d.reasons = append(d.reasons, reason)
}

func sameInts(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func allColumns(n operator.Node) []int { return operator.Pick(nil, len(n.Types())) }
