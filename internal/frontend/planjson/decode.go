package planjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// Unread is the error for a plan that is not, or not completely, understood. It is not a fault of the statement.
type Unread struct{ Reason string }

// Error implements error.
func (u *Unread) Error() string { return u.Reason }

func unread(format string, args ...any) error { return &Unread{Reason: fmt.Sprintf(format, args...)} }

// A Stub is what a table function of the plan stands for. ok is false for functions that are no stub.
type Stub func(function string) (t *table.Table, ok bool)

// Decode reads one plan. Errors are *Unread.
func Decode(plan []byte, stub Stub) (operator.Node, error) {
	if len(plan) == 0 {
		return nil, unread("the plan could not be serialised")
	}
	var p rawPlan
	plan = quoteNumbers(plan)
	if err := strict(plan, &p); err != nil {
		return nil, unread("%s", strange(plan, err))
	}
	if p.Error || len(p.Plans) != 1 || p.Plans[0] == nil {
		return nil, unread("the planner gave %d plans", len(p.Plans))
	}
	d := &decoder{stub: stub}
	n, err := d.node(p.Plans[0], nil)
	if err != nil {
		var u *Unread
		if errors.As(err, &u) {
			return nil, u
		}
		return nil, unread("%v", err)
	}
	return n, nil
}

func strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// quoteNumbers puts the numbers that JSON cannot write (NaN, Infinity) between quotes. Values are read raw, so they come
// out as texts there.
func quoteNumbers(plan []byte) []byte {
	if !bytes.Contains(plan, []byte("NaN")) && !bytes.Contains(plan, []byte("Infinity")) {
		return plan
	}
	out := make([]byte, 0, len(plan)+64)
	inText := false
	for i := 0; i < len(plan); {
		c := plan[i]
		switch {
		case inText && c == '\\' && i+1 < len(plan):
			out = append(out, c, plan[i+1])
			i += 2
			continue
		case c == '"':
			inText = !inText
		case !inText:
			if word := bareNumber(plan[i:]); word != "" {
				out = append(append(append(out, '"'), word...), '"')
				i += len(word)
				continue
			}
		}
		out = append(out, c)
		i++
	}
	return out
}

func bareNumber(b []byte) string {
	for _, word := range []string{"NaN", "-NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(b, []byte(word)) {
			return word
		}
	}
	return ""
}

// A decoder reads one plan; delims counts its DELIM_JOINs.
type decoder struct {
	stub   Stub
	delims int
}

// A scope is what an operator may refer to above itself.
type scope struct {
	up    *scope
	delim int // the ID of a DELIM_JOIN, else 0
	types []table.Type
	cte   int // the ID of a CTE, with hasCTE
	isCTE bool
}

func (s *scope) delimJoin() *scope {
	for ; s != nil; s = s.up {
		if s.delim > 0 {
			return s
		}
	}
	return nil
}

func (s *scope) definition(id int) *scope {
	for ; s != nil; s = s.up {
		if s.isCTE && s.cte == id {
			return s
		}
	}
	return nil
}

var noEstimate = operator.Estimated{Rows: -1}

func (d *decoder) node(o *rawOp, s *scope) (operator.Node, error) {
	if o == nil {
		return nil, unread("an operator is missing")
	}
	if read, ok := readers[o.Type]; ok {
		return read(d, o, s)
	}
	return nil, unread("%s", named(o.Type))
}

// names are what people call the operators that have no reader.
var names = map[string]string{
	"LOGICAL_RECURSIVE_CTE": "a recursive CTE", "LOGICAL_UNNEST": "UNNEST", "LOGICAL_ASOF_JOIN": "an ASOF join",
	"LOGICAL_POSITIONAL_JOIN": "a positional join", "LOGICAL_SAMPLE": "a sample", "LOGICAL_PIVOT": "PIVOT",
}

func named(operator string) string {
	if name, ok := names[operator]; ok {
		return name
	}
	return "operator " + operator
}

// strange finds why a plan has fields that are not known: mostly it is an operator that is not.
func strange(plan []byte, err error) string {
	type skeleton struct {
		Type     string      `json:"type"`
		Children []*skeleton `json:"children"`
	}
	var p struct {
		Plans []*skeleton `json:"plans"`
	}
	if json.Unmarshal(plan, &p) != nil {
		return "plan JSON: " + err.Error()
	}
	for todo := p.Plans; len(todo) > 0; todo = todo[1:] {
		o := todo[0]
		if o == nil {
			continue
		}
		if _, ok := readers[o.Type]; !ok {
			return named(o.Type)
		}
		todo = append(todo, o.Children...)
	}
	return "plan JSON: " + err.Error()
}

