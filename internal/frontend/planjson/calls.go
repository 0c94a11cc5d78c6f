package planjson

import (
	"encoding/json"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

// volatile are the scalar functions that give another value for every row or call.
var volatile = map[string]bool{
	"random": true, "uuid": true, "gen_random_uuid": true, "uuidv4": true, "uuidv7": true, "setseed": true, "nextval": true,
	"sleep_ms": true,
}

// shown are the scalar functions whose bind data says no more than their arguments and result type do: decimal arithmetic
// (overflow checks and types), struct constructors (the result's member names), list_aggregate (its constant argument).
var shown = map[string]bool{
	"+": true, "-": true, "*": true, "/": true, "//": true, "%": true, "struct_pack": true, "row": true, "struct_insert": true,
	"list_aggregate": true, "list_aggr": true, "array_aggregate": true, "array_aggr": true,
}

func (d *decoder) call(e *rawExpr, in []table.Type) (expr.Expr, error) {
	t, err := typeOf(e.ReturnType)
	if err != nil {
		return nil, err
	}
	args, err := d.exprs(e.Children, in)
	if err != nil {
		return nil, err
	}
	if e.HasSerialize && !shown[e.Name] {
		return nil, unread("function %s with data of its own", e.Name)
	}
	if erased(e) {
		return nil, unread("function %s whose arguments are not all shown", e.Name)
	}
	return &expr.Call{Name: e.Name, Args: args, Result: t, Volatile: volatile[e.Name]}, nil
}

// erased reports whether the binder took arguments away.
func erased(e *rawExpr) bool {
	if len(e.OriginalArgs) > 0 && len(e.OriginalArgs) != len(e.Children) {
		return true
	}
	for _, a := range e.Arguments {
		if a.ID == "LAMBDA" {
			return true
		}
	}
	return false
}

// function reads what aggregates and aggregate window functions share: the arguments with the erased ones put back.
func (d *decoder) function(e *rawExpr, in []table.Type) ([]expr.Expr, error) {
	args, err := d.exprs(e.Children, in)
	if err != nil {
		return nil, err
	}
	if !e.HasSerialize {
		if len(e.OriginalArgs) > 0 && len(e.OriginalArgs) != len(args) {
			return nil, unread("aggregate %s whose arguments are not all shown", e.Name)
		}
		return args, nil
	}
	back, ok := erasedArguments[e.Name]
	if !ok {
		return nil, unread("aggregate %s with data of its own", e.Name)
	}
	more, err := back(e)
	return append(args, more...), err
}

// erasedArguments reads constant arguments back from the bind data of the aggregates that hide them there.
var erasedArguments = map[string]func(*rawExpr) ([]expr.Expr, error){
	"string_agg": separator, "group_concat": separator, "listagg": separator,
	"quantile_cont": quantiles, "quantile_disc": quantiles, "quantile": quantiles, "median": quantiles,
	"approx_quantile": approximateQuantiles, "reservoir_quantile": approximateQuantiles,
	"bitstring_agg": bounds,
}

func separator(e *rawExpr) ([]expr.Expr, error) {
	var data struct {
		Separator *string `json:"separator"`
	}
	if err := strict(e.FunctionData, &data); err != nil || data.Separator == nil {
		return nil, unread("aggregate %s without its separator", e.Name)
	}
	sql, err := text(*data.Separator)
	if err != nil {
		return nil, err
	}
	return []expr.Expr{&expr.Const{SQL: sql, Result: table.Of(table.Varchar)}}, nil
}

func quantiles(e *rawExpr) ([]expr.Expr, error) {
	var data struct {
		Quantiles []*rawValue     `json:"quantiles"`
		Order     json.RawMessage `json:"order"`
		Desc      bool            `json:"desc"`
	}
	if err := strict(e.FunctionData, &data); err != nil || data.Desc || len(data.Quantiles) == 0 {
		return nil, unread("aggregate %s without its quantiles", e.Name)
	}
	if e.Name == "median" {
		return nil, nil
	}
	values := make([]expr.Expr, len(data.Quantiles))
	for i, q := range data.Quantiles {
		var err error
		if values[i], err = constant(q); err != nil {
			return nil, err
		}
	}
	return oneOrList(e, values)
}

// oneOrList gives the quantile argument back in the shape in which it was written.
func oneOrList(e *rawExpr, values []expr.Expr) ([]expr.Expr, error) {
	if len(e.OriginalArgs) != 2 {
		return nil, unread("aggregate %s of %d arguments", e.Name, len(e.OriginalArgs))
	}
	switch shape := e.OriginalArgs[1].ID; {
	case shape == "LIST" || shape == "ARRAY":
		t := table.Type{ID: table.List, Fields: []table.Field{{Type: values[0].Type()}}}
		return []expr.Expr{&expr.Const{SQL: castTo("["+join(values)+"]", t), Result: t}}, nil
	case len(values) == 1:
		return values, nil
	}
	return nil, unread("aggregate %s of %d quantiles", e.Name, len(values))
}

func join(values []expr.Expr) string {
	sql := ""
	for i, v := range values {
		if i > 0 {
			sql += ", "
		}
		sql += v.(*expr.Const).SQL //nolint:forcetypeassert // All made by constant or number.
	}
	return sql
}

func approximateQuantiles(e *rawExpr) ([]expr.Expr, error) {
	var data struct {
		Quantiles  []float64 `json:"quantiles"`
		SampleSize int64     `json:"sample_size"`
	}
	if err := strict(e.FunctionData, &data); err != nil || len(data.Quantiles) == 0 {
		return nil, unread("aggregate %s without its quantiles", e.Name)
	}
	if e.Name == "reservoir_quantile" && (data.SampleSize != reservoirDefault || len(e.OriginalArgs) != 2) {
		return nil, unread("aggregate %s with a sample size", e.Name)
	}
	values := make([]expr.Expr, len(data.Quantiles))
	for i, q := range data.Quantiles {
		t := table.Of(table.Float)
		values[i] = &expr.Const{SQL: castTo("'"+floatText(q, 32)+"'", t), Result: t}
	}
	return oneOrList(e, values)
}

// reservoirDefault is DuckDB's sample size when none is given.
const reservoirDefault = 8192

func bounds(e *rawExpr) ([]expr.Expr, error) {
	var data struct {
		Min *rawValue `json:"min"`
		Max *rawValue `json:"max"`
	}
	if err := strict(e.FunctionData, &data); err != nil || data.Min == nil || data.Max == nil {
		return nil, unread("aggregate %s without its bounds", e.Name)
	}
	low, err := constant(data.Min)
	if err != nil {
		return nil, err
	}
	high, err := constant(data.Max)
	return []expr.Expr{low, high}, err
}

func (d *decoder) aggregateExpr(e *rawExpr, in []table.Type) (*expr.Aggregate, error) {
	if e == nil || e.Class != "BOUND_AGGREGATE" {
		return nil, unread("an aggregate that is none")
	}
	t, err := typeOf(e.ReturnType)
	if err != nil {
		return nil, err
	}
	a := &expr.Aggregate{Name: e.Name, Result: t}
	switch e.AggregateType {
	case "NON_DISTINCT":
	case "DISTINCT":
		a.Distinct = true
	default:
		return nil, unread("aggregate type %s", e.AggregateType)
	}
	if a.Args, err = d.function(e, in); err != nil {
		return nil, err
	}
	if a.Filter, err = d.optional(e.Filter, in); err != nil {
		return nil, err
	}
	if e.OrderBys != nil {
		a.OrderBy, err = d.orders(e.OrderBys.Orders, in)
	}
	return a, err
}
