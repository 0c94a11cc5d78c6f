package distplan

import (
	"slices"

	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// Clustered scans. The bounds of row groups tell when a table lies sorted by a column, as facts usually do by their key or
// date. Such scans can be divided by ranges of that column instead of as their splits fall: every task reads the row groups
// that overlap its ranges and keeps the rows in them. What joins, groups or compares by the column then needs no exchange.
//
// The cuts of a cluster of scans are those of the fine ranges (rangesPerWorker a worker) into which the rows of all its scans
// fall evenly, each at the lower bound of a row group, of the largest scan where that has enough of them. Measured are, for
// one run of ranges a worker of equal size, with bytes(g) = rows of a row group × width of the scan's rows,
//
//	extra(scan)  = Σ over tasks Σ bytes(row groups that overlap the task's run) - bytes(scan)
//	share(task)  = bytes(row groups whose lower bound is in the run)
//
// A scan is clustered when extra ≤ overlapMax × bytes(scan), and the cluster is even when no share exceeds unevenMax × the
// mean. Ranges are taken when that holds and extra, summed over the cluster, is no more than what the exchanges or the
// broadcast would move instead.
const (
	rangesPerWorker = 8
	overlapMax      = 0.5
	unevenMax       = 1.5
)

// A cluster is scans that are cut alike. Clusters are united when operators bring their rows together: the root of a
// united one is found by following into.
type cluster struct {
	into    *cluster
	members []member
	measure
}

// A member is a scan divided by an output column.
type member struct {
	scan   *operator.Scan
	column int
}

func (c *cluster) root() *cluster {
	for c.into != nil {
		c = c.into
	}
	return c
}

// sortables lists the columns of a scan by whose ranges it might be divided.
func (d *distributor) sortables(n *operator.Scan) []sortable {
	if d.opts.Workers < 2 || d.opts.JoinStrategy != JoinAuto || len(n.Table.Files) == 0 {
		return nil
	}
	var all []sortable
	for i, c := range n.Columns {
		if c >= 0 && n.Table.Columns[c].Type.Ordered() && n.Table.Files[0].Zone(c).Known() {
			all = append(all, sortable{i, n, i})
		}
	}
	return all
}

// An option is a way to have rows of one or two inputs lie by ranges of a column: what would be in the cluster, and what it
// comes to.
type option struct {
	parts   []*cluster // to unite, none twice
	members []member   // to add
	measure
	// extra beyond what the parts have already
	more float64
	keys []int // the column of each input
}

// rangesFor finds the cheapest way to have the inputs lie alike by ranges of a column each; columns are choices, each of
// one column an input. Nil when there is none.
func (d *distributor) rangesFor(inputs []placed, columns [][]int) *option {
	var best *option
	for _, choice := range columns {
		o := &option{keys: choice}
		ok := true
		for i, c := range choice {
			ok = ok && d.add(o, inputs[i].delivered, c)
		}
		if !ok {
			continue
		}
		all := o.members
		for _, p := range o.parts {
			all = append(all[:len(all):len(all)], p.members...)
			o.more -= p.extra
		}
		m, ok := d.measureOf(all)
		if !ok {
			continue
		}
		o.measure = m
		o.more += m.extra
		if best == nil || o.more < best.more {
			best = o
		}
	}
	return best
}

// add puts what an input needs into the option; false when the input cannot lie by the column.
func (d *distributor) add(o *option, p delivered, column int) bool {
	part := func(c *cluster) {
		if c = c.root(); !slices.Contains(o.parts, c) {
			o.parts = append(o.parts, c)
		}
	}
	if p.partitioning == ranged {
		if !in(column, p.columnsOf(0)) {
			return false
		}
		part(p.cluster)
		return true
	}
	if p.partitioning != arbitrary {
		return false
	}
	for _, s := range p.sortable {
		if s.column != column {
			continue
		}
		m := member{s.scan, s.at}
		switch was, divided := d.divided[s.scan]; {
		case !divided:
			if !slices.Contains(o.members, m) {
				o.members = append(o.members, m)
			}
			return true
		case slices.Contains(was.root().members, m):
			part(was)
			return true
		}
	}
	return false
}

// take makes the option real, and says how each input lies.
func (d *distributor) take(o *option) []delivered {
	c := &cluster{members: o.members}
	for _, p := range o.parts {
		p.into = c
		c.members = append(c.members, p.members...)
	}
	c.measure = o.measure
	if d.divided == nil {
		d.divided = map[*operator.Scan]*cluster{}
	}
	for _, m := range o.members {
		d.divided[m.scan] = c
	}
	lie := make([]delivered, len(o.keys))
	for i, k := range o.keys {
		lie[i] = delivered{partitioning: ranged, keys: []int{k}, cluster: c}
	}
	return lie
}

// divide gives the scans of a placed tree the ranges of their clusters, also of what it shares: shares are known by their
// address and get a new child, while nobody but the distributor has seen them.
func (d *distributor) divide(n operator.Node) (operator.Node, error) {
	if len(d.divided) == 0 {
		return n, nil
	}
	shares := map[*operator.Share]bool{}
	var visit func(n operator.Node) (operator.Node, error)
	// What is known of a node's size is known of its copy.
	sized := func(old, n operator.Node) operator.Node {
		if n != old {
			d.sizes.set(n, d.sizes.rows(old))
		}
		return n
	}
	visit = func(n operator.Node) (operator.Node, error) {
		switch n := n.(type) {
		case *operator.Scan:
			return sized(n, d.dividedScan(n)), nil
		case *operator.SharedRead:
			if shares[n.Share] {
				return n, nil
			}
			shares[n.Share] = true
			child, err := visit(n.Share.Child)
			if err == nil {
				n.Share.Child = child
			}
			return n, err
		}
		out, err := rewriteChildren(n, visit)
		if err != nil {
			return nil, err
		}
		return sized(n, out), nil
	}
	return visit(n)
}

func (d *distributor) dividedScan(n *operator.Scan) *operator.Scan {
	c, ok := d.divided[n]
	if !ok {
		return n
	}
	root := c.root()
	out := *n
	for _, m := range root.members {
		if m.scan == n {
			out.By = &operator.RangesBy{Ranges: root.ranges, Column: m.column}
		}
	}
	return &out
}
