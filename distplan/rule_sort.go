package distplan

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var ruleSort = newRule("order: each task sorts a range of the leading key")

const (
	// sortBytesMin is the estimate from which a sort is spread: one task sorts less in about the time that sampling the keys and
	// sending the rows once more costs.
	sortBytesMin = 32 << 20
	// sortRangesMax bounds the ranges: each is a column of cuts and a branch of the CASE that finds a row's range.
	sortRangesMax = 256
	// samplesPerRange is how many sampled keys a range has by estimate: a task misses by at most one step at each end of a
	// range, so that ranges of distinct keys come out within a few hundredths of each other.
	samplesPerRange = 64
)

// order sorts. All rows go to one task, unless the tree's own order may be that of several endpoints, each a range of the
// leading key.
func (d *distributor) order(n *operator.Order) placed {
	child := d.place(n.Child)
	if n == d.spreads && child.partitioning != single {
		if sorted, ok := d.sortRanges(n, child); ok {
			return sorted
		}
	}
	out := *n
	out.Child = d.gather(child).node
	return placed{node: &out}
}

// rootOrder finds the Order whose rows are the result's in its order, row by row; nil when there is none.
func rootOrder(n operator.Node) *operator.Order {
	switch n := n.(type) {
	case *operator.Order:
		return n
	case *operator.Project:
		return rootOrder(n.Child)
	case *operator.Filter:
		return rootOrder(n.Child)
	case *operator.CTE:
		return rootOrder(n.Body)
	}
	return nil
}

// sortRanges divides the input of n by ranges of the leading key, in the order of n, and sorts each. The cuts come from a
// sample that is a function of the keys alone, so that every task that is run again sees the same: whatever they are, the
// rows come in order, and rows that tie in the leading key are in one range.
func (d *distributor) sortRanges(n *operator.Order, child placed) (placed, bool) {
	ranges := min(d.opts.Partitions, sortRangesMax)
	lead, ok := d.leading(n)
	if !ok || ranges < 2 || d.opts.Distributed != Always && d.sizes.bytes(child.node) < sortBytesMin {
		return placed{}, false
	}
	sampled, divided := child.node, child.node
	if child.partitioning != arbitrary || !withoutExchange(child.node) {
		r := d.share(child, nil)
		if len(r.share.Keys) == 0 {
			return placed{}, false
		}
		sampled, divided = d.read(r).node, d.read(r).node
	}
	d.fired(ruleSort)
	step := max(1, int64(d.sizes.rows(child.node)/float64(ranges*samplesPerRange)))
	cuts := &operator.Exchange{
		Estimated: operator.Estimated{Rows: 1}, Kind: operator.Broadcast, Partitions: 1,
		Child: cutsOf(d.gather(placed{sampleOf(sampled, lead.Expr, step), delivered{partitioning: arbitrary}}).node, ranges),
	}
	out := *n
	out.Child = &operator.Exchange{
		Estimated: estimated(child.node), Kind: operator.Range, Partitions: ranges,
		Child: &operator.Project{
			Estimated: estimated(child.node),
			Child:     &operator.Cross{Estimated: estimated(child.node), Left: withKey(divided, lead.Expr), Right: cuts},
			Exprs:     append(refsTo(0, divided.Types()), rangeOfRow(len(divided.Types()), lead, ranges)),
		},
	}
	return placed{&out, delivered{partitioning: arbitrary}}, true
}

// leading is the first term that orders anything, when rows can be divided by its ranges.
func (d *distributor) leading(n *operator.Order) (expr.Order, bool) {
	for _, o := range n.By {
		if _, constant := o.Expr.(*expr.Const); constant {
			continue
		}
		switch t := o.Expr.Type(); {
		case !rangeable(t):
			d.because("a result ordered first by a %s is sorted in one task", t.SQL())
		case expr.HasVolatile(o.Expr):
			d.because("a result ordered first by a volatile expression is sorted in one task")
		default:
			return o, true
		}
		break
	}
	return expr.Order{}, false
}

// rangeable reports whether rows can be divided by ranges of a type: values that tie are the same value, and the engine's
// comparisons, its max and its ORDER BY agree on them without exception. FLOAT and DOUBLE have NaN and −0.0.
func rangeable(t table.Type) bool {
	return t.Ordered() || t.ID == table.Decimal || t.ID == table.HugeInt || t.ID == table.UHugeInt
}

// withoutExchange reports whether a tree is done in one stage, so that what reads a column of it may do so by itself.
func withoutExchange(n operator.Node) bool {
	return operator.Walk(n, func(n operator.Node) bool {
		switch n.(type) {
		case *operator.Scan, *operator.Filter, *operator.Project:
			return true
		}
		return false
	})
}

