package distplan

import (
	"fmt"
	"slices"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// Narrow changes a plan that is running: the scan that a runtime filter is for, in a stage that has not started, reads only the
// rows whose value is in the summary, and of the row groups only those that may hold some. workers is as in Options.
//
// It returns no plan where that would leave out no row, as far as the catalog knows, and where SQL cannot say a value.
func Narrow(p *Plan, f RuntimeFilter, values table.Summary, workers int) (*Plan, error) {
	stage := p.Stages[f.To]
	old := operator.Scans(stage.Body)[f.Scan]
	condition, ok := conditionOf(f, old.Table.Columns[old.Columns[f.Column]].Type, values)
	if !ok || keepsAll(condition, old) {
		return nil, nil //nolint:nilnil // nothing to filter
	}
	scan := *old
	scan.Skip = skipped(old, []expr.Expr{condition})
	body, err := replaceScan(stage.Body, old, &operator.Filter{Estimated: old.Estimated, Child: &scan, Conditions: []expr.Expr{condition}})
	if err != nil {
		return nil, err
	}
	out := *stage
	out.Body, out.Scans = body, slices.Clone(stage.Scans)
	in := &out.Scans[f.Scan]
	if scan.Skip != nil {
		in.Skip, in.Splits = scan.Skip, splitsOf(scan.Table, scan.Columns, scan.Skip, workers)
		in.Of = len(splitsOf(scan.Table, scan.Columns, nil, workers))
	}
	names := map[*operator.Scan]string{}
	for i, s := range operator.Scans(body) {
		names[s] = out.Scans[i].Name
	}
	if out.Fragment, err = fragmentOf(body, names, out.Output); err != nil {
		return nil, err
	}
	next := *p
	next.Stages = slices.Clone(p.Stages)
	next.Stages[f.To] = &out
	if err := Validate(&next); err != nil {
		return nil, fmt.Errorf("filter a scan of stage %d: %w", f.To, err)
	}
	return &next, nil
}

// conditionOf is the condition on a scan's column of a type that its value be in the summary; not ok when SQL cannot say it.
func conditionOf(f RuntimeFilter, t table.Type, values table.Summary) (expr.Expr, bool) {
	boolean := table.Of(table.Boolean)
	column := &expr.Ref{Index: f.Column, Result: t}
	constants := make([]expr.Expr, len(values.Values))
	for i, v := range values.Values {
		sql, ok := v.SQL(t)
		if !ok {
			return nil, false
		}
		constants[i] = &expr.Const{SQL: sql, Result: t}
	}
	var condition expr.Expr
	switch {
	case len(constants) == 0:
		condition = &expr.Const{SQL: "false", Result: boolean}
	case values.Range:
		condition = &expr.Between{Input: column, Lower: constants[0], Upper: constants[1], LowerInclusive: true, UpperInclusive: true}
	case len(constants) == 1:
		condition = &expr.Compare{Op: expr.Equal, Left: column, Right: constants[0]}
	default:
		condition = &expr.Operator{Kind: expr.In, Operands: append([]expr.Expr{column}, constants...), Result: boolean}
	}
	if f.Nulls {
		isNull := &expr.Operator{Kind: expr.IsNull, Operands: []expr.Expr{column}, Result: boolean}
		condition = &expr.Logical{Or: true, Terms: []expr.Expr{condition, isNull}}
	}
	return condition, true
}

// keepsAll reports whether a condition holds for all rows that a scan has to read, as the catalog knows.
func keepsAll(condition expr.Expr, scan *operator.Scan) bool {
	holds := compile(condition, scan)
	if holds == nil {
		return false
	}
	at := 0
	for i := range scan.Table.Files {
		f := &scan.Table.Files[i]
		for g := range f.Units() {
			if (scan.Skip == nil || !scan.Skip[at]) && holds(f, g) != canTrue {
				return false
			}
			at++
		}
	}
	return true
}

// replaceScan puts a tree where a body has a scan.
func replaceScan(n operator.Node, scan *operator.Scan, tree operator.Node) (operator.Node, error) {
	if s, ok := n.(*operator.Scan); ok && s == scan {
		return tree, nil
	}
	return rewriteChildren(n, func(child operator.Node) (operator.Node, error) { return replaceScan(child, scan, tree) })
}
