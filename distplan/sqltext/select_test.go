package sqltext_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
)

// The scripts under testdata print trees in plantest's form over scans named by their tables.
func TestSelect(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		tables := map[string]*table.Table{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "table":
				s := plantest.Spec{Columns: strings.TrimSpace(d.Input)}
				d.ScanArgs(t, "name", &s.Name)
				made, err := plantest.Table(s)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				tables[s.Name] = made
				return "ok"
			case "select":
				tree, _, err := plantest.Tree(d.Input, tables)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				text, err := sqltext.SelectOver(tree, tableName)
				if err != nil {
					return "error: " + err.Error()
				}
				return text
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func tableName(s *operator.Scan) (string, error) { return s.Table.Name.Table, nil }

var (
	bigint  = table.Of(table.BigInt)
	varchar = table.Of(table.Varchar)
)

func input(types ...table.Type) *operator.Input {
	return &operator.Input{Name: "exchange_1", Result: types}
}

func ref(i int, t table.Type) expr.Expr { return &expr.Ref{Index: i, Result: t} }

// What cannot be said faithfully is an error, never a guess.
func TestUnprintable(t *testing.T) {
	in := input(bigint, varchar)
	project := func(e expr.Expr) operator.Node { return &operator.Project{Child: in, Exprs: []expr.Expr{e}} }
	aggregate := func(a *expr.Aggregate) operator.Node {
		return &operator.Aggregate{Child: in, Aggregates: []*expr.Aggregate{a}}
	}
	mark := func(ops ...expr.CompareOp) operator.Node {
		j := &operator.Join{Kind: operator.Mark, Left: in, Right: in}
		for _, op := range ops {
			j.Conditions = append(j.Conditions, operator.Condition{Op: op, Left: ref(0, bigint), Right: ref(0, bigint)})
		}
		return j
	}
	window := func(w *expr.Window) operator.Node { return &operator.Window{Child: in, Windows: []*expr.Window{w}} }
	random := &expr.Call{Name: "random", Result: bigint, Volatile: true}
	for name, tree := range map[string]operator.Node{
		"a scan without a name":         &operator.Scan{Table: &table.Table{}},
		"an exchange":                   &operator.Exchange{Child: in},
		"unknown function":              project(&expr.Call{Name: "no_such", Args: []expr.Expr{ref(0, bigint)}, Result: bigint}),
		"function of the session":       project(&expr.Call{Name: "current_setting", Args: []expr.Expr{ref(1, varchar)}, Result: varchar}),
		"function missing an argument":  project(&expr.Call{Name: "date_part", Args: []expr.Expr{ref(1, varchar)}, Result: bigint}),
		"internal function":             project(&expr.Call{Name: "__internal_compress_string_ubigint", Args: []expr.Expr{ref(1, varchar)}, Result: bigint}),
		"column out of range":           project(ref(2, bigint)),
		"constant without a literal":    project(&expr.Const{Result: bigint}),
		"type without a name":           project(&expr.Cast{Child: ref(0, bigint), Result: table.Type{ID: table.Integer, Alias: "mood"}}),
		"unnamed struct member":         project(&expr.Cast{Child: ref(0, bigint), Result: table.Type{ID: table.Struct, Fields: []table.Field{{Type: bigint}}}}),
		"volatile half-open between":    project(&expr.Between{Input: random, Lower: ref(0, bigint), Upper: ref(0, bigint), LowerInclusive: true}),
		"unknown aggregate":             aggregate(&expr.Aggregate{Name: "no_such", Args: []expr.Expr{ref(0, bigint)}, Result: bigint}),
		"string_agg without separator":  aggregate(&expr.Aggregate{Name: "string_agg", Args: []expr.Expr{ref(1, varchar)}, Result: varchar}),
		"aggregate without output":      &operator.Aggregate{Child: in},
		"mark join on two comparisons":  mark(expr.Equal, expr.Less),
		"CTE out of scope":              &operator.CTERef{ID: 7, Result: []table.Type{bigint}},
		"delim get out of scope":        &operator.DelimGet{ID: 7, Result: []table.Type{bigint}},
		"unknown window function":       window(&expr.Window{Name: "no_such", Result: bigint}),
		"unknown window bound":          window(&expr.Window{Name: "sum", Aggregate: true, Args: []expr.Expr{ref(0, bigint)}, Start: expr.FrameBound{Kind: "LEFT"}, Result: bigint}),
		"range distance that is no sum": window(&expr.Window{Name: "sum", Aggregate: true, Args: []expr.Expr{ref(0, bigint)}, Orders: []expr.Order{{Expr: ref(0, bigint)}}, Start: expr.FrameBound{Kind: "EXPR_PRECEDING_RANGE", Expr: ref(0, bigint)}, End: expr.FrameBound{Kind: "CURRENT_ROW_RANGE"}, Result: bigint}),
		"frame in two units":            window(&expr.Window{Name: "sum", Aggregate: true, Args: []expr.Expr{ref(0, bigint)}, Start: expr.FrameBound{Kind: "EXPR_PRECEDING_ROWS", Expr: ref(0, bigint)}, End: expr.FrameBound{Kind: "CURRENT_ROW_RANGE"}, Result: bigint}),
	} {
		if text, err := sqltext.Select(tree); !errors.Is(err, sqltext.ErrUnprintable) {
			t.Errorf("%s: printed %q, error %v; want unprintable", name, text, err)
		}
	}
}

func TestSelectPartitioned(t *testing.T) {
	enum := table.Type{ID: table.Enum, Labels: []string{"a", "b"}}
	text, err := sqltext.SelectPartitioned(input(bigint, enum), nil, []int{1, 0}, 12)
	if err != nil {
		t.Fatal(err)
	}
	const want = "SELECT t.c0 AS c0, t.c1 AS c1, " +
		"CAST((hash(CAST(t.c1 AS VARCHAR), t.c0) >> 32) % 12 AS INTEGER) AS c2 FROM exchange_1 AS t"
	if text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for _, c := range []struct {
		keys       []int
		partitions int
	}{{nil, 4}, {[]int{0}, 0}} {
		if _, err := sqltext.SelectPartitioned(input(bigint), nil, c.keys, c.partitions); err == nil {
			t.Errorf("keys %v, %d partitions: no error", c.keys, c.partitions)
		}
	}
}

func TestSelectText(t *testing.T) {
	unnamed := table.Type{ID: table.Struct, Fields: []table.Field{{Type: bigint}}}
	got := sqltext.SelectText("WITH x AS (SELECT 1) SELECT * FROM x",
		[]table.Column{{Name: "a", Type: bigint}, {Name: "a", Type: unnamed}})
	const want = "SELECT CAST(t.c0 AS BIGINT) AS c0, t.c1 AS c1 FROM (WITH x AS (SELECT 1) SELECT * FROM x) AS t(c0, c1)"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A decimal operand is printed narrower only where its value is sure to fit.
func TestDecimalSums(t *testing.T) {
	wide, narrow := table.DecimalOf(16, 2), table.DecimalOf(15, 2)
	literal := func(digits string) expr.Expr {
		return &expr.Const{SQL: "CAST('" + digits + "' AS DECIMAL(16,2))", Result: wide}
	}
	column := ref(0, narrow)
	for _, c := range []struct {
		left expr.Expr
		want string
	}{
		{literal("1.00"), "CAST((CAST('1.00' AS DECIMAL(15,2)) - t.c0) AS DECIMAL(16,2))"},
		{literal("-9999999999999.00"), "CAST((CAST('-9999999999999.00' AS DECIMAL(15,2)) - t.c0) AS DECIMAL(16,2))"},
		{literal("10000000000000.00"), "CAST((CAST('10000000000000.00' AS DECIMAL(16,2)) - t.c0) AS DECIMAL(16,2))"},
		{&expr.Cast{Child: ref(1, table.Of(table.Integer)), Result: wide}, "CAST((CAST(t.c1 AS DECIMAL(15,2)) - t.c0) AS DECIMAL(16,2))"},
		{&expr.Cast{Child: ref(1, table.Of(table.BigInt)), Result: wide}, "CAST((CAST(t.c1 AS DECIMAL(16,2)) - t.c0) AS DECIMAL(16,2))"},
		{&expr.Cast{Child: ref(1, table.DecimalOf(16, 3)), Result: wide}, "CAST((CAST(t.c1 AS DECIMAL(16,2)) - t.c0) AS DECIMAL(16,2))"},
	} {
		e := &expr.Call{Name: "-", Args: []expr.Expr{c.left, column}, Result: wide}
		got, err := sqltext.Expr(e, []string{"t.c0", "t.c1"})
		if err != nil || got != c.want {
			t.Errorf("got  %s (%v)\nwant %s", got, err, c.want)
		}
	}
}
