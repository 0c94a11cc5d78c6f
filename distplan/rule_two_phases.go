package distplan

import (
	"sort"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var (
	ruleTwoPhases   = newRule("aggregate: in two phases")
	ruleTwoPhaseAll = newRule("aggregate: in two phases, without groups")
	rulePhasedSets  = newRule("aggregate: grouping sets in two phases")
)

// A split is one aggregate function as two: partials over the rows of a task, finals over the partials of a group. Finals
// name partials by position among this split's own. Result makes the value from the finals; nil = the only final is it.
type split struct {
	partials []*expr.Aggregate
	finals   []*expr.Aggregate
	result   func(finals []expr.Expr, want table.Type) expr.Expr
}

// splitAggregates splits every function of n, or says why that cannot be.
func splitAggregates(n *operator.Aggregate) ([]split, string) {
	parts := make([]split, len(n.Aggregates))
	for i, a := range n.Aggregates {
		p, ok := splitAggregate(a)
		if !ok {
			return nil, aggregateText(a) + " runs in one task: it cannot be computed in parts"
		}
		parts[i] = p
	}
	if !n.Plain() && repeatedSets(n) {
		return nil, "GROUPING SETS with a repeated set run in one task"
	}
	return parts, ""
}

// splitAggregate is the algebra: which functions have parts.
//
// A filter belongs to the partial. DISTINCT changes nothing for functions that do not count repetitions; others would
// count a value once in every task. first, last, list, string_agg and the like depend on order or would take a value
// from a task that had none; variances by sums of squares lose all digits of data far from zero. They stay whole.
func splitAggregate(a *expr.Aggregate) (split, bool) {
	if len(a.OrderBy) > 0 {
		return split{}, false
	}
	switch a.Name {
	case "min", "max", "bool_and", "bool_or", "any_value", "arbitrary":
		if len(a.Args) != 1 || (a.Name == "arbitrary") {
			return split{}, false
		}
		return sameTwice(a), true
	case "bit_and", "bit_or":
		if len(a.Args) != 1 || !integer(a.Result) {
			return split{}, false
		}
		return sameTwice(a), true
	}
	if a.Distinct {
		return split{}, false
	}
	switch a.Name {
	case "bit_xor":
		if len(a.Args) != 1 || !integer(a.Result) {
			return split{}, false
		}
		return sameTwice(a), true
	case "count_star", "count", "count_if", "countif":
		return split{
			partials: []*expr.Aggregate{part(a, a.Name, a.Args, a.Result)},
			finals:   []*expr.Aggregate{whole("sum", 0, a.Result, a.Result)},
		}, true
	case "sum", "sum_no_overflow":
		if len(a.Args) != 1 || !summable(a.Result) {
			return split{}, false
		}
		return split{
			partials: []*expr.Aggregate{part(a, "sum", a.Args, a.Result)},
			finals:   []*expr.Aggregate{whole("sum", 0, a.Result, a.Result)},
		}, true
	case "avg", "mean":
		return splitAverage(a)
	}
	return split{}, false
}

// splitAverage computes avg as a sum and a count of the non-NULLs. DuckDB's avg of integers and decimals is a DOUBLE of an
// exact sum, so the parts add up exactly and one division follows. Other averages (of times, of HUGEINT, whose sum may
// overflow where the average does not) stay whole.
func splitAverage(a *expr.Aggregate) (split, bool) {
	if len(a.Args) != 1 || a.Result.ID != table.Double {
		return split{}, false
	}
	var sum table.Type
	switch t := a.Args[0].Type(); t.ID {
	case table.TinyInt, table.SmallInt, table.Integer, table.BigInt, table.UTinyInt, table.USmallInt, table.UInteger, table.UBigInt:
		sum = table.Of(table.HugeInt)
	case table.Decimal:
		sum = table.DecimalOf(38, t.Scale)
	case table.Double:
		sum = t
	default:
		return split{}, false
	}
	count := table.Of(table.BigInt)
	return split{
		partials: []*expr.Aggregate{part(a, "sum", a.Args, sum), part(a, "count", a.Args, count)},
		finals:   []*expr.Aggregate{whole("sum", 0, sum, sum), whole("sum", 1, count, count)},
		result: func(finals []expr.Expr, want table.Type) expr.Expr {
			double := table.Of(table.Double)
			return &expr.Call{Name: "/", Result: want, Args: []expr.Expr{
				&expr.Cast{Child: finals[0], Result: double}, &expr.Cast{Child: finals[1], Result: double},
			}}
		},
	}, true
}

// sameTwice splits a function that is its own final and ignores NULLs and repetitions.
func sameTwice(a *expr.Aggregate) split {
	return split{
		partials: []*expr.Aggregate{part(a, a.Name, a.Args, a.Result)},
		finals:   []*expr.Aggregate{whole(a.Name, 0, a.Result, a.Result)},
	}
}

func part(a *expr.Aggregate, name string, args []expr.Expr, result table.Type) *expr.Aggregate {
	return &expr.Aggregate{Name: name, Args: args, Filter: a.Filter, Result: result}
}

func whole(name string, partial int, arg, result table.Type) *expr.Aggregate {
	return &expr.Aggregate{Name: name, Args: []expr.Expr{&expr.Ref{Index: partial, Result: arg}}, Result: result}
}

func integer(t table.Type) bool {
	switch t.ID {
	case table.TinyInt, table.SmallInt, table.Integer, table.BigInt, table.HugeInt,
		table.UTinyInt, table.USmallInt, table.UInteger, table.UBigInt, table.UHugeInt:
		return true
	}
	return false
}

// summable are the types of sums whose sum has the same type again.
func summable(t table.Type) bool {
	return t.ID == table.HugeInt || t.ID == table.Double || (t.ID == table.Decimal && t.Width == 38)
}

// twoPhases builds
//
//	project: values from finals, in the order of n's output
//	  aggregate final, by groups (and by set)
//	    exchange hash on them, or gather
//	      aggregate partial
//	        child
//
// With grouping sets the partial also gives the number of the set (GROUPING of all groups), which is part of the key:
// else a group that is NULL in the data would fall together with one that is NULL because its set leaves it out.
func (d *distributor) twoPhases(n *operator.Aggregate, child placed, parts []split) placed {
	switch {
	case !n.Plain():
		d.fired(rulePhasedSets)
	case len(n.Groups) == 0:
		d.fired(ruleTwoPhaseAll)
	default:
		d.fired(ruleTwoPhases)
	}
	partial := *n
	partial.Child, partial.Aggregates, partial.Phase = child.node, nil, operator.Partial
	for _, p := range parts {
		partial.Aggregates = append(partial.Aggregates, p.partials...)
	}
	groups, bigint := len(n.Groups), table.Of(table.BigInt)
	keyTypes := groupTypes(n)
	keyColumns := operator.Pick(nil, groups)
	if !n.Plain() {
		partial.GroupingCalls = append([][]int{operator.Pick(nil, groups)}, n.GroupingCalls...)
		for i := range partial.GroupingCalls {
			keyTypes = append(keyTypes, bigint)
			keyColumns = append(keyColumns, groups+len(partial.Aggregates)+i)
		}
	}
	below := placed{&partial, delivered{partitioning: arbitrary}}
	var exchanged placed
	if groups == 0 {
		exchanged = d.gather(below)
	} else {
		exchanged = d.exchange(below, keyColumns)
	}
	final := &operator.Aggregate{Estimated: estimated(n), Child: exchanged.node, Phase: operator.Final}
	for i, c := range keyColumns {
		final.Groups = append(final.Groups, &expr.Ref{Index: c, Result: keyTypes[i]})
	}
	outputs := refsTo(0, keyTypes[:groups])
	first, direct := groups, true
	for i, p := range parts {
		var finals []expr.Expr
		for _, f := range p.finals {
			base := first
			moved := expr.MapRefs(f, func(r *expr.Ref) expr.Expr {
				return &expr.Ref{Index: base + r.Index, Result: r.Result}
			}).(*expr.Aggregate)
			finals = append(finals, &expr.Ref{Index: len(keyColumns) + len(final.Aggregates), Result: moved.Result})
			final.Aggregates = append(final.Aggregates, moved)
		}
		first += len(p.partials)
		if p.result == nil {
			outputs = append(outputs, finals[0])
		} else {
			outputs = append(outputs, p.result(finals, n.Aggregates[i].Result))
			direct = false
		}
	}
	for i := range n.GroupingCalls {
		outputs = append(outputs, &expr.Ref{Index: groups + 1 + i, Result: bigint})
	}
	out := placed{node: final}
	if groups > 0 {
		out.delivered = delivered{partitioning: hashed, keys: operator.Pick(nil, len(keyColumns)), partitions: exchanged.partitions}
	}
	if direct && n.Plain() {
		return out
	}
	at := func(c int) int { return refPosition(outputs, c) }
	return placed{&operator.Project{Estimated: estimated(n), Child: final, Exprs: outputs}, out.through(at)}
}

// repeatedSets reports whether two grouping sets are the same set: their rows would be taken for one group.
func repeatedSets(n *operator.Aggregate) bool {
	seen := map[string]bool{}
	for _, set := range n.Sets {
		sorted := append([]int(nil), set...)
		sort.Ints(sorted)
		key := ""
		last := -1
		for _, g := range sorted {
			if g != last {
				key += string(rune(g)) + ","
			}
			last = g
		}
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}
