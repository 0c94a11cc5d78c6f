package distplan

import (
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// outcomes is a set of what a condition may be over some rows.
type outcomes uint8

const (
	canTrue outcomes = 1 << iota
	canFalse
	canNull

	canAny = canTrue | canFalse | canNull
)

// A test says what a condition may be over the rows of unit g of a file. Its set may be too large, never too small.
type test func(f *table.File, g int) outcomes

// compile reads a condition over a scan's columns; nil when nothing can be said of it, as of casts, which may fail or
// change the order, of functions (a collation is one), and of constants that have no table.Value.
func compile(e expr.Expr, scan *operator.Scan) test {
	switch e := e.(type) {
	case *expr.Const:
		if e.Result.ID == table.Boolean {
			return constantTest(e)
		}
	case *expr.Compare:
		return compileCompare(e, scan)
	case *expr.Between:
		return compileBetween(e, scan)
	case *expr.Logical:
		return compileLogical(e, scan)
	case *expr.Operator:
		return compileOperator(e, scan)
	}
	return nil
}

func constantTest(c *expr.Const) test {
	of := canAny
	switch {
	case c.Null:
		of = canNull
	case strings.EqualFold(c.SQL, "true"):
		of = canTrue
	case strings.EqualFold(c.SQL, "false"):
		of = canFalse
	}
	return func(*table.File, int) outcomes { return of }
}

// scanColumnOf returns the table's column that e is, < 0 for anything else.
func scanColumnOf(e expr.Expr, scan *operator.Scan) int {
	r, ok := e.(*expr.Ref)
	if !ok || r.Index < 0 || r.Index >= len(scan.Columns) {
		return -1
	}
	return scan.Columns[r.Index]
}

// valueOf reads a constant of the type; null is a NULL, which is no value.
func valueOf(e expr.Expr, t table.Type) (v table.Value, null, ok bool) {
	c, ok := e.(*expr.Const)
	if !ok || !c.Result.Equal(t) || !t.Ordered() {
		return table.Value{}, false, false
	}
	if c.Null {
		return table.Value{}, true, true
	}
	text := c.SQL
	if inner, cast := strings.CutPrefix(text, "CAST("); cast {
		if inner, cast = strings.CutSuffix(inner, " AS "+t.SQL()+")"); !cast {
			return table.Value{}, false, false
		}
		text = inner
	}
	if inner, quoted := strings.CutPrefix(text, "'"); quoted {
		inner, quoted = strings.CutSuffix(inner, "'")
		if !quoted || strings.Contains(strings.ReplaceAll(inner, "''", ""), "'") {
			return table.Value{}, false, false
		}
		text = strings.ReplaceAll(inner, "''", "'")
	} else if t.ID == table.Varchar {
		return table.Value{}, false, false // an expression such as 'a' || chr(0)
	}
	v, ok = table.ParseValue(text, t)
	return v, false, ok
}

func compileCompare(e *expr.Compare, scan *operator.Scan) test {
	column, constant, op := e.Left, e.Right, e.Op
	if scanColumnOf(column, scan) < 0 {
		column, constant, op = constant, column, mirrored(op)
	}
	c := scanColumnOf(column, scan)
	if c < 0 {
		return nil
	}
	v, null, ok := valueOf(constant, scan.Table.Columns[c].Type)
	if !ok {
		return nil
	}
	switch {
	case null && op == expr.NotDistinctFrom:
		return nullTest(c, canTrue, canFalse)
	case null && op == expr.DistinctFrom:
		return nullTest(c, canFalse, canTrue)
	case null:
		return func(*table.File, int) outcomes { return canNull }
	}
	return func(f *table.File, g int) outcomes { return compareWith(f.Zone(c).At(g), op, v) }
}

// mirrored is the comparison with its sides exchanged.
func mirrored(op expr.CompareOp) expr.CompareOp {
	switch op {
	case expr.Less:
		return expr.Greater
	case expr.Greater:
		return expr.Less
	case expr.LessOrEqual:
		return expr.GreaterOrEqual
	case expr.GreaterOrEqual:
		return expr.LessOrEqual
	}
	return op
}

// compareWith says what value op v may be for values within the bounds. Bounds may be wider than the values, so that only
// what lies outside is excluded; equal bounds need not be a value that occurs.
func compareWith(b table.Bounds, op expr.CompareOp, v table.Value) outcomes {
	var of outcomes
	switch {
	case b.Nulls == table.NullsNone:
	case op == expr.DistinctFrom:
		of |= canTrue
	case op == expr.NotDistinctFrom:
		of |= canFalse
	default:
		of |= canNull
	}
	if b.Nulls == table.NullsOnly {
		return of
	}
	if !b.Known {
		return of | canTrue | canFalse
	}
	below, above := b.Min.Compare(v), b.Max.Compare(v)
	inside := below <= 0 && above >= 0
	var yes, no bool
	switch op {
	case expr.Equal, expr.NotDistinctFrom:
		yes, no = inside, below != 0 || above != 0
	case expr.NotEqual, expr.DistinctFrom:
		yes, no = below != 0 || above != 0, inside
	case expr.Less:
		yes, no = below < 0, above >= 0
	case expr.LessOrEqual:
		yes, no = below <= 0, above > 0
	case expr.Greater:
		yes, no = above > 0, below <= 0
	case expr.GreaterOrEqual:
		yes, no = above >= 0, below < 0
	default:
		return canAny
	}
	if yes {
		of |= canTrue
	}
	if no {
		of |= canFalse
	}
	return of
}

func compileBetween(e *expr.Between, scan *operator.Scan) test {
	lower, upper := expr.GreaterOrEqual, expr.LessOrEqual
	if !e.LowerInclusive {
		lower = expr.Greater
	}
	if !e.UpperInclusive {
		upper = expr.Less
	}
	return conjunction([]expr.Expr{
		&expr.Compare{Op: lower, Left: e.Input, Right: e.Lower}, &expr.Compare{Op: upper, Left: e.Input, Right: e.Upper},
	}, false, scan)
}

func compileLogical(e *expr.Logical, scan *operator.Scan) test {
	return conjunction(e.Terms, e.Or, scan)
}

// conjunction combines the sets of AND, or of OR, term by term. A term that nothing is known of may be anything.
func conjunction(terms []expr.Expr, or bool, scan *operator.Scan) test {
	var tests []test
	unknown := false
	for _, term := range terms {
		if t := compile(term, scan); t != nil {
			tests = append(tests, t)
		} else {
			unknown = true
		}
	}
	if len(tests) == 0 || or && unknown {
		return nil
	}
	// For AND, false wins over NULL over true; for OR, true over NULL over false.
	strong, weak := canFalse, canTrue
	if or {
		strong, weak = weak, strong
	}
	return func(f *table.File, g int) outcomes {
		all := weak
		if unknown {
			all = canAny
		}
		for _, t := range tests {
			all = both(all, t(f, g), strong, weak)
		}
		return all
	}
}

func both(a, b, strong, weak outcomes) outcomes {
	var of outcomes
	of |= (a | b) & strong
	if a&weak != 0 && b&weak != 0 {
		of |= weak
	}
	if a&canNull != 0 && b&(weak|canNull) != 0 || b&canNull != 0 && a&(weak|canNull) != 0 {
		of |= canNull
	}
	return of
}

func compileOperator(e *expr.Operator, scan *operator.Scan) test {
	switch e.Kind {
	case expr.IsNull, expr.IsNotNull:
		c := scanColumnOf(e.Operands[0], scan)
		switch {
		case c < 0:
			return nil
		case e.Kind == expr.IsNull:
			return nullTest(c, canTrue, canFalse)
		}
		return nullTest(c, canFalse, canTrue)
	case expr.Not:
		t := compile(e.Operands[0], scan)
		if t == nil {
			return nil
		}
		return negated(t)
	case expr.In, expr.NotIn:
		equals := make([]expr.Expr, 0, len(e.Operands)-1)
		for _, o := range e.Operands[1:] {
			equals = append(equals, &expr.Compare{Op: expr.Equal, Left: e.Operands[0], Right: o})
		}
		t := conjunction(equals, true, scan)
		if t == nil || e.Kind == expr.In {
			return t
		}
		return negated(t)
	}
	return nil
}

func negated(t test) test {
	return func(f *table.File, g int) outcomes {
		of := t(f, g)
		out := of & canNull
		if of&canTrue != 0 {
			out |= canFalse
		}
		if of&canFalse != 0 {
			out |= canTrue
		}
		return out
	}
}

// nullTest tells whether a column is NULL: null is the outcome for NULLs, value that for values.
func nullTest(c int, null, value outcomes) test {
	return func(f *table.File, g int) outcomes {
		switch f.Zone(c).At(g).Nulls {
		case table.NullsNone:
			return value
		case table.NullsOnly:
			return null
		}
		return null | value
	}
}
