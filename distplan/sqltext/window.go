package sqltext

import (
	"strings"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

func (p *printer) window(n *operator.Window) (query, error) {
	q, err := p.node(n.Child)
	if err != nil {
		return query{}, err
	}
	q = q.opened("t")
	cols := append([]string(nil), q.cols...)
	for _, w := range n.Windows {
		text, err := printWindow(w, q.cols)
		if err != nil {
			return query{}, err
		}
		cols = append(cols, text)
	}
	// Closed: a condition put beside a window function would run before it.
	q.cols, q.mode, q.simple, q.rel = cols, modeClosed, false, ""
	return q, nil
}

// windowFunctions are the functions that exist only with OVER, by their numbers of arguments.
var windowFunctions = map[string][2]int{
	"row_number": {0, 0}, "rank": {0, 0}, "dense_rank": {0, 0}, "rank_dense": {0, 0}, "percent_rank": {0, 0}, "cume_dist": {0, 0},
	"ntile": {1, 1}, "lead": {1, 3}, "lag": {1, 3}, "first_value": {1, 1}, "last_value": {1, 1}, "nth_value": {2, 2},
}

// framed are those of them whose value depends on the frame.
var framed = map[string]bool{"first_value": true, "last_value": true, "nth_value": true}

func printWindow(w *expr.Window, cols []string) (string, error) {
	call, err := windowCall(w, cols)
	if err != nil {
		return "", err
	}
	var over []string
	if len(w.Partitions) > 0 {
		keys, err := exprs(w.Partitions, cols)
		if err != nil {
			return "", err
		}
		over = append(over, "PARTITION BY "+strings.Join(keys, ", "))
	}
	orders, err := orderTerms(w.Orders, cols)
	if err != nil {
		return "", err
	}
	if orders != "" {
		over = append(over, "ORDER BY "+orders)
	}
	if w.Aggregate || framed[w.Name] || len(w.ArgOrders) > 0 {
		frame, err := frame(w, cols)
		if err != nil {
			return "", err
		}
		if frame != "" {
			over = append(over, frame)
		}
	}
	return finishAggregate(call, w.Filter, " OVER ("+strings.Join(over, " ")+")", w, cols)
}

func windowCall(w *expr.Window, cols []string) (string, error) {
	if w.Aggregate && (w.Name == "count_star" || (w.Name == "count" && len(w.Args) == 0)) {
		return "count(*)", nil
	}
	name := w.Name
	if w.Aggregate {
		var err error
		if name, err = aggregateName(w.Name, len(w.Args)); err != nil {
			return "", err
		}
	} else if arity, ok := windowFunctions[w.Name]; !ok || len(w.Args) < arity[0] || len(w.Args) > arity[1] {
		return "", unprintable("window function %s of %d arguments", w.Name, len(w.Args))
	}
	args, err := exprs(w.Args, cols)
	if err != nil {
		return "", err
	}
	text := name + "("
	if w.Distinct {
		text += "DISTINCT "
	}
	text += strings.Join(args, ", ")
	order, err := orderBy(w.ArgOrders, cols)
	if err != nil {
		return "", err
	}
	text += order
	if w.IgnoreNulls {
		text += " IGNORE NULLS"
	}
	return text + ")", nil
}

// bounds are the frame bounds by DuckDB's names: the frame's unit ("" fits any), and what stands after the expression.
var bounds = map[string]struct {
	unit, text string
	expr       bool
}{
	"UNBOUNDED_PRECEDING":   {"", "UNBOUNDED PRECEDING", false},
	"UNBOUNDED_FOLLOWING":   {"", "UNBOUNDED FOLLOWING", false},
	"CURRENT_ROW_RANGE":     {"RANGE", "CURRENT ROW", false},
	"CURRENT_ROW_ROWS":      {"ROWS", "CURRENT ROW", false},
	"CURRENT_ROW_GROUPS":    {"GROUPS", "CURRENT ROW", false},
	"EXPR_PRECEDING_ROWS":   {"ROWS", " PRECEDING", true},
	"EXPR_FOLLOWING_ROWS":   {"ROWS", " FOLLOWING", true},
	"EXPR_PRECEDING_RANGE":  {"RANGE", " PRECEDING", true},
	"EXPR_FOLLOWING_RANGE":  {"RANGE", " FOLLOWING", true},
	"EXPR_PRECEDING_GROUPS": {"GROUPS", " PRECEDING", true},
	"EXPR_FOLLOWING_GROUPS": {"GROUPS", " FOLLOWING", true},
}

var excludes = map[string]string{
	"": "", "NO_OTHER": "", "CURRENT_ROW": " EXCLUDE CURRENT ROW", "GROUP": " EXCLUDE GROUP", "TIES": " EXCLUDE TIES",
}

// frame prints the frame; nothing for the default one.
func frame(w *expr.Window, cols []string) (string, error) {
	exclude, ok := excludes[w.Exclude]
	if !ok {
		return "", unprintable("window exclusion %q", w.Exclude)
	}
	if w.Start.Kind == "UNBOUNDED_PRECEDING" && w.End.Kind == "CURRENT_ROW_RANGE" && exclude == "" {
		return "", nil
	}
	unit := ""
	var ends [2]string
	for i, b := range []expr.FrameBound{w.Start, w.End} {
		form, ok := bounds[b.Kind]
		if !ok {
			return "", unprintable("window bound %q", b.Kind)
		}
		if form.unit != "" {
			if unit != "" && unit != form.unit {
				return "", unprintable("window frame in %s and %s", unit, form.unit)
			}
			unit = form.unit
		}
		ends[i] = form.text
		if !form.expr {
			continue
		}
		distance := b.Expr
		if form.unit == "RANGE" {
			distance = rangeDistance(w, b)
		}
		if distance == nil {
			return "", unprintable("window bound %s without its distance", b.Kind)
		}
		text, err := printExpr(distance, cols)
		if err != nil {
			return "", err
		}
		ends[i] = text + form.text
	}
	if unit == "" {
		unit = "RANGE"
	}
	return unit + " BETWEEN " + ends[0] + " AND " + ends[1] + exclude, nil
}

// rangeDistance undoes what DuckDB's binder did to a RANGE bound: it stores the frame's edge, "key − distance" or
// "key + distance" of the one ORDER BY key, instead of the distance. Nil when the bound does not look so.
func rangeDistance(w *expr.Window, b expr.FrameBound) expr.Expr {
	if len(w.Orders) != 1 || b.Expr == nil {
		return nil
	}
	preceding := strings.HasPrefix(b.Kind, "EXPR_PRECEDING")
	want := "+"
	if preceding != w.Orders[0].Descending {
		want = "-"
	}
	call, ok := uncast(b.Expr).(*expr.Call)
	if !ok || call.Name != want || len(call.Args) != 2 {
		return nil
	}
	if !sameExpr(uncast(call.Args[0]), uncast(w.Orders[0].Expr)) {
		return nil
	}
	return call.Args[1]
}

func uncast(e expr.Expr) expr.Expr {
	for {
		c, ok := e.(*expr.Cast)
		if !ok {
			return e
		}
		e = c.Child
	}
}

// sameExpr compares by printed form, which is a function of the expression alone.
func sameExpr(a, b expr.Expr) bool {
	cols := columns("t", 1+max(maxRef(a), maxRef(b)))
	x, errX := printExpr(a, cols)
	y, errY := printExpr(b, cols)
	return errX == nil && errY == nil && x == y
}

func maxRef(e expr.Expr) int {
	highest := -1
	for _, r := range expr.Refs(e) {
		highest = max(highest, r)
	}
	return highest
}
