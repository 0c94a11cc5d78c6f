package plantest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

// A scope is what names mean in an expression.
type scope struct {
	names []string
	types []table.Type
}

func (s scope) ref(name string) (*expr.Ref, bool) {
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		i, err := strconv.Atoi(digits)
		if err != nil || i >= len(s.types) {
			return nil, false
		}
		return &expr.Ref{Index: i, Result: s.types[i]}, true
	}
	for i, n := range s.names {
		if n == name {
			return &expr.Ref{Index: i, Result: s.types[i]}, true
		}
	}
	return nil, false
}

// operators by how tightly they bind, loosest first.
var operators = [][]string{
	{"or"}, {"and"}, {"=", "<>", "<", ">", "<=", ">=", "is", "in"}, {"||", "~~", "!~~"}, {"+", "-"}, {"*", "/", "//", "%"},
}

func (l *lexer) expr(s scope) (expr.Expr, error) { return l.binary(s, 0) }

func (l *lexer) binary(s scope, level int) (expr.Expr, error) {
	if level == len(operators) {
		return l.unary(s)
	}
	left, err := l.binary(s, level+1)
	if err != nil {
		return nil, err
	}
	for {
		op := l.peek()
		found := false
		for _, o := range operators[level] {
			found = found || o == op
		}
		if !found {
			return left, nil
		}
		l.next()
		if left, err = l.apply(s, level, op, left); err != nil {
			return nil, err
		}
	}
}

func (l *lexer) apply(s scope, level int, op string, left expr.Expr) (expr.Expr, error) {
	switch op {
	case "is":
		kind := expr.IsNull
		if l.take("not", "null") {
			kind = expr.IsNotNull
		} else if !l.take("null") {
			return nil, fmt.Errorf("%s: want null after is", l.text)
		}
		return &expr.Operator{Kind: kind, Operands: []expr.Expr{left}, Result: table.Of(table.Boolean)}, nil
	case "in":
		args, err := l.exprs(s)
		if err != nil {
			return nil, err
		}
		return &expr.Operator{Kind: expr.In, Operands: append([]expr.Expr{left}, args...), Result: table.Of(table.Boolean)}, nil
	}
	right, err := l.binary(s, level+1)
	if err != nil {
		return nil, err
	}
	switch op {
	case "or", "and":
		if old, ok := left.(*expr.Logical); ok && old.Or == (op == "or") {
			return &expr.Logical{Or: old.Or, Terms: append(old.Terms, right)}, nil
		}
		return &expr.Logical{Or: op == "or", Terms: []expr.Expr{left, right}}, nil
	case "=", "<>", "<", ">", "<=", ">=":
		return &expr.Compare{Op: expr.CompareOp(op), Left: left, Right: right}, nil
	}
	result := left.Type()
	switch op {
	case "~~", "!~~":
		result = table.Of(table.Boolean)
	case "/":
		result = table.Of(table.Double)
	}
	return &expr.Call{Name: op, Args: []expr.Expr{left, right}, Result: result}, nil
}

// unary reads a column, literal, call, case or parenthesised expression, and the casts behind it.
func (l *lexer) unary(s scope) (expr.Expr, error) {
	e, err := l.primary(s)
	for err == nil && l.take("::") {
		var t table.Type
		if t, err = l.dataType(); err != nil {
			break
		}
		if c, ok := e.(*expr.Const); ok {
			e = &expr.Const{SQL: "CAST(" + literal(c) + " AS " + t.SQL() + ")", Null: c.Null, Result: t}
		} else {
			e = &expr.Cast{Child: e, Result: t}
		}
	}
	return e, err
}

// literal takes off the cast that constant put around.
func literal(c *expr.Const) string {
	return strings.TrimSuffix(strings.TrimPrefix(c.SQL, "CAST("), " AS "+c.Result.SQL()+")")
}

