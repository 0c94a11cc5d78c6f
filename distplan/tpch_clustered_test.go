package distplan_test

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

// TestTPCHClustered shows the plans at scale 10, on four workers, of queries that join or group by a key by which TPC-H's
// generator sorts its tables; "shuffled" takes the same files with their rows in no order.
func TestTPCHClustered(t *testing.T) {
	sorted, shuffled := tpch.Scale10(), tpch.Scale10()
	// The largest key: those of orders are sparse, eight of thirty-two.
	for name, key := range map[string]struct {
		column string
		last   int64
	}{
		"lineitem": {"l_orderkey", 60_000_000}, "orders": {"o_orderkey", 60_000_000}, "customer": {"c_custkey", 1_500_000},
		"part": {"p_partkey", 2_000_000}, "partsupp": {"ps_partkey", 2_000_000}, "supplier": {"s_suppkey", 100_000},
	} {
		step := key.last/int64(table.CountUnits(sorted[name])) + 1
		for tables, z := range map[*table.Table]plantest.Zone{
			sorted[name]:   {Column: key.column, First: 1, Step: step, Width: step + 1, Nulls: table.NullsNone},
			shuffled[name]: {Column: key.column, First: 1, Width: key.last, Nulls: table.NullsNone},
		} {
			if err := plantest.Lay(tables, z); err != nil {
				t.Fatal(err)
			}
		}
	}
	datadriven.RunTest(t, "testdata/tpch_clustered.txt", func(t *testing.T, d *datadriven.TestData) string {
		var n int
		d.ScanArgs(t, "query", &n)
		tables := sorted
		if d.HasArg("shuffled") {
			tables = shuffled
		}
		p := plan10Over(t, tables, n, distplan.Options{Workers: 4})
		return distplan.ExplainOn(p, tasks(t, p, 4))
	})
}
