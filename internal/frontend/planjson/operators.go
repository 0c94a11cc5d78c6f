package planjson

import (
	"slices"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

func (d *decoder) filter(o *rawOp, s *scope) (operator.Node, error) {
	child, err := d.child(o, s)
	if err != nil {
		return nil, err
	}
	in := child.Types()
	conditions, err := d.exprList(o, in)
	if err != nil {
		return nil, err
	}
	project, err := positions(o.ProjectionMap, len(in))
	if err != nil {
		return nil, err
	}
	return &operator.Filter{Estimated: noEstimate, Child: child, Conditions: conditions, Project: project}, nil
}

func (d *decoder) project(o *rawOp, s *scope) (operator.Node, error) {
	child, err := d.child(o, s)
	if err != nil {
		return nil, err
	}
	exprs, err := d.exprList(o, child.Types())
	if err != nil {
		return nil, err
	}
	return &operator.Project{Estimated: noEstimate, Child: child, Exprs: exprs}, nil
}

func (d *decoder) aggregate(o *rawOp, s *scope) (operator.Node, error) {
	child, err := d.child(o, s)
	if err != nil {
		return nil, err
	}
	in := child.Types()
	n := &operator.Aggregate{Estimated: noEstimate, Child: child, GroupingCalls: o.GroupingFuncs}
	if n.Groups, err = d.exprs(o.Groups, in); err != nil {
		return nil, err
	}
	var raw []*rawExpr
	if err := strict(orEmpty(o.Expressions), &raw); err != nil {
		return nil, unread("aggregates: %v", err)
	}
	for _, r := range raw {
		a, err := d.aggregateExpr(r, in)
		if err != nil {
			return nil, err
		}
		n.Aggregates = append(n.Aggregates, a)
	}
	for _, set := range append(slices.Clone(o.GroupingSets), o.GroupingFuncs...) {
		for _, g := range set {
			if g < 0 || g >= len(n.Groups) {
				return nil, unread("grouping set with group %d of %d", g, len(n.Groups))
			}
		}
	}
	if !oneSet(o.GroupingSets, len(n.Groups)) {
		n.Sets = o.GroupingSets
	}
	if len(n.GroupingCalls) == 0 {
		n.GroupingCalls = nil
	}
	return n, nil
}

// oneSet reports whether the grouping sets say no more than GROUP BY all groups.
func oneSet(sets [][]int, groups int) bool {
	if len(sets) == 0 {
		return true
	}
	if len(sets) > 1 {
		return false
	}
	seen := map[int]bool{}
	for _, g := range sets[0] {
		seen[g] = true
	}
	return len(seen) == groups
}

func (d *decoder) distinct(o *rawOp, s *scope) (operator.Node, error) {
	child, err := d.child(o, s)
	if err != nil {
		return nil, err
	}
	in := child.Types()
	targets, err := d.exprs(o.DistinctTargets, in)
	if err != nil {
		return nil, err
	}
	n := &operator.Distinct{Estimated: noEstimate, Child: child}
	switch o.DistinctType {
	case "DISTINCT":
		if !everyColumn(targets, len(in)) {
			return nil, unread("DISTINCT of some columns")
		}
		return n, nil
	case "DISTINCT_ON":
		if len(targets) == 0 {
			return nil, unread("DISTINCT ON nothing")
		}
		n.On = targets
		if o.OrderBy != nil {
			n.OrderBy, err = d.orders(o.OrderBy.Orders, in)
		}
		return n, err
	}
	return nil, unread("distinct type %s", o.DistinctType)
}

func everyColumn(targets []expr.Expr, width int) bool {
	seen := map[int]bool{}
	for _, t := range targets {
		r, ok := t.(*expr.Ref)
		if !ok {
			return false
		}
		seen[r.Index] = true
	}
	return len(seen) == width
}

func (d *decoder) order(o *rawOp, s *scope) (operator.Node, error) {
	child, err := d.child(o, s)
	if err != nil {
		return nil, err
	}
	in := child.Types()
	by, err := d.orders(o.Orders, in)
	if err != nil {
		return nil, err
	}
	project, err := positions(o.Projections, len(in))
	if err != nil {
		return nil, err
	}
	return &operator.Order{Estimated: noEstimate, Child: child, By: by, Project: project}, nil
}

func (d *decoder) topN(o *rawOp, s *scope) (operator.Node, error) {
	child, err := d.child(o, s)
	if err != nil {
		return nil, err
	}
	by, err := d.orders(o.Orders, child.Types())
	if err != nil {
		return nil, err
	}
	n := &operator.TopN{Estimated: noEstimate, Child: child, By: by}
	if o.Limit == nil || *o.Limit > maxInt || (o.Offset != nil && *o.Offset > maxInt) {
		return nil, unread("a TOP_N without a limit")
	}
	n.Limit = int64(*o.Limit)
	if o.Offset != nil {
		n.Offset = int64(*o.Offset)
	}
	return n, nil
}

const maxInt = uint64(1<<63 - 1)

func (d *decoder) limit(o *rawOp, s *scope) (operator.Node, error) {
	child, err := d.child(o, s)
	if err != nil {
		return nil, err
	}
	n := &operator.Limit{Estimated: noEstimate, Child: child}
	if n.Limit, err = limitOf(o.LimitVal, -1); err != nil {
		return nil, err
	}
	n.Offset, err = limitOf(o.OffsetVal, 0)
	return n, err
}

var setKinds = map[string]operator.SetKind{
	"LOGICAL_UNION": operator.Union, "LOGICAL_EXCEPT": operator.Except, "LOGICAL_INTERSECT": operator.Intersect,
}

func (d *decoder) setOp(o *rawOp, s *scope) (operator.Node, error) {
	n := &operator.SetOp{Estimated: noEstimate, Kind: setKinds[o.Type], All: o.SetopAll}
	if len(o.Children) == 1 && n.Kind == operator.Union {
		// The optimiser took away the branches that it proved to be empty.
		child, err := d.node(o.Children[0], s)
		if err != nil || n.All {
			return child, err
		}
		return &operator.Distinct{Estimated: noEstimate, Child: child}, nil
	}
	if len(o.Children) < 2 || (len(o.Children) > 2 && n.Kind != operator.Union) {
		return nil, unread("%s with %d inputs", o.Type, len(o.Children))
	}
	for _, c := range o.Children {
		in, err := d.node(c, s)
		if err != nil {
			return nil, err
		}
		n.Inputs = append(n.Inputs, in)
		if len(in.Types()) != len(n.Inputs[0].Types()) {
			return nil, unread("%s of inputs with different columns", o.Type)
		}
	}
	return n, nil
}

func (d *decoder) window(o *rawOp, s *scope) (operator.Node, error) {
	child, err := d.child(o, s)
	if err != nil {
		return nil, err
	}
	var raw []*rawExpr
	if err := strict(orEmpty(o.Expressions), &raw); err != nil {
		return nil, unread("window functions: %v", err)
	}
	n := &operator.Window{Estimated: noEstimate, Child: child}
	for _, r := range raw {
		w, err := d.windowExpr(r, child.Types())
		if err != nil {
			return nil, err
		}
		n.Windows = append(n.Windows, w)
	}
	return n, nil
}
