package frontend

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
)

// TestTrees holds the operator trees of statements, as EXPLAIN prints them in one stage.
func TestTrees(t *testing.T) {
	f := front(t)
	datadriven.Walk(t, "testdata/tree", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			sql := d.Input
			if d.Cmd == "tpch" {
				var n int
				d.ScanArgs(t, "query", &n)
				sql = tpch.Queries()[n-1].SQL
			}
			p, err := f.Plan(t.Context(), request(t, sql))
			if err != nil {
				return err.Error()
			}
			if p.Statement.Tree == nil {
				return "text: " + p.Statement.Unread + "\n" + p.Statement.Text
			}
			plan, err := distplan.Build(p.Statement, distplan.Options{Workers: 1, Distributed: distplan.Never})
			if err != nil {
				return err.Error()
			}
			return distplan.Explain(plan)
		})
	})
}

// TestFixtures holds that the committed plans of TPC-H, which other tests decode without an engine, are those of the engine
// that is linked in, at scale 1 and, with the row estimates, at scale 10. -rewrite renews them.
func TestFixtures(t *testing.T) {
	large := &fake{version: "scale10"}
	for _, tab := range tpch.Scale10() {
		large.tables = append(large.tables, tab)
	}
	for _, q := range tpch.Queries() {
		plan, _ := optimised(t, request(t, q.SQL))
		fixture(t, filepath.Join("plans", q.Name+".json"), plan)
		r := request(t, q.SQL)
		r.Snapshot = large
		plan, explain := optimised(t, r)
		fixture(t, filepath.Join("scale10", q.Name+".json"), plan)
		fixture(t, filepath.Join("scale10", q.Name+".explain.json"), explain)
	}
}

// optimised returns the engine's plan of a statement and its EXPLAIN.
func optimised(t *testing.T, r Request) (plan, explain []byte) {
	t.Helper()
	f := front(t)
	st, err := f.read(t.Context(), &r, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = f.withDeadline(t.Context(), &r, f.cfg.BindDeadline, func(in *plandb.Instance) (func(), error) {
		if err := bindable(in, st); err != nil {
			return nil, err
		}
		gotPlan, err := in.Plan(r.SQL)
		if err != nil {
			return nil, err
		}
		gotExplain, err := in.Explain(r.SQL)
		return func() { plan, explain = stable(gotPlan, in), estimatesOnly(t, gotExplain) }, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan, explain
}

// An estimated operator is what package planjson reads of EXPLAIN.
type estimated struct {
	Name     string            `json:"name"`
	Children []estimated       `json:"children"`
	Extra    map[string]string `json:"extra_info"`
}

// estimatesOnly leaves out of an EXPLAIN what depends on earlier plans, and what nobody reads.
func estimatesOnly(t *testing.T, explain []byte) []byte {
	t.Helper()
	var kept []estimated
	var strip func(any) estimated
	strip = func(v any) estimated {
		from, _ := v.(map[string]any)
		name, _ := from["name"].(string)
		if strings.HasPrefix(name, strings.ToUpper(plandb.StubPrefix)) {
			name = "SCAN"
		}
		e := estimated{Name: name, Children: []estimated{}, Extra: map[string]string{}}
		if extra, ok := from["extra_info"].(map[string]any); ok {
			if rows, ok := extra["Estimated Cardinality"].(string); ok {
				e.Extra["Estimated Cardinality"] = rows
			}
		}
		children, _ := from["children"].([]any)
		for _, c := range children {
			e.Children = append(e.Children, strip(c))
		}
		return e
	}
	var all []any
	if err := json.Unmarshal(explain, &all); err != nil {
		t.Fatal(err)
	}
	for _, root := range all {
		kept = append(kept, strip(root))
	}
	text, err := json.MarshalIndent(kept, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// fixture compares a file with what the engine gives, and writes it with -rewrite.
func fixture(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("planjson", "testdata", name)
	if rewrite := flag.Lookup("rewrite"); rewrite != nil && rewrite.Value.String() == "true" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != string(got) {
		t.Errorf("%s differs from the engine's plan (%v); renew it with -rewrite and review the trees", path, err)
	}
}

// stable names stubs by their tables: their numbers depend on what was planned before.
func stable(plan []byte, in *plandb.Instance) []byte {
	s := string(plan)
	for i := 4096; i > 0; i-- {
		name := plandb.StubPrefix + itoa(i)
		if t, ok := in.Stub(name); ok {
			s = strings.ReplaceAll(s, `"`+name+`"`, `"`+plandb.StubPrefix+t.Name.Table+`"`)
		}
	}
	return []byte(s)
}
