package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// distinctAggregates rewrites a global aggregate whose functions are all DISTINCT over the same argument:
//
//	aggregate count(DISTINCT x), sum(DISTINCT x)   →   aggregate count(x), sum(x)
//	  child                                              distinct
//	                                                       project x
//	                                                         child
//
// so that the duplicates go where they are, in many tasks, instead of all rows going to one. Grouped ones stay: their
// groups already spread the rows.
func distinctAggregates(n operator.Node) (operator.Node, error) {
	n, err := rewriteChildren(n, distinctAggregates)
	if err != nil {
		return nil, err
	}
	a, ok := n.(*operator.Aggregate)
	if !ok || len(a.Groups) > 0 || !a.Plain() || len(a.Aggregates) == 0 {
		return n, nil
	}
	argument, ok := loneArgument(a.Aggregates)
	if !ok {
		return n, nil
	}
	exprs := []expr.Expr{argument}
	below := &operator.Distinct{
		Estimated: operator.Estimated{Rows: -1},
		Child:     &operator.Project{Estimated: estimated(a.Child), Child: a.Child, Exprs: exprs},
	}
	rewritten := *a
	rewritten.Child = below
	rewritten.Aggregates = nil
	for _, old := range a.Aggregates {
		f := *old
		f.Distinct = false
		f.Args = []expr.Expr{&expr.Ref{Index: 0, Result: argument.Type()}}
		rewritten.Aggregates = append(rewritten.Aggregates, &f)
	}
	return &rewritten, nil
}

// loneArgument returns the one argument that all functions share, when they are all plain DISTINCT ones that can be split.
func loneArgument(list []*expr.Aggregate) (expr.Expr, bool) {
	var argument expr.Expr
	for _, a := range list {
		if !a.Distinct || a.Filter != nil || len(a.OrderBy) > 0 || len(a.Args) != 1 || expr.HasVolatile(a.Args[0]) {
			return nil, false
		}
		plain := *a
		plain.Distinct = false
		if _, ok := splitAggregate(&plain); !ok {
			return nil, false
		}
		if argument == nil {
			argument = a.Args[0]
		} else if !expr.Same(argument, a.Args[0]) {
			return nil, false
		}
	}
	return argument, true
}
