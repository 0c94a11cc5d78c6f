package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var ruleSharedOuter = newRule("correlated subquery: the outer rows are one stage with many readers")

// delimJoin distributes a correlated subquery. The side that is evaluated once becomes a stage that is read from several
// places:
//
//	join (of the same kind)                    delim join once=left
//	  shared read of L                           L
//	  subquery                          ←        subquery
//	    distinct                                   delim get
//	      project correlated columns
//	        shared read of L
//
// L is laid out by the correlated columns that the subquery compares, so that its distinct values are found where the rows
// are, and mostly the join back needs no exchange: it reads its share of the same partitions. What remains is a plain join,
// with the rules of plain joins.
func (d *distributor) delimJoin(n *operator.DelimJoin) placed {
	once, other := n.Left, n.Right
	if n.Flipped {
		once, other = other, once
	}
	d.fired(ruleSharedOuter)
	kept := d.place(once)
	r := d.share(kept, d.delimWants(n, once, other))
	get := *r
	get.columns = n.Columns
	was, had := d.delims[n.ID]
	d.delims[n.ID] = &get
	subquery := d.place(other)
	if had {
		d.delims[n.ID] = was
	} else {
		delete(d.delims, n.ID)
	}
	left, right := d.read(r), subquery
	if n.Flipped {
		left, right = right, left
	}
	return d.joinPlaced(&n.Join, left, right)
}

// delimWants lists the columns by which the readers of the side that is evaluated once would like it laid out: the join
// back, and whatever the subquery does with the correlated columns.
func (d *distributor) delimWants(n *operator.DelimJoin, once, other operator.Node) [][]int {
	width := len(once.Types())
	w := newWishes(width)
	w.delims[n.ID] = make([]int, len(n.Columns))
	for i, e := range n.Columns {
		w.delims[n.ID][i] = bareColumn(e)
	}
	w.of(other)
	var back []int
	for _, k := range joinKeys(&n.Join) {
		e := n.Conditions[k].Left
		if n.Flipped {
			e = n.Conditions[k].Right
		}
		if c := bareColumn(e); c >= 0 && !in(c, back) {
			back = append(back, c)
		}
	}
	if len(back) > 0 {
		w.wants = append(w.wants, back)
	}
	return w.wants
}

// delimGet reads the distinct values of the correlated columns.
func (d *distributor) delimGet(n *operator.DelimGet) placed {
	r, ok := d.delims[n.ID]
	if !ok { // nothing binds it: the tree was misread, which the printer says
		return placed{node: n}
	}
	all := d.read(r)
	rows := r.rows
	if columns := bareColumns(r.columns); columns != nil {
		rows = d.sizes.distinctMax(all.node, columns)
	}
	if n.Rows >= 0 {
		rows = min(rows, n.Rows)
	}
	values := placed{
		&operator.Project{Estimated: estimated(all.node), Child: all.node, Exprs: r.columns},
		all.through(func(c int) int { return refPosition(r.columns, c) }),
	}
	distinct := func(p placed) placed {
		return placed{&operator.Distinct{Estimated: operator.Estimated{Rows: rows}, Child: p.node}, p.delivered}
	}
	values = distinct(values)
	if values.partitioning == arbitrary {
		values = distinct(d.exchange(values, allColumns(values.node)))
	}
	return retyped(values, n.Result)
}

// bareColumns returns the columns that expressions are; nil when one is more than a column.
func bareColumns(list []expr.Expr) []int {
	columns := make([]int, len(list))
	for i, e := range list {
		if columns[i] = bareColumn(e); columns[i] < 0 {
			return nil
		}
	}
	return columns
}

// bareColumn returns the column that an expression is, < 0 when it is more than one.
func bareColumn(e expr.Expr) int {
	if r, ok := e.(*expr.Ref); ok {
		return r.Index
	}
	return -1
}
