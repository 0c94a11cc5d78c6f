package planjson

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

var compareOps = map[string]expr.CompareOp{
	"COMPARE_EQUAL": expr.Equal, "COMPARE_NOTEQUAL": expr.NotEqual, "COMPARE_LESSTHAN": expr.Less,
	"COMPARE_GREATERTHAN": expr.Greater, "COMPARE_LESSTHANOREQUALTO": expr.LessOrEqual,
	"COMPARE_GREATERTHANOREQUALTO": expr.GreaterOrEqual, "COMPARE_DISTINCT_FROM": expr.DistinctFrom,
	"COMPARE_NOT_DISTINCT_FROM": expr.NotDistinctFrom,
}

var operatorKinds = map[string]expr.OperatorKind{
	"OPERATOR_NOT": expr.Not, "OPERATOR_IS_NULL": expr.IsNull, "OPERATOR_IS_NOT_NULL": expr.IsNotNull, "COMPARE_IN": expr.In,
	"COMPARE_NOT_IN": expr.NotIn, "OPERATOR_COALESCE": expr.Coalesce, "OPERATOR_NULLIF": expr.NullIf, "OPERATOR_TRY": expr.TryOp,
}

func (d *decoder) exprs(raw []*rawExpr, in []table.Type) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(raw))
	for i, r := range raw {
		var err error
		if out[i], err = d.expr(r, in); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// optional reads an expression that may be missing.
func (d *decoder) optional(r *rawExpr, in []table.Type) (expr.Expr, error) {
	if r == nil {
		return nil, nil
	}
	return d.expr(r, in)
}

// expr reads a scalar expression over columns of the given types.
func (d *decoder) expr(e *rawExpr, in []table.Type) (expr.Expr, error) {
	if e == nil {
		return nil, unread("an expression is missing")
	}
	switch e.Class {
	case "BOUND_REF":
		return ref(e, in)
	case "BOUND_CONSTANT":
		return constant(e.Value)
	case "BOUND_COMPARISON":
		return d.compare(e, in)
	case "BOUND_CONJUNCTION":
		terms, err := d.exprs(e.Children, in)
		if err != nil {
			return nil, err
		}
		if len(terms) == 0 || (e.Type != "CONJUNCTION_AND" && e.Type != "CONJUNCTION_OR") {
			return nil, unread("%s of %d terms", e.Type, len(terms))
		}
		return &expr.Logical{Or: e.Type == "CONJUNCTION_OR", Terms: terms}, nil
	case "BOUND_CAST":
		return d.cast(e, in)
	case "BOUND_BETWEEN":
		list, err := d.exprs([]*rawExpr{e.Input, e.Lower, e.Upper}, in)
		if err != nil {
			return nil, err
		}
		return &expr.Between{Input: list[0], Lower: list[1], Upper: list[2], LowerInclusive: e.LowerInclusive,
			UpperInclusive: e.UpperInclusive}, nil
	case "BOUND_CASE":
		return d.caseExpr(e, in)
	case "BOUND_OPERATOR":
		return d.operator(e, in)
	case "BOUND_FUNCTION":
		return d.call(e, in)
	}
	return nil, unread("expression %s", e.Class)
}

func ref(e *rawExpr, in []table.Type) (expr.Expr, error) {
	t, err := typeOf(e.ReturnType)
	if err != nil {
		return nil, err
	}
	if e.Index == nil || *e.Index >= uint64(len(in)) {
		return nil, unread("a reference outside of its input's %d columns", len(in))
	}
	return &expr.Ref{Index: int(*e.Index), Result: t}, nil
}

func (d *decoder) compare(e *rawExpr, in []table.Type) (expr.Expr, error) {
	op, ok := compareOps[e.Type]
	if !ok {
		return nil, unread("comparison %s", e.Type)
	}
	sides, err := d.exprs([]*rawExpr{e.Left, e.Right}, in)
	if err != nil {
		return nil, err
	}
	return &expr.Compare{Op: op, Left: sides[0], Right: sides[1]}, nil
}

func (d *decoder) cast(e *rawExpr, in []table.Type) (expr.Expr, error) {
	child, err := d.expr(e.Child, in)
	if err != nil {
		return nil, err
	}
	t, err := typeOf(e.ReturnType)
	if err != nil {
		return nil, err
	}
	return &expr.Cast{Child: child, Result: t, Try: e.TryCast}, nil
}

func (d *decoder) caseExpr(e *rawExpr, in []table.Type) (expr.Expr, error) {
	t, err := typeOf(e.ReturnType)
	if err != nil {
		return nil, err
	}
	c := &expr.Case{Result: t}
	for _, check := range e.CaseChecks {
		pair, err := d.exprs([]*rawExpr{check.When, check.Then}, in)
		if err != nil {
			return nil, err
		}
		c.When, c.Then = append(c.When, pair[0]), append(c.Then, pair[1])
	}
	if len(c.When) == 0 {
		return nil, unread("CASE without WHEN")
	}
	c.Else, err = d.expr(e.ElseExpr, in)
	return c, err
}

func (d *decoder) operator(e *rawExpr, in []table.Type) (expr.Expr, error) {
	kind, ok := operatorKinds[e.Type]
	if !ok {
		return nil, unread("operator %s", e.Type)
	}
	t, err := typeOf(e.ReturnType)
	if err != nil {
		return nil, err
	}
	operands, err := d.exprs(e.Children, in)
	if err != nil {
		return nil, err
	}
	if len(operands) == 0 {
		return nil, unread("%s of nothing", e.Type)
	}
	return &expr.Operator{Kind: kind, Operands: operands, Result: t}, nil
}

func (d *decoder) orders(raw []rawOrder, in []table.Type) ([]expr.Order, error) {
	out := make([]expr.Order, len(raw))
	for i, r := range raw {
		e, err := d.expr(r.Expression, in)
		if err != nil {
			return nil, err
		}
		out[i] = expr.Order{Expr: e}
		switch r.Type {
		case "ASCENDING":
		case "DESCENDING":
			out[i].Descending = true
		default:
			return nil, unread("order %q", r.Type)
		}
		switch r.NullOrder {
		case "NULLS FIRST", "NULLS_FIRST":
			out[i].NullsFirst = true
		case "NULLS LAST", "NULLS_LAST":
		default:
			return nil, unread("order of NULLs %q", r.NullOrder)
		}
	}
	return out, nil
}
