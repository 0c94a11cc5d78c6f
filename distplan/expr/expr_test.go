package expr_test

import (
	"reflect"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

var bigint = table.Of(table.BigInt)

func ref(i int) expr.Expr { return &expr.Ref{Index: i, Result: bigint} }

// everyExpr holds one of each, with all optional parts.
func everyExpr() []expr.Expr {
	order := []expr.Order{{Expr: ref(7), Descending: true}, {Expr: ref(8), NullsFirst: true}}
	return []expr.Expr{
		ref(0),
		&expr.Const{SQL: "1", Result: bigint},
		&expr.Call{Name: "f", Args: []expr.Expr{ref(0), ref(1)}, Result: bigint},
		&expr.Cast{Child: ref(0), Result: bigint, Try: true},
		&expr.Compare{Op: expr.Less, Left: ref(0), Right: ref(1)},
		&expr.Between{Input: ref(0), Lower: ref(1), Upper: ref(2), LowerInclusive: true},
		&expr.Logical{Or: true, Terms: []expr.Expr{ref(0), ref(1), ref(2)}},
		&expr.Operator{Kind: expr.In, Operands: []expr.Expr{ref(0), ref(1)}, Result: bigint},
		&expr.Case{When: []expr.Expr{ref(0), ref(1)}, Then: []expr.Expr{ref(2), ref(3)}, Else: ref(4), Result: bigint},
		&expr.Case{When: []expr.Expr{ref(0)}, Then: []expr.Expr{ref(2)}, Result: bigint},
		&expr.Aggregate{Name: "sum", Args: []expr.Expr{ref(0)}, Filter: ref(1), OrderBy: order, Distinct: true, Result: bigint},
		&expr.Aggregate{Name: "count_star", Result: bigint},
		&expr.Window{
			Name: "sum", Args: []expr.Expr{ref(0)}, Partitions: []expr.Expr{ref(1)}, Orders: order, ArgOrders: order[:1],
			Start: expr.FrameBound{Kind: "EXPR_PRECEDING_ROWS", Expr: ref(2)}, End: expr.FrameBound{Kind: "EXPR_FOLLOWING_ROWS", Expr: ref(3)},
			Filter: ref(4), Exclude: "TIES", Result: bigint,
		},
		&expr.Window{Name: "rank", Result: bigint},
	}
}

// WithChildren puts back what Children lists, part by part, and leaves the original alone.
func TestChildrenRoundTrip(t *testing.T) {
	for _, e := range everyExpr() {
		children := e.Children()
		if same := e.WithChildren(children); !expr.Same(e, same) || same == e {
			t.Errorf("%T: %+v became %+v", e, e, same)
		}
		moved := make([]expr.Expr, len(children))
		for i := range children {
			moved[i] = ref(100 + i)
		}
		before := append([]expr.Expr(nil), children...)
		if got := e.WithChildren(moved).Children(); !reflect.DeepEqual(append([]expr.Expr(nil), got...), append([]expr.Expr(nil), moved...)) {
			t.Errorf("%T: put %v, got %v", e, moved, got)
		}
		if !reflect.DeepEqual(append([]expr.Expr(nil), e.Children()...), before) {
			t.Errorf("%T: the original changed", e)
		}
	}
}

func TestMapRefs(t *testing.T) {
	for _, e := range everyExpr() {
		shifted := expr.MapRefs(e, func(r *expr.Ref) expr.Expr { return ref(r.Index + 10) })
		was, is := expr.Refs(e), expr.Refs(shifted)
		for i := range was {
			was[i] += 10
		}
		if !reflect.DeepEqual(was, is) {
			t.Errorf("%T: refs %v, want %v", e, is, was)
		}
	}
	if expr.MapRefs(nil, nil) != nil {
		t.Error("nothing became something")
	}
}

func TestHasVolatile(t *testing.T) {
	random := &expr.Call{Name: "random", Result: bigint, Volatile: true}
	if !expr.HasVolatile(&expr.Compare{Left: ref(0), Right: &expr.Cast{Child: random}}) || expr.HasVolatile(ref(0)) {
		t.Error("volatile functions are not found, or others are")
	}
}
