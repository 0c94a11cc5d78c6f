package frontend

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
)

// readable are statements whose plans must become trees. Each must be deterministic as a bag of rows.
func readable(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/readable.sql")
	if err != nil {
		t.Fatal(err)
	}
	return lines(string(data))
}

func lines(text string) []string {
	var all []string
	for _, l := range strings.Split(text, "\n") {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "--") {
			all = append(all, l)
		}
	}
	return all
}

// TestRoundTrip holds that statements come back from their trees with the same rows and types: SQL → plan → tree → SQL.
func TestRoundTrip(t *testing.T) {
	f, in := front(t), oracle(t)
	for i, sql := range append(queries(), readable(t)...) {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			p, err := f.Plan(t.Context(), request(t, sql))
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			if p.Statement.Tree == nil {
				t.Fatalf("%s: no tree: %s", sql, p.Statement.Unread)
			}
			printed, err := sqltext.SelectOver(p.Statement.Tree, overStub)
			if err != nil {
				t.Fatal(err)
			}
			alike(t, in, sql, sqltext.SelectText(printed, p.Columns), p.Columns)
		})
	}
}

func queries() []string {
	var all []string
	for _, q := range tpch.Queries() {
		all = append(all, q.SQL)
	}
	return all
}

// TestTextPath holds that statements come back from their syntax trees with the same rows and types.
func TestTextPath(t *testing.T) {
	f, in := front(t), oracle(t)
	data, err := os.ReadFile("testdata/textual.sql")
	if err != nil {
		t.Fatal(err)
	}
	textual := lines(string(data))
	only := &Frontend{cfg: f.cfg, pool: f.pool, catalogs: f.catalogs, local: f.local, cache: newCache(0, 0), functions: f.functions, textOnly: "a test"}
	for i, sql := range append(append(slices.Clone(textual), readable(t)...), queries()...) {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			planner := f
			if i >= len(textual) {
				planner = only
			}
			p, err := planner.Plan(t.Context(), request(t, sql))
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			if p.Statement.Tree != nil {
				t.Fatalf("%s: has a tree", sql)
			}
			if p.Local {
				alike(t, in, sql, p.LocalSQL, p.Columns)
				return
			}
			var with []string
			for _, s := range p.Statement.TextScans {
				var names, cols []string
				for k, c := range s.Columns {
					names, cols = append(names, "c"+itoa(k)), append(cols, table.Quote(s.Table.Columns[c].Name))
				}
				with = append(with, s.Name+"("+strings.Join(names, ", ")+") AS NOT MATERIALIZED (SELECT "+strings.Join(cols, ", ")+" FROM "+s.Table.Name.String()+")")
			}
			bound := sqltext.SelectText(p.Statement.Text, p.Columns)
			if len(with) > 0 {
				bound = "WITH " + strings.Join(with, ", ") + " " + bound
			}
			alike(t, in, sql, bound, p.Columns)
		})
	}
}

// alike runs both statements over real tables and compares columns and rows, as bags unless the statement orders them.
func alike(t *testing.T, in *plandb.Instance, want, got string, columns []table.Column) {
	t.Helper()
	dw, err := in.Describe(want)
	if err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	dg, err := in.Describe(got)
	if err != nil {
		t.Fatalf("%s\n%s: %v", want, got, err)
	}
	if len(dw.Columns) != len(dg.Columns) || len(dw.Columns) != len(columns) {
		t.Fatalf("%s: %d columns, then %d, announced %d", want, len(dw.Columns), len(dg.Columns), len(columns))
	}
	for i, c := range dw.Columns {
		if !c.Type.Equal(dg.Columns[i].Type) || !c.Type.Equal(columns[i].Type) || c.Name != columns[i].Name {
			t.Errorf("%s: column %d is %s %s, then %s, announced %s %s\n%s", want, i, c.Name, c.Type.SQL(), dg.Columns[i].Type.SQL(), columns[i].Name, columns[i].Type.SQL(), got)
		}
	}
	ordered := strings.Contains(strings.ToUpper(want), "ORDER BY")
	a, b := rowsOf(t, in, want, len(columns), ordered), rowsOf(t, in, got, len(columns), ordered)
	if !slices.Equal(a, b) {
		if ordered { // Ties may stand in any order.
			slices.Sort(a)
			slices.Sort(b)
			if slices.Equal(a, b) {
				return
			}
		}
		t.Errorf("%s\n%s\n%d rows, then %d; first difference: %s", want, got, len(a), len(b), difference(a, b))
	}
}

func difference(a, b []string) string {
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			other := "(none)"
			if i < len(b) {
				other = b[i]
			}
			return fmt.Sprintf("%q and %q", a[i], other)
		}
	}
	return "the second has more"
}

func rowsOf(t *testing.T, in *plandb.Instance, sql string, columns int, ordered bool) []string {
	t.Helper()
	var names, texts []string
	for i := range columns {
		names, texts = append(names, "c"+itoa(i)), append(texts, "c"+itoa(i)+"::VARCHAR")
	}
	rows, err := in.Rows("SELECT "+strings.Join(texts, ", ")+" FROM ("+sql+") AS t("+strings.Join(names, ", ")+")", 1<<26)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	all := make([]string, len(rows))
	for i, r := range rows {
		for _, v := range r {
			if v == nil {
				all[i] += "|NULL"
			} else {
				all[i] += "|" + *v
			}
		}
	}
	if !ordered {
		slices.Sort(all)
	}
	return all
}