func (l *lexer) primary(s scope) (expr.Expr, error) {
	word := l.next()
	switch {
	case word == "(":
		e, err := l.expr(s)
		if err != nil {
			return nil, err
		}
		return e, l.want(")")
	case word == "null":
		return constant("NULL", table.Null), nil
	case word == "not":
		e, err := l.unary(s)
		return &expr.Operator{Kind: expr.Not, Operands: []expr.Expr{e}, Result: table.Of(table.Boolean)}, err
	case strings.HasPrefix(word, "'"):
		return constant(word, table.Varchar), nil
	case word != "" && unicode.IsDigit(rune(word[0])):
		if strings.Contains(word, ".") {
			return constant(word, table.Double), nil
		}
		return constant(word, table.Integer), nil
	case l.peek() == "(":
		args, err := l.exprs(s)
		if err != nil {
			return nil, err
		}
		result := table.Of(table.Double)
		if len(args) > 0 {
			result = args[0].Type()
		}
		return &expr.Call{Name: word, Args: args, Result: result, Volatile: word == "random" || word == "uuid"}, nil
	}
	if r, ok := s.ref(word); ok {
		return r, nil
	}
	return nil, fmt.Errorf("%s: no column %q", l.text, word)
}

func constant(sql string, id table.TypeID) *expr.Const {
	t := table.Of(id)
	return &expr.Const{SQL: "CAST(" + sql + " AS " + t.SQL() + ")", Null: id == table.Null, Result: t}
}

func (l *lexer) exprs(s scope) ([]expr.Expr, error) {
	var all []expr.Expr
	err := l.list(func() error {
		e, err := l.expr(s)
		all = append(all, e)
		return err
	})
	return all, err
}

// orders reads "(a desc nulls first, b)".
func (l *lexer) orders(s scope) ([]expr.Order, error) {
	var all []expr.Order
	err := l.list(func() error {
		e, err := l.expr(s)
		o := expr.Order{Expr: e, Descending: l.take("desc")}
		o.NullsFirst = l.take("nulls", "first")
		all = append(all, o)
		return err
	})
	return all, err
}

// aggregate reads "sum(distinct a by=(b)) filter=(c > 1)".
func (l *lexer) aggregate(s scope) (*expr.Aggregate, error) {
	a := &expr.Aggregate{Name: l.next()}
	if err := l.want("("); err != nil {
		return nil, err
	}
	if l.take("*") {
		a.Name = "count_star"
	}
	a.Distinct = l.take("distinct")
	for !l.take(")") {
		l.take(",")
		if l.take("by", "=") {
			orders, err := l.orders(s)
			if err != nil {
				return nil, err
			}
			a.OrderBy = orders
			continue
		}
		e, err := l.expr(s)
		if err != nil {
			return nil, err
		}
		a.Args = append(a.Args, e)
	}
	if l.take("filter", "=") {
		conditions, err := l.exprs(s)
		if err != nil || len(conditions) != 1 {
			return nil, fmt.Errorf("%s: want one filter: %v", l.text, err)
		}
		a.Filter = conditions[0]
	}
	result, err := aggregateType(a)
	a.Result = result
	return a, err
}

// aggregateType is DuckDB's result type.
func aggregateType(a *expr.Aggregate) (table.Type, error) {
	switch a.Name {
	case "count_star", "count", "approx_count_distinct":
		return table.Of(table.BigInt), nil
	case "count_if":
		return table.Of(table.HugeInt), nil
	case "bool_and", "bool_or":
		return table.Of(table.Boolean), nil
	}
	if len(a.Args) == 0 {
		return table.Type{}, fmt.Errorf("aggregate %s without argument", a.Name)
	}
	arg := a.Args[0].Type()
	switch a.Name {
	case "sum":
		switch arg.ID {
		case table.Decimal:
			return table.DecimalOf(38, arg.Scale), nil
		case table.Double, table.Float:
			return table.Of(table.Double), nil
		}
		return table.Of(table.HugeInt), nil
	case "avg", "stddev", "var_pop", "median", "quantile_cont":
		return table.Of(table.Double), nil
	case "list":
		return table.Type{ID: table.List, Fields: []table.Field{{Type: arg}}}, nil
	}
	return arg, nil
}
