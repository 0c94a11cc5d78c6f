package sqltext

import (
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

// narrowOperands makes DuckDB's binder come to the planned width of a decimal sum or difference by itself. It had widened
// every operand to the result's width; bound again, operands of width w would give w+1, and the cast back to w costs a
// check a row (an eighth of TPC-H Q1). So an operand that is visibly narrower is printed as DECIMAL(w−1).
func narrowOperands(e *expr.Call) []expr.Expr {
	t := e.Result
	if (e.Name != "+" && e.Name != "-") || len(e.Args) != 2 || t.ID != table.Decimal || t.Width <= t.Scale+1 {
		return e.Args
	}
	narrow := table.DecimalOf(t.Width-1, t.Scale)
	args := make([]expr.Expr, len(e.Args))
	for i, a := range e.Args {
		args[i] = narrowed(a, t, narrow)
	}
	return args
}

func narrowed(e expr.Expr, from, to table.Type) expr.Expr {
	if !e.Type().Equal(from) {
		return e
	}
	room := int(to.Width) - int(to.Scale)
	switch e := e.(type) {
	case *expr.Const:
		digits, ok := strings.CutPrefix(e.SQL, "CAST('")
		if !ok {
			return e
		}
		if digits, ok = strings.CutSuffix(digits, "' AS "+from.SQL()+")"); !ok {
			return e
		}
		whole, _, _ := strings.Cut(strings.TrimPrefix(digits, "-"), ".")
		if len(whole) > room || strings.Trim(whole, "0123456789") != "" {
			return e
		}
		return &expr.Const{SQL: "CAST('" + digits + "' AS " + to.SQL() + ")", Result: to}
	case *expr.Cast:
		if e.Try || wholeDigits(e.Child.Type(), from.Scale) > room {
			return e
		}
		return &expr.Cast{Child: e.Child, Result: to}
	}
	return e
}

// wholeDigits is how many digits before the point a value of a type can have; many where that is not bounded or where a
// conversion to the scale could round up to one more.
func wholeDigits(t table.Type, scale uint8) int {
	switch t.ID {
	case table.TinyInt, table.UTinyInt:
		return 3
	case table.SmallInt, table.USmallInt:
		return 5
	case table.Integer, table.UInteger:
		return 10
	case table.BigInt:
		return 19
	case table.UBigInt:
		return 20
	case table.Decimal:
		if t.Scale <= scale {
			return int(t.Width) - int(t.Scale)
		}
	}
	return 1000
}
