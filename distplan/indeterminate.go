package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// indeterminate reports whether running the tree again may give other rows: its consumers must then all read the same run.
// With several threads DuckDB's order of rows varies from run to run, so everything that depends on it does too. Sums of
// floats vary in their last digits; that counts as the same.
func indeterminate(n operator.Node) bool {
	return !operator.Walk(n, func(n operator.Node) bool {
		switch n := n.(type) {
		case *operator.Limit, *operator.TopN: // which rows, or which of those that tie
			return false
		case *operator.Distinct:
			if n.On != nil {
				return false
			}
		case *operator.Aggregate:
			for _, a := range n.Aggregates {
				if orderSensitive(a.Name) {
					return false
				}
			}
		case *operator.Window:
			for _, w := range n.Windows {
				if !w.Aggregate && !numbersAll(w, n.Child) || w.Aggregate && (orderSensitive(w.Name) || rowFrame(w)) {
					return false
				}
			}
		}
		for _, e := range operator.Exprs(n) {
			if expr.HasVolatile(e) {
				return false
			}
		}
		return true
	})
}

// numbersAll reports whether a window numbers rows in an order by all of their columns: those that tie are the same row.
func numbersAll(w *expr.Window, child operator.Node) bool {
	if w.Name != "row_number" && w.Name != "ntile" || len(w.Partitions)+len(w.ArgOrders) > 0 {
		return false
	}
	for c, t := range child.Types() {
		found := false
		for _, o := range w.Orders {
			ref, ok := o.Expr.(*expr.Ref)
			found = found || ok && ref.Index == c && rangeable(t)
		}
		if !found {
			return false
		}
	}
	return true
}

// orderSensitive are the aggregates whose value may depend on the order of their input, or be any of several (an ORDER BY
// inside leaves ties).
func orderSensitive(name string) bool {
	switch name {
	case "count_star", "count", "count_if", "countif", "sum", "sum_no_overflow", "avg", "mean", "min", "max",
		"bool_and", "bool_or", "bit_and", "bit_or", "bit_xor", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop",
		"var_samp", "corr", "covar_pop", "covar_samp", "median", "quantile", "quantile_cont", "quantile_disc", "product":
		return false
	}
	return true
}

// rowFrame reports whether a window's frame counts rows: among peers, which rows those are depends on their order.
func rowFrame(w *expr.Window) bool {
	for _, kind := range []string{w.Start.Kind, w.End.Kind} {
		switch kind {
		case "CURRENT_ROW_ROWS", "EXPR_PRECEDING_ROWS", "EXPR_FOLLOWING_ROWS":
			return true
		}
	}
	return false
}
