package tpch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
)

// TestParts reads a large table and adds up what each endpoint gave: as many endpoints as workers, each read at its own
// worker, no row twice, none missing, and every worker's own count agreeing.
func TestParts(t *testing.T) {
	dir, _ := data(t)
	for workers := 1; workers <= 3; workers++ {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			cluster := harness.Start(t, harness.Options{Data: []string{dir}, Workers: workers})
			session := dial(t, cluster, "SET arbalest.distributed = 'always'")
			total, err := harness.Count(t.Context(), session, "SELECT count(*) FROM lineitem")
			if err != nil {
				t.Fatal(err)
			}
			if err := cluster.WaitIdle(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := served(t, cluster)
			result, err := session.Query(t.Context(), "SELECT l_orderkey, l_linenumber FROM lineitem")
			if err != nil {
				t.Fatal(err)
			}
			defer result.Release()
			if len(result.Parts) != workers {
				t.Fatalf("%d endpoints, want one a worker: %d", len(result.Parts), workers)
			}
			if result.Rows() != total {
				t.Errorf("the parts have %d rows, the table %d", result.Rows(), total)
			}
			if err := cluster.WaitIdle(t.Context()); err != nil {
				t.Fatal(err)
			}
			after := served(t, cluster)
			places := map[string]bool{}
			for i, part := range result.Parts {
				_, place, _ := strings.Cut(part.Location, "://")
				if places[place] {
					t.Errorf("two endpoints were read at %q", place)
				}
				places[place] = true
				if part.Rows == 0 || workers > 1 && part.Rows == total {
					t.Errorf("endpoint %d gave %d of %d rows", i, part.Rows, total)
				}
				if given, ok := after[place]; !ok || given-before[place] != float64(part.Rows) {
					t.Errorf("endpoint %d gave %d rows at %q; that worker counted %v", i, part.Rows, place, given-before[place])
				}
			}
			distinct(t, result.Parts)
		})
	}
}

// served reads from each worker how many rows its ended tasks have given so far, by its address.
func served(t *testing.T, cluster *harness.Cluster) map[string]float64 {
	t.Helper()
	rows := map[string]float64{}
	for _, w := range cluster.Workers {
		metrics, err := w.Metrics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sum, _ := metrics.Sum(harness.MetricOutputRows) // absent = none yet
		rows[w.Address] = sum
	}
	return rows
}

// distinct holds that no row, by its primary key, came from two places or twice.
func distinct(t *testing.T, parts []client.Part) {
	t.Helper()
	// An order has at most seven lines, so that eight places an order number every row; each holds its endpoint, from 1.
	var seen []uint8
	for i, part := range parts {
		for _, batch := range part.Batches {
			orders, lines := batch.Column(0).(*array.Int64), batch.Column(1).(*array.Int32)
			for row := range int(batch.NumRows()) {
				key := int(orders.Value(row)*8 + int64(lines.Value(row)))
				if key >= len(seen) {
					seen = append(seen, make([]uint8, key+1)...)
				}
				if first := seen[key]; first != 0 {
					t.Fatalf("order %d line %d came from endpoint %d and from %d", orders.Value(row), lines.Value(row), first-1, i)
				}
				seen[key] = uint8(i + 1)
			}
		}
	}
}
