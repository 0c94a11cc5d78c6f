package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var ruleSkipPartial = newRule("aggregate: raw rows go by group, since parts would be nearly as many")

const (
	// partialCost is what a byte of a partial costs, in bytes of raw rows that are moved: it is written into the partial's
	// hash table, moved, and merged. Measured in DuckDB 1.5.5 with one thread, a million rows in two tasks, each materialised
	// into the partitions of an exchange, processor time of both phases ÷ that of raw rows:
	//
	//	rows a group of a task           1     2     4     6     8    16   128
	//	sum(BIGINT): 16 → 24 bytes    1.37  1.19  0.85  0.69  0.63  0.42  0.18
	//	4 columns:   40 → 88 bytes    1.74  1.46  1.17  0.94  0.82  0.52  0.25
	//
	// They are equal at about 3.0 and 5.4 rows a group: 2.0 and 2.4 times the bytes of a partial ÷ those of a row.
	partialCost = 2.4
	// skipRowsMin is a vector of DuckDB's: over fewer rows there is nothing to save.
	skipRowsMin = 2048
)

// skipsPartial decides between two ways to aggregate by group:
//
//	two phases:  rows are aggregated in every task, the partials moved by group and merged
//	raw rows:    rows are moved by group, and aggregated once
//
// Both aggregate every row once, so that counts which costs more, in bytes:
//
//	partials × bytes of a partial × partialCost   against   rows × bytes of a row
//
// partials are the groups that tasks find (taskGroups), a row is the columns that the aggregate reads. Where nothing is
// known of the groups there are two phases: at worst they double the work, while raw rows of few groups can cost many times
// as much, and may all go to one task.
func (d *distributor) skipsPartial(n *operator.Aggregate, child placed, parts []split) bool {
	if !n.Plain() || len(n.Groups) == 0 {
		return false
	}
	rows := d.sizes.rows(child.node)
	if rows < skipRowsMin {
		return false
	}
	tasks := max(d.opts.Workers, 1)
	groups, known := d.sizes.taskGroups(child.node, n.Groups, tasks)
	if !known {
		return false
	}
	below := d.sizes.widths(child.node)
	keys := sum(exprWidths(n.Groups, below))
	row := keys
	for _, c := range readBy(n.Aggregates) {
		if refPosition(n.Groups, c) < 0 {
			row += below[c]
		}
	}
	partial := keys
	for _, p := range parts {
		for _, a := range p.partials {
			partial += partialWidth(a, below)
		}
	}
	return float64(tasks)*groups*partial*partialCost > rows*row
}

// partialWidth is the width of a partial's value: of min, max and the like that of their argument.
func partialWidth(a *expr.Aggregate, below []float64) float64 {
	if len(a.Args) == 1 && a.Args[0].Type().Equal(a.Result) {
		return exprWidths(a.Args, below)[0]
	}
	return rowBytes([]table.Type{a.Result})
}

func sum(list []float64) float64 {
	var all float64
	for _, x := range list {
		all += x
	}
	return all
}
