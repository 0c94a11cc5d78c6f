package frontend

import (
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
// that is linked in. -rewrite renews them.
func TestFixtures(t *testing.T) {
	f := front(t)
	rewrite := flag.Lookup("rewrite")
	for _, q := range tpch.Queries() {
		var plan []byte
		r := request(t, q.SQL)
		st, err := f.read(t.Context(), &r, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = f.withDeadline(t.Context(), &r, func(in *plandb.Instance) (func(), error) {
			if err := bindable(in, st); err != nil {
				return nil, err
			}
			got, err := in.Plan(q.SQL)
			return func() { plan = stable(got, in) }, err
		})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("planjson", "testdata", "plans", q.Name+".json")
		if rewrite != nil && rewrite.Value.String() == "true" {
			if err := os.WriteFile(path, plan, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(want) != string(plan) {
			t.Errorf("%s differs from the engine's plan (%v); renew it with -rewrite and review the trees", path, err)
		}
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
