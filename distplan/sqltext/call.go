package sqltext

import (
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

// infix are the functions that SQL writes between two operands. Other functions with an operator's name are called by
// their quoted name ("->>"(a, b)), which binds the same function.
var infix = map[string]string{
	"+": "+", "-": "-", "*": "*", "/": "/", "//": "//", "%": "%", "||": "||", "&": "&", "|": "|", "<<": "<<", ">>": ">>",
	"~~": "LIKE", "!~~": "NOT LIKE", "~~*": "ILIKE", "!~~*": "NOT ILIKE", "~~~": "GLOB",
}

func printCall(e *expr.Call, cols []string) (string, error) {
	args, err := exprs(narrowOperands(e), cols)
	if err != nil {
		return "", err
	}
	text, err := callText(e, args)
	if err != nil {
		return "", err
	}
	if recast(e) {
		return cast(text, e.Result)
	}
	return text, nil
}

func callText(e *expr.Call, args []string) (string, error) {
	if word, ok := infix[e.Name]; ok && len(args) == 2 {
		return "(" + args[0] + " " + word + " " + args[1] + ")", nil
	}
	switch e.Name {
	case "-":
		if len(args) == 1 {
			return "(-" + args[0] + ")", nil
		}
	case "struct_pack":
		return named("struct_pack", nil, args, e.Result.Fields)
	case "struct_insert":
		if len(args) > 0 && len(e.Result.Fields) >= len(args)-1 {
			added := e.Result.Fields[len(e.Result.Fields)-len(args)+1:]
			return named("struct_insert", args[:1], args[1:], added)
		}
	case "union_value":
		if len(args) == 1 && len(e.Result.Fields) == 1 {
			return named("union_value", nil, args, e.Result.Fields)
		}
	case "list_aggr", "list_aggregate", "array_aggr", "array_aggregate":
		return listAggregate(e, args)
	}
	arity, ok := scalars()[e.Name]
	if !ok {
		return "", unprintable("function %s", e.Name)
	}
	if !arity.takes(len(args)) {
		return "", unprintable("function %s of %d arguments", e.Name, len(args))
	}
	return table.Quote(e.Name) + "(" + strings.Join(args, ", ") + ")", nil
}

// listAggregate allows only aggregates whose own arguments the binder does not take away.
func listAggregate(e *expr.Call, args []string) (string, error) {
	if len(args) != 2 {
		return "", unprintable("function %s of %d arguments", e.Name, len(args))
	}
	name, ok := e.Args[1].(*expr.Const)
	if !ok {
		return "", unprintable("function %s of an aggregate that is not constant", e.Name)
	}
	for _, simple := range []string{"sum", "min", "max", "avg", "count", "bool_and", "bool_or", "first", "last", "product"} {
		if strings.Contains(name.SQL, "'"+simple+"'") {
			return "list_aggregate(" + args[0] + ", '" + simple + "')", nil
		}
	}
	return "", unprintable("function %s of %s", e.Name, name.SQL)
}

// named prints a call whose arguments carry the names of the result's members.
func named(function string, first, args []string, fields []table.Field) (string, error) {
	if len(fields) != len(args) || len(args) == 0 {
		return "", unprintable("%s of %d arguments for %d members", function, len(args), len(fields))
	}
	list := append([]string(nil), first...)
	for i, a := range args {
		if fields[i].Name == "" {
			return "", unprintable("%s with an unnamed member", function)
		}
		list = append(list, table.Quote(fields[i].Name)+" := "+a)
	}
	return function + "(" + strings.Join(list, ", ") + ")", nil
}

// recast reports whether a bound call must be cast to its planned type. Decimal arithmetic gets its width from its operands
// and from statistics, which may differ where the fragment is bound; error() has no type of its own. Other functions give
// the same type for the same operand types.
func recast(e *expr.Call) bool {
	return e.Result.ID == table.Decimal || (e.Name == "error" && e.Result.ID != table.Null)
}

// aggregateName returns the name to print for an aggregate of so many arguments.
func aggregateName(name string, args int) (string, error) {
	if name == "sum_no_overflow" {
		name = "sum" // the optimiser's variant for sums whose bounds it knows; it cannot be called
	}
	arity, ok := aggregates()[name]
	if !ok {
		return "", unprintable("aggregate %s", name)
	}
	if !arity.takes(args) {
		return "", unprintable("aggregate %s of %d arguments", name, args)
	}
	return table.Quote(name), nil
}
