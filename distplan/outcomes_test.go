package distplan

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// A cell is a small integer or NULL.
type cell struct {
	n    int64
	null bool
}

// TestOutcomes: whatever a random condition is over random rows is in the set that their bounds tell, and the sets are of
// use: most conditions that are true of no row are found.
func TestOutcomes(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	integer := table.Of(table.Integer)
	tab := &table.Table{Columns: []table.Column{{Name: "a", Type: integer}, {Name: "b", Type: integer}}, Files: []table.File{{Rows: 1}}}
	scan := &operator.Scan{Table: tab, Columns: []int{1, 0}}
	g := conditionGen{rng, integer}
	never, found := 0, 0
	for range 20000 {
		cond := g.condition(3)
		rows := make([][2]cell, 1+rng.IntN(4))
		low, spread, nulls := rng.Int64N(8), 1+rng.Int64N(4), rng.IntN(4)
		for i := range rows {
			for c := range rows[i] {
				rows[i][c] = cell{low + rng.Int64N(spread), nulls == 0 || nulls == 1 && rng.IntN(2) == 0}
			}
		}
		tab.Files[0].Zones = []table.Zone{zoneOf(rows, 0, rng), zoneOf(rows, 1, rng)}
		told := canAny
		if test := compile(cond, scan); test != nil {
			told = test(&tab.Files[0], 0)
		}
		var seen outcomes
		for _, row := range rows {
			seen |= eval(cond, row)
		}
		if seen&^told != 0 {
			t.Fatalf("%#v over %v: is %b, told %b", cond, rows, seen, told)
		}
		if seen&canTrue == 0 {
			never++
			if told&canTrue == 0 {
				found++
			}
		}
	}
	if found*2 < never || never < 1000 {
		t.Errorf("of %d conditions that are never true %d were found", never, found)
	}
}

// zoneOf bounds the rows' column, now and then loosely or not at all.
func zoneOf(rows [][2]cell, c int, rng *rand.Rand) table.Zone {
	b := table.Bounds{Nulls: table.NullsNone}
	count := 0
	for _, r := range rows {
		v := table.Value{Number: r[c].n}
		switch {
		case r[c].null:
			count++
			continue
		case !b.Known:
			b.Min, b.Max, b.Known = v, v, true
		}
		b.Min.Number, b.Max.Number = min(b.Min.Number, v.Number), max(b.Max.Number, v.Number)
	}
	switch {
	case rng.IntN(10) == 0:
		b.Nulls = table.NullsUnknown
	case count == len(rows):
		b.Nulls = table.NullsOnly
	case count > 0:
		b.Nulls = table.NullsSome
	}
	switch rng.IntN(10) {
	case 0:
		b.Known = false
	case 1:
		b.Min.Number--
	}
	var z table.Zone
	z.Add(b, false)
	return z
}

type conditionGen struct {
	*rand.Rand
	typ table.Type
}

func (g conditionGen) constant() expr.Expr {
	if g.IntN(8) == 0 {
		return &expr.Const{SQL: "CAST(NULL AS INTEGER)", Null: true, Result: g.typ}
	}
	return &expr.Const{SQL: fmt.Sprintf("CAST(%d AS INTEGER)", g.IntN(12)), Result: g.typ}
}

func (g conditionGen) column() expr.Expr { return &expr.Ref{Index: g.IntN(2), Result: g.typ} }

