package distplan

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

func TestDealRanges(t *testing.T) {
	for _, c := range []struct {
		weights, shares []float64
		want            string
	}{
		{[]float64{1, 1, 1, 1}, []float64{1, 1}, "[{0 2} {2 4}]"},
		{[]float64{1, 1, 1, 1}, []float64{3, 1}, "[{0 3} {3 4}]"},
		{[]float64{9, 1, 1, 1}, []float64{1, 1, 1}, "[{0 0} {0 1} {1 4}]"},
		{[]float64{1}, []float64{1, 1, 1}, "[{0 0} {0 1} {1 1}]"},
		{[]float64{0, 0}, []float64{1, 1}, "[{0 2} {2 2}]"},
	} {
		if got := fmt.Sprint(DealRanges(c.weights, c.shares)); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.weights, c.shares, got, c.want)
		}
	}
}

// TestEveryValueIsDealtOnce: however values lie, each is in the range of exactly one run, and every split that may hold it is
// in that run's task.
func TestEveryValueIsDealtOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	for range 2000 {
		typ := table.Of(table.BigInt)
		list := make([]slab, 1+rng.IntN(30))
		low := rng.Int64N(100) - 50
		for i := range list {
			b := table.Bounds{Min: table.Value{Number: low}, Max: table.Value{Number: low + rng.Int64N(20)}, Known: true, Nulls: table.NullState(1 + rng.IntN(2))}
			list[i] = slab{b, 1 + float64(rng.IntN(10))}
			low += rng.Int64N(12)
		}
		var total float64
		for _, s := range list {
			total += s.bytes
		}
		ranges := cutRanges(typ, [][]slab{list}, 0, total, 1+rng.IntN(20), 1+rng.IntN(5))
		weights := make([]float64, ranges.Count())
		for _, s := range list {
			weights[firstRange(ranges, s.bounds)] += s.bytes
		}
		shares := make([]float64, 1+rng.IntN(6))
		for i := range shares {
			shares[i] = float64(1 + rng.IntN(4))
		}
		runs := DealRanges(weights, shares)
		for i, r := range runs {
			if i == 0 && r.First != 0 || i > 0 && r.First != runs[i-1].Until || i == len(runs)-1 && r.Until != ranges.Count() {
				t.Fatalf("%d ranges dealt as %v", ranges.Count(), runs)
			}
		}
		for _, s := range list {
			span := spanOf(ranges, s.bounds)
			for n := s.bounds.Min.Number; n <= s.bounds.Max.Number; n++ {
				holders := 0
				for _, r := range runs {
					if inRun(ranges, r, n) {
						holders++
						if !r.Holds(span) {
							t.Fatalf("value %d of %+v is in run %v of %v, which does not read its split", n, s.bounds, r, ranges.Cuts)
						}
					}
				}
				if holders != 1 {
					t.Fatalf("value %d is in %d of the runs %v of %v", n, holders, runs, ranges.Cuts)
				}
			}
			if span.Nulls {
				holders := 0
				for _, r := range runs {
					if !r.Empty() && r.First == 0 && r.Holds(span) {
						holders++
					}
				}
				if holders != 1 {
					t.Fatalf("NULLs are read by %d of the runs %v", holders, runs)
				}
			}
		}
	}
}

// inRun is the condition that a task reads by, the dumb way.
func inRun(r *operator.Ranges, run Run, n int64) bool {
	return !run.Empty() && (run.First == 0 || n >= r.Cuts[run.First-1].Number) && (run.Until == r.Count() || n < r.Cuts[run.Until-1].Number)
}
