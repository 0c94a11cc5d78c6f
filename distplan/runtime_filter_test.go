package distplan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// filterPlan plans a tree over tables l (lk, lv, lx) and r (rk, rv, rx), whose joins exchange both sides.
func filterPlan(t *testing.T, tree string) *distplan.Plan {
	t.Helper()
	tables := map[string]*table.Table{}
	for _, name := range []string{"l", "r", "s"} {
		made, err := plantest.Table(plantest.Spec{Name: name, Columns: strings.ReplaceAll("_k BIGINT, _v BIGINT, _x VARCHAR, _d DOUBLE", "_", name),
			Files: 2, GroupsPerFile: 2, RowsPerGroup: 1000, BytesPerGroup: 4096})
		if err != nil {
			t.Fatal(err)
		}
		if err := plantest.Lay(made, plantest.Zone{Column: name + "k", First: 0, Step: 100, Width: 100, Nulls: table.NullsSome}); err != nil {
			t.Fatal(err)
		}
		if err := plantest.Lay(made, plantest.Zone{Column: name + "v", First: 0, Step: 100, Width: 100, Nulls: table.NullsNone}); err != nil {
			t.Fatal(err)
		}
		tables[name] = made
	}
	root := plantest.MustTree(tree, tables)
	st := distplan.Statement{Tree: root}
	for i, typ := range root.Types() {
		st.Columns = append(st.Columns, table.Column{Name: fmt.Sprint("c", i), Type: typ})
	}
	p, err := distplan.Build(st, distplan.Options{Workers: 3, Partitions: 6, Distributed: distplan.Always, JoinStrategy: distplan.JoinExchange})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// filtersOf names filters by tables: "l.lk<-r", with "?" where NULL is let through.
func filtersOf(p *distplan.Plan) string {
	var all []string
	for _, f := range distplan.RuntimeFilters(p) {
		scan := p.Stages[f.To].Scans[f.Scan]
		from := "?"
		if scans := p.Stages[f.From].Scans; len(scans) > 0 {
			from = scans[0].Table.Name.Table
		}
		text := fmt.Sprintf("%s.%s<-%s%d", scan.Table.Name.Table, scan.Table.Columns[scan.Columns[f.Column]].Name, from, f.FromColumn)
		if f.Nulls {
			text += "+null"
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// Which side of a join may be filtered by the other one.
func TestRuntimeFiltersByKind(t *testing.T) {
	for kind, want := range map[string]string{
		"inner":      "l.lk<-r0 r.rk<-l0",
		"semi":       "l.lk<-r0 r.rk<-l0",
		"right_semi": "l.lk<-r0 r.rk<-l0",
		"left":       "r.rk<-l0",
		"right":      "l.lk<-r0",
		"full":       "",
		"anti":       "",
		"right_anti": "",
		"mark":       "",
		"single":     "",
	} {
		p := filterPlan(t, "join "+kind+" on=(lk = rk)\n  scan l (lk, lv)\n  scan r (rk, rv)\n")
		if got := filtersOf(p); got != want {
			t.Errorf("%s: %q, not %q\n%s", kind, got, want, distplan.Explain(p))
		}
	}
}

// What lies between the scan and the join, on either side.
func TestRuntimeFiltersThrough(t *testing.T) {
	for _, c := range []struct{ name, tree, want string }{
		{"a filter that picks, and a projection", `
join inner on=(k = rk)
  project lv as v, lk as k
    filter lv > 5 -> (lv, lk)
      scan l (lk, lv)
  scan r (rk, rv)`, "l.lk<-r0 r.rk<-l1"},
		{"an expression", `
join inner on=(k = rk)
  project lk + 1 as k
    scan l (lk)
  scan r (rk)`, "r.rk<-l0"},
		{"NULLs that are equal", `
join inner on=(lk same rk)
  scan l (lk)
  scan r (rk)`, "l.lk<-r0+null r.rk<-l0+null"},
		{"a comparison", `
join inner on=(lk = rk, lv < rv)
  scan l (lk, lv)
  scan r (rk, rv)`, "l.lk<-r0 r.rk<-l0"},
		{"texts, and doubles, which no summary holds", `
join inner on=(lx = rx, ld = rd)
  scan l (lx, ld)
  scan r (rx, rd)`, "l.lx<-r0 r.rx<-l0"},
		{"two keys", `
join inner on=(lk = rk, lv = rv)
  scan l (lk, lv)
  scan r (rk, rv)`, "l.lk<-r0 l.lv<-r1 r.rk<-l0 r.rv<-l1"},
		{"rows that a limit chose", `
join inner on=(lk = rk)
  scan l (lk)
  limit 3
    scan r (rk)`, ""},
		{"a random value beside the key", `
join inner on=(lk = rk)
  scan l (lk)
  top 3 by=(rk)
    scan r (rk, rv)`, ""},
	} {
		if p := filterPlan(t, strings.TrimSpace(c.tree)+"\n"); filtersOf(p) != c.want {
			t.Errorf("%s: %q, not %q\n%s", c.name, filtersOf(p), c.want, distplan.Explain(p))
		}
	}
}

func numbers(all ...int64) (s table.Summary) {
	for _, n := range all {
		s.Values = append(s.Values, table.Value{Number: n})
	}
	return s
}

// What a filter does to the stage's text and splits. The row groups hold 0 to 99, 100 to 199, 200 to 299, 300 to 399.
func TestNarrow(t *testing.T) {
	within := func(least, greatest int64) table.Summary {
		return table.Summary{Values: []table.Value{{Number: least}, {Number: greatest}}, Range: true}
	}
	for _, c := range []struct {
		name, on string
		values   table.Summary
		want     string // of the fragment; empty: nothing is filtered
		splits   int
	}{
		{"a range", "lk = rk", within(-7, 120), `BETWEEN CAST(-7 AS BIGINT) AND CAST(120 AS BIGINT)`, 2},
		{"a list", "lk = rk", numbers(150, 250), `IN (CAST(150 AS BIGINT), CAST(250 AS BIGINT))`, 2},
		{"one value", "lk = rk", numbers(250), `= CAST(250 AS BIGINT)`, 1},
		{"no value", "lk = rk", table.Summary{}, `false`, 0},
		{"NULL may not be left out", "lk same rk", numbers(250), `IS NULL`, 4},
		{"all, but for NULL", "lk = rk", within(0, 399), `BETWEEN`, 4},
		{"all", "lv = rv", within(0, 399), "", 0},
	} {
		p := filterPlan(t, "join inner on=("+c.on+")\n  scan l (lk, lv)\n  scan r (rk, rv)\n")
		at := slices.IndexFunc(distplan.RuntimeFilters(p), func(f distplan.RuntimeFilter) bool {
			return p.Stages[f.To].Scans[f.Scan].Table.Name.Table == "l"
		})
		f := distplan.RuntimeFilters(p)[at]
		before := distplan.Explain(p)
		next, err := distplan.Narrow(p, f, c.values, 3)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if distplan.Explain(p) != before {
			t.Errorf("%s: the plan that there was is another one", c.name)
		}
		if c.want == "" {
			if next != nil {
				t.Errorf("%s: %s", c.name, next.Stages[f.To].Fragment)
			}
			continue
		}
		if next == nil {
			t.Errorf("%s: no plan", c.name)
			continue
		}
		to := next.Stages[f.To]
		if !strings.Contains(to.Fragment, c.want) || len(to.Scans[0].Splits) != c.splits {
			t.Errorf("%s: %d splits of %s", c.name, len(to.Scans[0].Splits), to.Fragment)
		}
		for s := range next.Stages {
			if ids.StageID(s) != f.To && next.Stages[s] != p.Stages[s] {
				t.Errorf("%s: stage %d is another one", c.name, s)
			}
		}
	}
}

// A value that SQL cannot say leaves the scan as it is.
func TestNarrowByWhatSQLCannotSay(t *testing.T) {
	p := filterPlan(t, "join inner on=(lx = rx)\n  scan l (lx)\n  scan r (rx)\n")
	f := distplan.RuntimeFilters(p)[0]
	if next, err := distplan.Narrow(p, f, table.Summary{Values: []table.Value{{Text: "a\x00"}}}, 3); next != nil || err != nil {
		t.Errorf("%v %v", next, err)
	}
}
