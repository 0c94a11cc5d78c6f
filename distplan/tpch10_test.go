package distplan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/frontend/planjson"
)

// large is the size from which a scan, or what is gathered, counts as large.
const large = 64 << 20

// plan10 plans a query of TPC-H at scale 10, from the frontend's committed plan and estimates.
func plan10(t *testing.T, query, workers int) *distplan.Plan {
	t.Helper()
	return plan10Over(t, tpch.Scale10(), query, distplan.Options{Workers: workers})
}

// plan10Over likewise, over tables that know more or less, and with other options.
func plan10Over(t *testing.T, tables map[string]*table.Table, query int, options distplan.Options) *distplan.Plan {
	t.Helper()
	read := func(kind string) []byte {
		data, err := os.ReadFile(filepath.Join("..", "internal", "frontend", "planjson", "testdata", "scale10", fmt.Sprintf("q%02d%s.json", query, kind)))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	tree, err := planjson.Decode(read(""), func(function string) (*table.Table, bool) {
		tab, ok := tables[strings.TrimPrefix(function, "arbalest_stub_")]
		return tab, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	planjson.Estimates(tree, read(".explain"))
	options.SmallBytes = 16 << 20
	p, err := distplan.Build(distplan.Statement{Tree: tree, Columns: resultColumns(tree, make([]string, len(tree.Types())))}, options)
	if err != nil {
		t.Fatalf("query %d with %+v: %v", query, options, err)
	}
	return p
}

// TestTPCH10Validates plans every query in every way that a session may ask for: Validate refuses none.
func TestTPCH10Validates(t *testing.T) {
	tables := tpch.Scale10()
	for _, strategy := range []distplan.JoinStrategy{distplan.JoinAuto, distplan.JoinExchange, distplan.JoinBroadcast} {
		for _, workers := range []int{1, 3, 5} {
			for _, partitions := range []int{1, 2, 16} {
				for _, q := range tpch.Queries() {
					plan10Over(t, tables, q.Number, distplan.Options{
						Workers: workers, Partitions: partitions, JoinStrategy: strategy, Distributed: distplan.Always, OrderedEndpoints: workers == 3,
					})
				}
			}
		}
	}
}

// TestTPCH10 shows the plans at scale 10 for four workers.
func TestTPCH10(t *testing.T) {
	datadriven.RunTest(t, "testdata/tpch10.txt", func(t *testing.T, d *datadriven.TestData) string {
		var n int
		d.ScanArgs(t, "query", &n)
		p := plan10(t, n, 4)
		return distplan.ExplainOn(p, tasks(t, p, 4))
	})
}

// TestTPCH10Spreads holds of all 22 queries at scale 10: every join and every aggregate above a large scan runs in as many
// tasks as there are workers, and nothing that is estimated at more than 64 MiB is gathered below the root, nor broadcast.
func TestTPCH10Spreads(t *testing.T) {
	for _, workers := range []int{2, 4, 7} {
		for _, q := range tpch.Queries() {
			t.Run(fmt.Sprintf("%s/%d", q.Name, workers), func(t *testing.T) {
				p := plan10(t, q.Number, workers)
				ran := tasks(t, p, workers)
				if len(p.Fallbacks) > 0 {
					t.Errorf("falls back: %v", p.Fallbacks)
				}
				above := make([]bool, len(p.Stages)) // stages whose rows come from a large scan and were not aggregated yet
				for _, s := range p.Stages {
					checkSpread(t, p, s, ran[s.ID], workers, above)
				}
				if t.Failed() {
					t.Logf("\n%s", distplan.ExplainOn(p, ran))
				}
			})
		}
	}
}

// checkSpread checks one stage, and notes whether its output still is the bulk of a large scan: joins and aggregates keep
// it so until the final half of an aggregate, or a DISTINCT, has made groups of it that are small.
func checkSpread(t *testing.T, p *distplan.Plan, s *distplan.Stage, tasks, workers int, above []bool) {
	t.Helper()
	for _, in := range s.Inputs {
		from := p.Stages[in.From]
		if s != p.Root() && in.Read != distplan.ReadShare && from.Bytes > large {
			t.Errorf("stage %d reads %.0f bytes of stage %d whole (%s)", s.ID, from.Bytes, in.From, in.Read)
		}
	}
	scans := 0
	var bulk func(n operator.Node) bool
	bulk = func(n operator.Node) bool {
		is := false
		for _, c := range n.Children() {
			is = bulk(c) || is
		}
		switch n := n.(type) {
		case *operator.Scan:
			scan := s.Scans[scans]
			scans++
			var bytes int64
			for _, split := range scan.Splits {
				bytes += split.Bytes
			}
			return bytes > large
		case *operator.Input:
			for _, in := range s.Inputs {
				if in.Name == n.Name {
					return above[in.From]
				}
			}
		case *operator.Join, *operator.DelimJoin, *operator.Cross:
			if is && tasks < workers {
				t.Errorf("stage %d joins a large scan in %d tasks", s.ID, tasks)
			}
		case *operator.Aggregate:
			if is && tasks < workers && n.Phase != operator.Final {
				t.Errorf("stage %d aggregates a large scan in %d tasks", s.ID, tasks)
			}
			return is && n.Phase != operator.Final && len(n.Groups) > 0
		case *operator.TopN, *operator.Limit:
			return false
		}
		return is
	}
	above[s.ID] = bulk(s.Body)
}
