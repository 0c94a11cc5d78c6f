package sqltext

import (
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

var comparisons = map[expr.CompareOp]bool{
	expr.Equal: true, expr.NotEqual: true, expr.Less: true, expr.Greater: true, expr.LessOrEqual: true,
	expr.GreaterOrEqual: true, expr.DistinctFrom: true, expr.NotDistinctFrom: true,
}

// Expr prints one scalar expression over columns given as SQL text.
func Expr(e expr.Expr, cols []string) (string, error) { return printExpr(e, cols) }

// printExpr prints one scalar expression. The text is always self-contained: a literal, a call, or parenthesised.
func printExpr(e expr.Expr, cols []string) (string, error) {
	switch e := e.(type) {
	case *expr.Ref:
		if e.Index < 0 || e.Index >= len(cols) {
			return "", unprintable("column %d of %d", e.Index, len(cols))
		}
		return cols[e.Index], nil
	case *expr.Const:
		if e.SQL == "" {
			return "", unprintable("constant of type %s", e.Result.ID)
		}
		return e.SQL, nil
	case *expr.Call:
		return printCall(e, cols)
	case *expr.Cast:
		child, err := printExpr(e.Child, cols)
		if err != nil {
			return "", err
		}
		if e.Try {
			if child, err = cast(child, e.Result); err != nil {
				return "", err
			}
			return "TRY_" + child, nil
		}
		return cast(child, e.Result)
	case *expr.Compare:
		if !comparisons[e.Op] {
			return "", unprintable("comparison %q", e.Op)
		}
		sides, err := exprs(e.Children(), cols)
		if err != nil {
			return "", err
		}
		return "(" + sides[0] + " " + string(e.Op) + " " + sides[1] + ")", nil
	case *expr.Between:
		return printBetween(e, cols)
	case *expr.Logical:
		if b := betweenOf(e); b != nil {
			return printBetween(b, cols)
		}
		terms, err := exprs(e.Terms, cols)
		if err != nil {
			return "", err
		}
		if len(terms) == 0 {
			return "", unprintable("conjunction of nothing")
		}
		word := " AND "
		if e.Or {
			word = " OR "
		}
		return "(" + strings.Join(terms, word) + ")", nil
	case *expr.Operator:
		return printOperator(e, cols)
	case *expr.Case:
		return printCase(e, cols)
	}
	return "", unprintable("expression %T", e)
}

// betweenOf puts "x >= a AND x <= b" together again, which is how a plan holds BETWEEN. It means the same; but DuckDB's
// optimiser takes conditions apart that several branches of an OR share, and estimates rows by what it finds: text that
// reads as the statement did is optimised as the statement was.
func betweenOf(e *expr.Logical) *expr.Between {
	if e.Or || len(e.Terms) != 2 {
		return nil
	}
	low, okLow := e.Terms[0].(*expr.Compare)
	high, okHigh := e.Terms[1].(*expr.Compare)
	if !okLow || !okHigh || low.Op != expr.GreaterOrEqual || high.Op != expr.LessOrEqual ||
		!expr.Same(low.Left, high.Left) || expr.HasVolatile(low.Left) {
		return nil
	}
	return &expr.Between{Input: low.Left, Lower: low.Right, Upper: high.Right, LowerInclusive: true, UpperInclusive: true}
}

func printBetween(e *expr.Between, cols []string) (string, error) {
	parts, err := exprs(e.Children(), cols)
	if err != nil {
		return "", err
	}
	if e.LowerInclusive && e.UpperInclusive {
		return "(" + parts[0] + " BETWEEN " + parts[1] + " AND " + parts[2] + ")", nil
	}
	if expr.HasVolatile(e.Input) {
		return "", unprintable("volatile operand of a half-open BETWEEN") // it would be computed twice
	}
	low, high := " > ", " < "
	if e.LowerInclusive {
		low = " >= "
	}
	if e.UpperInclusive {
		high = " <= "
	}
	return "(" + parts[0] + low + parts[1] + " AND " + parts[0] + high + parts[2] + ")", nil
}

func printOperator(e *expr.Operator, cols []string) (string, error) {
	args, err := exprs(e.Operands, cols)
	if err != nil {
		return "", err
	}
	n := len(args)
	switch {
	case e.Kind == expr.Not && n == 1:
		return "(NOT " + args[0] + ")", nil
	case (e.Kind == expr.IsNull || e.Kind == expr.IsNotNull) && n == 1:
		return "(" + args[0] + " " + string(e.Kind) + ")", nil
	case (e.Kind == expr.In || e.Kind == expr.NotIn) && n >= 2:
		return "(" + args[0] + " " + string(e.Kind) + " (" + strings.Join(args[1:], ", ") + "))", nil
	case e.Kind == expr.Coalesce && n >= 1, e.Kind == expr.NullIf && n == 2, e.Kind == expr.TryOp && n == 1:
		return string(e.Kind) + "(" + strings.Join(args, ", ") + ")", nil
	}
	return "", unprintable("operator %s of %d", e.Kind, n)
}

func printCase(e *expr.Case, cols []string) (string, error) {
	if len(e.When) == 0 || len(e.When) != len(e.Then) {
		return "", unprintable("CASE of %d conditions and %d results", len(e.When), len(e.Then))
	}
	var b strings.Builder
	b.WriteString("CASE")
	for i := range e.When {
		pair, err := exprs([]expr.Expr{e.When[i], e.Then[i]}, cols)
		if err != nil {
			return "", err
		}
		b.WriteString(" WHEN " + pair[0] + " THEN " + pair[1])
	}
	if e.Else != nil {
		text, err := printExpr(e.Else, cols)
		if err != nil {
			return "", err
		}
		b.WriteString(" ELSE " + text)
	}
	b.WriteString(" END")
	return b.String(), nil
}

// cast prints CAST(text AS type), or fails for a type that SQL cannot name.
func cast(text string, t table.Type) (string, error) {
	if err := nameable(t); err != nil {
		return "", err
	}
	return "CAST(" + text + " AS " + t.SQL() + ")", nil
}

// nameable says whether Type.SQL can be read back by DuckDB as the same type.
func nameable(t table.Type) error {
	if t.Alias != "" && t.Alias != "JSON" {
		return unprintable("type %s", t.Alias)
	}
	switch t.ID {
	case table.Boolean, table.TinyInt, table.SmallInt, table.Integer, table.BigInt, table.HugeInt, table.UTinyInt,
		table.USmallInt, table.UInteger, table.UBigInt, table.UHugeInt, table.Float, table.Double, table.Decimal,
		table.Varchar, table.Blob, table.Bit, table.BigNum, table.Date, table.Time, table.TimeNS, table.TimeTZ,
		table.Timestamp, table.TimestampS, table.TimestampMS, table.TimestampNS, table.TimestampTZ, table.Interval,
		table.UUID, table.Null:
		return nil
	case table.Enum:
		if len(t.Labels) == 0 {
			return unprintable("ENUM without labels")
		}
		return nil
	case table.List, table.Array, table.Map, table.Struct, table.Union:
		if len(t.Fields) == 0 {
			return unprintable("type %s without members", t.ID)
		}
		for _, f := range t.Fields {
			if f.Name == "" && (t.ID == table.Struct || t.ID == table.Union) {
				return unprintable("unnamed member of a %s", t.ID)
			}
			if err := nameable(f.Type); err != nil {
				return err
			}
		}
		return nil
	}
	return unprintable("type %s", t.ID)
}
