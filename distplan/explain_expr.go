package distplan

import (
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

// textMax bounds one printed expression, so that an IN list of a thousand values does not hide the plan.
const textMax = 160

func nameAt(names []string, i int) string {
	if i < len(names) && names[i] != "" {
		return names[i]
	}
	return fmt.Sprintf("#%d", i)
}

func exprList(list []expr.Expr, names []string, between string) string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = exprText(e, names)
	}
	return strings.Join(texts, between)
}

func exprText(e expr.Expr, names []string) string {
	text := []rune(strings.Join(strings.Fields(rawText(e, names)), " "))
	if len(text) > textMax {
		return string(text[:textMax-1]) + "…"
	}
	return string(text)
}

// rawText prints an expression for people: short, and without the casts that only fix types.
func rawText(e expr.Expr, names []string) string {
	list := func(args []expr.Expr) string {
		texts := make([]string, len(args))
		for i, a := range args {
			texts[i] = rawText(a, names)
		}
		return strings.Join(texts, ", ")
	}
	switch e := e.(type) {
	case *expr.Ref:
		return nameAt(names, e.Index)
	case *expr.Const:
		return constText(e)
	case *expr.Cast:
		return rawText(e.Child, names) + "::" + e.Result.SQL()
	case *expr.Call:
		if len(e.Args) == 2 && !isWord(e.Name) {
			return "(" + rawText(e.Args[0], names) + " " + e.Name + " " + rawText(e.Args[1], names) + ")"
		}
		return e.Name + "(" + list(e.Args) + ")"
	case *expr.Compare:
		return "(" + rawText(e.Left, names) + " " + string(e.Op) + " " + rawText(e.Right, names) + ")"
	case *expr.Between:
		low, high := " < ", " < "
		if e.LowerInclusive {
			low = " <= "
		}
		if e.UpperInclusive {
			high = " <= "
		}
		return "(" + rawText(e.Lower, names) + low + rawText(e.Input, names) + high + rawText(e.Upper, names) + ")"
	case *expr.Logical:
		word := " and "
		if e.Or {
			word = " or "
		}
		texts := make([]string, len(e.Terms))
		for i, t := range e.Terms {
			texts[i] = rawText(t, names)
		}
		return "(" + strings.Join(texts, word) + ")"
	case *expr.Operator:
		return operatorText(e, names, list)
	case *expr.Case:
		return "case(" + list(e.Children()) + ")"
	case *expr.Aggregate:
		return aggregateName(e, names, list)
	case *expr.Window:
		return windowText(e, names, list)
	}
	return fmt.Sprintf("%T", e)
}

func operatorText(e *expr.Operator, names []string, list func([]expr.Expr) string) string {
	switch e.Kind {
	case expr.IsNull, expr.IsNotNull:
		return "(" + rawText(e.Operands[0], names) + " " + strings.ToLower(string(e.Kind)) + ")"
	case expr.In, expr.NotIn:
		return "(" + rawText(e.Operands[0], names) + " " + strings.ToLower(string(e.Kind)) + " (" + list(e.Operands[1:]) + "))"
	}
	return strings.ToLower(string(e.Kind)) + "(" + list(e.Operands) + ")"
}

// aggregateText prints an aggregate whose input has no names to show.
func aggregateText(a *expr.Aggregate) string { return exprText(a, nil) }

func aggregateName(e *expr.Aggregate, names []string, list func([]expr.Expr) string) string {
	text := e.Name + "("
	if e.Name == "count_star" {
		text = "count(*"
	}
	if e.Distinct {
		text += "distinct "
	}
	text += list(e.Args) + orderText(e.OrderBy, names) + ")"
	if e.Filter != nil {
		text += " filter " + rawText(e.Filter, names)
	}
	return text
}

func windowText(e *expr.Window, names []string, list func([]expr.Expr) string) string {
	text := e.Name + "("
	if e.Name == "count_star" {
		text = "count(*"
	}
	text += list(e.Args) + ") over ("
	over := orderText(e.Orders, names)
	if len(e.Partitions) > 0 {
		over = "partition=(" + list(e.Partitions) + ")" + over
	}
	return text + strings.TrimPrefix(over, " ") + ")"
}

func orderText(by []expr.Order, names []string) string {
	if len(by) == 0 {
		return ""
	}
	terms := make([]string, len(by))
	for i, o := range by {
		terms[i] = rawText(o.Expr, names)
		if o.Descending {
			terms[i] += " desc"
		}
		if o.NullsFirst {
			terms[i] += " nulls first"
		}
	}
	return " by=(" + strings.Join(terms, ", ") + ")"
}

// constText takes off the cast around a literal.
func constText(e *expr.Const) string {
	if inner, ok := strings.CutPrefix(e.SQL, "CAST("); ok {
		if inner, ok = strings.CutSuffix(inner, " AS "+e.Result.SQL()+")"); ok {
			if e.Result.ID == table.Decimal {
				inner = strings.Trim(inner, "'")
			}
			return inner
		}
	}
	return e.SQL
}

func isWord(name string) bool {
	for _, r := range name {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}