func (g conditionGen) condition(depth int) expr.Expr {
	boolean := table.Of(table.Boolean)
	kind := g.IntN(9)
	if depth == 0 {
		kind = g.IntN(5)
	}
	switch kind {
	case 0, 1:
		ops := []expr.CompareOp{expr.Equal, expr.NotEqual, expr.Less, expr.LessOrEqual, expr.Greater, expr.GreaterOrEqual, expr.DistinctFrom, expr.NotDistinctFrom}
		c := &expr.Compare{Op: ops[g.IntN(len(ops))], Left: g.column(), Right: g.constant()}
		if g.IntN(3) == 0 {
			c.Left, c.Right = c.Right, c.Left
		}
		return c
	case 2:
		return &expr.Between{Input: g.column(), Lower: g.constant(), Upper: g.constant(), LowerInclusive: g.IntN(2) == 0, UpperInclusive: g.IntN(2) == 0}
	case 3:
		return &expr.Operator{Kind: []expr.OperatorKind{expr.IsNull, expr.IsNotNull}[g.IntN(2)], Operands: []expr.Expr{g.column()}, Result: boolean}
	case 4:
		in := &expr.Operator{Kind: []expr.OperatorKind{expr.In, expr.NotIn}[g.IntN(2)], Operands: []expr.Expr{g.column()}, Result: boolean}
		for range 1 + g.IntN(3) {
			in.Operands = append(in.Operands, g.constant())
		}
		return in
	case 5:
		return &expr.Operator{Kind: expr.Not, Operands: []expr.Expr{g.condition(depth - 1)}, Result: boolean}
	}
	l := &expr.Logical{Or: kind == 6}
	for range 2 + g.IntN(2) {
		l.Terms = append(l.Terms, g.condition(depth-1))
	}
	return l
}

// eval is the truth of a condition for one row, the dumb way; scan columns are b, a.
func eval(e expr.Expr, row [2]cell) outcomes {
	value := func(e expr.Expr) cell {
		if r, ok := e.(*expr.Ref); ok {
			return row[1-r.Index]
		}
		c := e.(*expr.Const)
		var n int64
		if !c.Null {
			fmt.Sscanf(c.SQL, "CAST(%d", &n)
		}
		return cell{n, c.Null}
	}
	truth := func(b bool) outcomes {
		if b {
			return canTrue
		}
		return canFalse
	}
	compare := func(op expr.CompareOp, l, r cell) outcomes {
		switch op {
		case expr.DistinctFrom, expr.NotDistinctFrom:
			same := l.null && r.null || !l.null && !r.null && l.n == r.n
			return truth(same == (op == expr.NotDistinctFrom))
		}
		if l.null || r.null {
			return canNull
		}
		return truth(map[expr.CompareOp]bool{expr.Equal: l.n == r.n, expr.NotEqual: l.n != r.n, expr.Less: l.n < r.n,
			expr.LessOrEqual: l.n <= r.n, expr.Greater: l.n > r.n, expr.GreaterOrEqual: l.n >= r.n}[op])
	}
	not := func(o outcomes) outcomes {
		return map[outcomes]outcomes{canTrue: canFalse, canFalse: canTrue, canNull: canNull}[o]
	}
	and := func(a, b outcomes) outcomes {
		switch {
		case a == canFalse || b == canFalse:
			return canFalse
		case a == canNull || b == canNull:
			return canNull
		}
		return canTrue
	}
	or := func(a, b outcomes) outcomes { return not(and(not(a), not(b))) }
	switch e := e.(type) {
	case *expr.Compare:
		return compare(e.Op, value(e.Left), value(e.Right))
	case *expr.Between:
		low, high := expr.Greater, expr.Less
		if e.LowerInclusive {
			low = expr.GreaterOrEqual
		}
		if e.UpperInclusive {
			high = expr.LessOrEqual
		}
		return and(compare(low, value(e.Input), value(e.Lower)), compare(high, value(e.Input), value(e.Upper)))
	case *expr.Logical:
		of := eval(e.Terms[0], row)
		for _, t := range e.Terms[1:] {
			if e.Or {
				of = or(of, eval(t, row))
			} else {
				of = and(of, eval(t, row))
			}
		}
		return of
	case *expr.Operator:
		switch e.Kind {
		case expr.IsNull:
			return truth(value(e.Operands[0]).null)
		case expr.IsNotNull:
			return truth(!value(e.Operands[0]).null)
		case expr.Not:
			return not(eval(e.Operands[0], row))
		}
		of := canFalse
		for _, o := range e.Operands[1:] {
			of = or(of, compare(expr.Equal, value(e.Operands[0]), value(o)))
		}
		if e.Kind == expr.NotIn {
			return not(of)
		}
		return of
	}
	panic(fmt.Sprintf("condition %T", e))
}