func withKey(n operator.Node, key expr.Expr) operator.Node {
	return &operator.Project{Estimated: estimated(n), Child: n, Exprs: append(refsTo(0, n.Types()), key)}
}

// sampleOf gives every step-th of a task's keys in their order, without NULLs.
func sampleOf(n operator.Node, key expr.Expr, step int64) operator.Node {
	ref := &expr.Ref{Index: 0, Result: key.Type()}
	var keys operator.Node = &operator.Filter{
		Estimated: estimated(n), Child: &operator.Project{Estimated: estimated(n), Child: n, Exprs: []expr.Expr{key}},
		Conditions: []expr.Expr{&expr.Operator{Kind: expr.IsNotNull, Operands: []expr.Expr{ref}, Result: table.Of(table.Boolean)}},
	}
	if step == 1 {
		return keys
	}
	bigint := table.Of(table.BigInt)
	numbered := &operator.Window{
		Estimated: estimated(n), Child: keys, Windows: []*expr.Window{inOrder("row_number", ref)}, Phase: operator.Partial,
	}
	turn := &expr.Call{Name: "%", Args: []expr.Expr{&expr.Ref{Index: 1, Result: bigint}, numeral(step, bigint)}, Result: bigint}
	return &operator.Filter{
		Estimated: operator.Estimated{Rows: max(-1, n.Estimate()/float64(step))}, Child: numbered,
		Conditions: []expr.Expr{&expr.Compare{Op: expr.Equal, Left: turn, Right: numeral(0, bigint)}}, Project: []int{0},
	}
}

// cutsOf gives one row: the upper end of every range but the last, NULL behind the highest key.
func cutsOf(keys operator.Node, ranges int) operator.Node {
	bigint := table.Of(table.BigInt)
	ref := &expr.Ref{Index: 0, Result: keys.Types()[0]}
	tiles := &operator.Window{
		Estimated: estimated(keys), Child: keys, Windows: []*expr.Window{inOrder("ntile", ref, numeral(int64(ranges), bigint))},
	}
	cuts := &operator.Aggregate{Estimated: operator.Estimated{Rows: 1}, Child: tiles}
	for i := 1; i < ranges; i++ {
		tile := &expr.Compare{Op: expr.Equal, Left: &expr.Ref{Index: 1, Result: bigint}, Right: numeral(int64(i), bigint)}
		cuts.Aggregates = append(cuts.Aggregates, &expr.Aggregate{Name: "max", Args: []expr.Expr{ref}, Filter: tile, Result: ref.Result})
	}
	return cuts
}

func inOrder(name string, key expr.Expr, args ...expr.Expr) *expr.Window {
	return &expr.Window{
		Name: name, Args: args, Orders: []expr.Order{{Expr: key}}, Result: table.Of(table.BigInt),
		Start: expr.FrameBound{Kind: "UNBOUNDED_PRECEDING"}, End: expr.FrameBound{Kind: "CURRENT_ROW_RANGE"},
	}
}

// rangeOfRow is the number of a row's range, by halving: the key is column key, the cuts stand behind it. A cut that is NULL
// has no key above it, so that all go below: which way is the same for all keys, and keeps their order.
func rangeOfRow(key int, lead expr.Order, ranges int) expr.Expr {
	number := func(i int) expr.Expr {
		if lead.Descending {
			i = ranges - 1 - i
		}
		return numeral(int64(i), table.Of(table.Integer))
	}
	t, boolean := lead.Expr.Type(), table.Of(table.Boolean)
	ref := &expr.Ref{Index: key, Result: t}
	var among func(first, last int) expr.Expr
	among = func(first, last int) expr.Expr {
		if first == last {
			return number(first)
		}
		middle := (first + last) / 2
		above := &expr.Compare{Op: expr.Greater, Left: ref, Right: &expr.Ref{Index: key + 1 + middle, Result: t}}
		return &expr.Case{
			When: []expr.Expr{above}, Then: []expr.Expr{among(middle+1, last)}, Else: among(first, middle), Result: table.Of(table.Integer),
		}
	}
	nulls := ranges - 1
	if lead.NullsFirst {
		nulls = 0
	}
	return &expr.Case{
		When: []expr.Expr{&expr.Operator{Kind: expr.IsNull, Operands: []expr.Expr{ref}, Result: boolean}},
		Then: []expr.Expr{numeral(int64(nulls), table.Of(table.Integer))},
		Else: among(0, ranges-1), Result: table.Of(table.Integer),
	}
}

func numeral(n int64, t table.Type) expr.Expr {
	return &expr.Const{SQL: fmt.Sprintf("CAST(%d AS %s)", n, t.SQL()), Result: t}
}
