package distplan_test

import (
	"errors"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
)

// FuzzCutValidates builds plans of random trees. Each must validate, read each table of the tree, and come out the same
// the second time.
func FuzzCutValidates(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := newGen(seed)
		tree := g.tree(1 + g.IntN(5))
		st := distplan.Statement{Tree: tree}
		for _, typ := range tree.Types() {
			st.Columns = append(st.Columns, table.Column{Name: "c", Type: typ})
		}
		_, unprintable := sqltext.SelectOver(tree, func(*operator.Scan) (string, error) { return "x", nil })
		for _, workers := range []int{1, 2, 3, 5} {
			for _, mode := range []distplan.Mode{distplan.Auto, distplan.Always, distplan.Never} {
				opts := distplan.Options{
					Workers: workers, Distributed: mode, Partitions: g.IntN(9),
					JoinStrategy: []distplan.JoinStrategy{"", distplan.JoinExchange, distplan.JoinBroadcast}[g.IntN(3)],
				}
				p, err := distplan.Build(st, opts)
				if unprintable != nil {
					if !errors.Is(err, sqltext.ErrUnprintable) {
						t.Fatalf("%+v: %v; the tree itself is %v", opts, err, unprintable)
					}
					continue
				}
				if err != nil {
					t.Fatalf("%+v: %v", opts, err)
				}
				if err := distplan.Validate(p); err != nil {
					t.Fatalf("%+v: %v\n%s", opts, err, distplan.Explain(p))
				}
				again, err := distplan.Build(st, opts)
				if err != nil || distplan.Explain(p) != distplan.Explain(again) || fragments(p) != fragments(again) {
					t.Fatalf("%+v: another plan the second time (%v)", opts, err)
				}
				read := map[string]bool{}
				for _, s := range p.Stages {
					for _, scan := range s.Scans {
						read[scan.Table.Name.Table] = true
					}
				}
				for _, s := range operator.Scans(tree) {
					if !read[s.Table.Name.Table] {
						t.Fatalf("%+v: %s is not read\n%s", opts, s.Table.Name, distplan.Explain(p))
					}
				}
			}
		}
	})
}

// BenchmarkBuild plans a join of aggregates over a table of a thousand files for twenty workers.
func BenchmarkBuild(b *testing.B) {
	g := newGen(1)
	for range 250 {
		g.tables[0].Files = append(g.tables[0].Files, g.tables[0].Files[:4]...)
	}
	scan := func() operator.Node { return &operator.Scan{Table: g.tables[0], Columns: []int{0, 1, 3}} }
	tree := g.join(g.aggregate(scan()), g.aggregate(scan()))
	st := distplan.Statement{Tree: tree}
	for _, typ := range tree.Types() {
		st.Columns = append(st.Columns, table.Column{Name: "c", Type: typ})
	}
	for b.Loop() {
		if _, err := distplan.Build(st, distplan.Options{Workers: 20, Distributed: distplan.Always}); err != nil {
			b.Fatal(err)
		}
	}
}