// readers holds the operators that are understood.
var readers map[string]func(*decoder, *rawOp, *scope) (operator.Node, error)

func init() {
	readers = map[string]func(*decoder, *rawOp, *scope) (operator.Node, error){
		"LOGICAL_GET":                    (*decoder).get,
		"LOGICAL_DUMMY_SCAN":             (*decoder).dummy,
		"LOGICAL_EMPTY_RESULT":           (*decoder).empty,
		"LOGICAL_CHUNK_GET":              (*decoder).chunkGet,
		"LOGICAL_EXPRESSION_GET":         (*decoder).expressionGet,
		"LOGICAL_FILTER":                 (*decoder).filter,
		"LOGICAL_PROJECTION":             (*decoder).project,
		"LOGICAL_AGGREGATE_AND_GROUP_BY": (*decoder).aggregate,
		"LOGICAL_DISTINCT":               (*decoder).distinct,
		"LOGICAL_COMPARISON_JOIN":        (*decoder).comparisonJoin,
		"LOGICAL_ANY_JOIN":               (*decoder).anyJoin,
		"LOGICAL_DELIM_JOIN":             (*decoder).delimJoin,
		"LOGICAL_DELIM_GET":              (*decoder).delimGet,
		"LOGICAL_CROSS_PRODUCT":          (*decoder).cross,
		"LOGICAL_ORDER_BY":               (*decoder).order,
		"LOGICAL_TOP_N":                  (*decoder).topN,
		"LOGICAL_LIMIT":                  (*decoder).limit,
		"LOGICAL_UNION":                  (*decoder).setOp,
		"LOGICAL_EXCEPT":                 (*decoder).setOp,
		"LOGICAL_INTERSECT":              (*decoder).setOp,
		"LOGICAL_WINDOW":                 (*decoder).window,
		"LOGICAL_MATERIALIZED_CTE":       (*decoder).cte,
		"LOGICAL_CTE_REF":                (*decoder).cteRef,
	}
}

// child reads the only input.
func (d *decoder) child(o *rawOp, s *scope) (operator.Node, error) {
	if len(o.Children) != 1 {
		return nil, unread("%s with %d inputs", o.Type, len(o.Children))
	}
	return d.node(o.Children[0], s)
}

func (d *decoder) pair(o *rawOp, left, right *scope) (l, r operator.Node, err error) {
	if len(o.Children) != 2 {
		return nil, nil, unread("%s with %d inputs", o.Type, len(o.Children))
	}
	if l, err = d.node(o.Children[0], left); err != nil {
		return nil, nil, err
	}
	r, err = d.node(o.Children[1], right)
	return l, r, err
}

// positions checks a projection map against the width of its input; empty means all and stays nil.
func positions(m []uint64, width int) ([]int, error) {
	if len(m) == 0 {
		return nil, nil
	}
	out := make([]int, len(m))
	for i, p := range m {
		if p >= uint64(width) {
			return nil, unread("column %d of %d", p, width)
		}
		out[i] = int(p)
	}
	return out, nil
}

// exprList parses the expressions field of all operators but EXPRESSION_GET.
func (d *decoder) exprList(o *rawOp, in []table.Type) ([]expr.Expr, error) {
	var raw []*rawExpr
	if err := strict(orEmpty(o.Expressions), &raw); err != nil {
		return nil, unread("%s expressions: %v", o.Type, err)
	}
	return d.exprs(raw, in)
}

func orEmpty(m json.RawMessage) []byte {
	if len(m) == 0 {
		return []byte("[]")
	}
	return m
}

func limitOf(l *rawLimit, unset int64) (int64, error) {
	if l == nil {
		return unset, nil
	}
	switch l.Type {
	case "UNSET":
		return unset, nil
	case "CONSTANT_VALUE":
		if l.Integer > math.MaxInt64 {
			return 0, unread("a limit of %d", l.Integer)
		}
		return int64(l.Integer), nil
	}
	return 0, unread("a limit that is not a constant number")
}
