package planjson

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

// windowNames are SQL's names of DuckDB's own window functions.
var windowNames = map[string]string{
	"WINDOW_ROW_NUMBER": "row_number", "WINDOW_RANK": "rank", "WINDOW_RANK_DENSE": "dense_rank", "WINDOW_NTILE": "ntile",
	"WINDOW_PERCENT_RANK": "percent_rank", "WINDOW_CUME_DIST": "cume_dist", "WINDOW_LEAD": "lead", "WINDOW_LAG": "lag",
	"WINDOW_FIRST_VALUE": "first_value", "WINDOW_LAST_VALUE": "last_value", "WINDOW_NTH_VALUE": "nth_value",
}

func (d *decoder) windowExpr(e *rawExpr, in []table.Type) (*expr.Window, error) {
	if e == nil || e.Class != "BOUND_WINDOW" {
		return nil, unread("a window function that is none")
	}
	t, err := typeOf(e.ReturnType)
	if err != nil {
		return nil, err
	}
	w := &expr.Window{Exclude: e.Exclude, IgnoreNulls: e.IgnoreNulls, Distinct: e.Distinct, Result: t}
	if e.Type == "WINDOW_AGGREGATE" {
		w.Name, w.Aggregate = e.Name, true
		w.Args, err = d.function(e, in)
	} else {
		name, ok := windowNames[e.Type]
		if !ok {
			return nil, unread("window function %s", e.Type)
		}
		w.Name = name
		w.Args, err = d.windowArgs(e, in)
	}
	if err != nil {
		return nil, err
	}
	if w.Partitions, err = d.exprs(e.Partitions, in); err != nil {
		return nil, err
	}
	if w.Orders, err = d.orders(e.Orders, in); err != nil {
		return nil, err
	}
	if w.ArgOrders, err = d.orders(e.ArgOrders, in); err != nil {
		return nil, err
	}
	if w.Filter, err = d.optional(e.Filters, in); err != nil {
		return nil, err
	}
	w.Start.Kind, w.End.Kind = e.Start, e.End
	if w.Start.Expr, err = d.optional(e.StartExpr, in); err != nil {
		return nil, err
	}
	w.End.Expr, err = d.optional(e.EndExpr, in)
	return w, err
}

// windowArgs adds the offset and default of LEAD and LAG, which stand apart from the arguments.
func (d *decoder) windowArgs(e *rawExpr, in []table.Type) ([]expr.Expr, error) {
	args, err := d.exprs(e.Children, in)
	if err != nil || (e.OffsetExpr == nil && e.DefaultExpr == nil) {
		return args, err
	}
	if e.Type != "WINDOW_LEAD" && e.Type != "WINDOW_LAG" {
		return nil, unread("%s with an offset", e.Type)
	}
	var offset expr.Expr = &expr.Const{SQL: "CAST(1 AS BIGINT)", Result: table.Of(table.BigInt)}
	if e.OffsetExpr != nil {
		if offset, err = d.expr(e.OffsetExpr, in); err != nil {
			return nil, err
		}
	}
	args = append(args, offset)
	if e.DefaultExpr != nil {
		def, err := d.expr(e.DefaultExpr, in)
		if err != nil {
			return nil, err
		}
		args = append(args, def)
	}
	return args, nil
}
