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
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/frontend/planjson"
)

// TestTPCH shows the plans of TPC-H's queries for three workers, from the frontend's committed plan JSON.
func TestTPCH(t *testing.T) {
	tables := tpchTables()
	datadriven.RunTest(t, "testdata/tpch.txt", func(t *testing.T, d *datadriven.TestData) string {
		var n int
		d.ScanArgs(t, "query", &n)
		path := filepath.Join("..", "internal", "frontend", "planjson", "testdata", "plans", fmt.Sprintf("q%02d.json", n))
		plan, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := planjson.Decode(plan, func(function string) (*table.Table, bool) {
			tab, ok := tables[strings.TrimPrefix(function, "arbalest_stub_")]
			return tab, ok
		})
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		p, err := distplan.Build(
			distplan.Statement{Tree: tree, Columns: resultColumns(tree, make([]string, len(tree.Types())))},
			distplan.Options{Workers: 3, SmallBytes: 1 << 10},
		)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return distplan.ExplainOn(p, tasks(t, p, 3))
	})
}

// tpchTables are TPC-H's at scale 1, in files of up to 800,000 rows and row groups of up to 100,000.
func tpchTables() map[string]*table.Table {
	const groupRows, fileGroups, columnBytes = 100_000, 8, 200_000
	all := map[string]*table.Table{}
	for _, from := range tpch.Tables() {
		t := &table.Table{
			Name: table.Name{Catalog: "arbalest", Schema: "main", Table: from.Name}, Columns: from.Columns,
			Format: table.Parquet, Rows: from.Rows, RowsExact: true,
		}
		for left := from.Rows; left > 0; {
			f := table.File{Path: fmt.Sprintf("%s/%d", from.Name, len(t.Files))}
			for g := 0; g < fileGroups && left > 0; g++ {
				group := table.RowGroup{FirstRow: f.Rows, Rows: min(left, groupRows)}
				for range from.Columns {
					group.Bytes = append(group.Bytes, columnBytes*group.Rows/groupRows)
				}
				f.Rows, left = f.Rows+group.Rows, left-group.Rows
				f.RowGroups = append(f.RowGroups, group)
			}
			t.Files = append(t.Files, f)
		}
		all[from.Name] = t
	}
	return all
}
