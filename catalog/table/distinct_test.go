package table

import (
	"math"
	"testing"
)

// zoned makes files of one row group each, whose values lie from each of the lows over a width.
func zoned(width int64, lows ...int64) []File {
	files := make([]File, len(lows))
	for i, low := range lows {
		var z Zone
		z.Add(Bounds{Min: Value{Number: low}, Max: Value{Number: low + width - 1}, Known: true, Nulls: NullsNone}, false)
		files[i] = File{Rows: 1000, Zones: []Zone{z}}
	}
	return files
}

// TestDistinct: the estimate for a table from what its row groups tell, whether values repeat over them or not.
func TestDistinct(t *testing.T) {
	unknown := make([]File, 4)
	for i := range unknown {
		unknown[i].Rows = 1000
	}
	for _, c := range []struct {
		name     string
		count    DistinctCount
		rows     int64
		files    []File
		from, to int64
		together bool
	}{
		{"nothing is known", DistinctCount{}, 4000, unknown, 0, 0, false},
		{"no rows", DistinctCount{1, 10, 10}, 0, unknown, 0, 0, false},
		{"few values in every row group", DistinctCount{4, 4000, 40}, 4000, unknown, 10, 11, false},
		{"every value is another", DistinctCount{4, 4000, 4000}, 4000, unknown, 4000, 4000, false},
		{"some repeat: 1000 draws of 1000 meet 632", DistinctCount{4, 4000, 2528}, 4000, unknown, 990, 1010, false},
		{"sorted: each row group has its own", DistinctCount{4, 4000, 1000}, 4000, zoned(250, 0, 250, 500, 750), 1000, 1000, true},
		{"sorted, half of the row groups tell", DistinctCount{2, 2000, 500}, 4000, zoned(250, 0, 250, 500, 750), 1000, 1000, true},
		{"never more than there are numbers", DistinctCount{4, 4000, 4000}, 4000, zoned(300, 7, 7, 7, 7), 300, 300, false},
		{"two row groups say nothing of an order", DistinctCount{2, 2000, 2000}, 2000, zoned(1000, 0, 1000), 2000, 2000, false},
	} {
		got, together := Distinct(c.count, c.rows, c.files, 0)
		if got < c.from || got > c.to || together != c.together {
			t.Errorf("%s: %d, together %v; want %d to %d, %v", c.name, got, together, c.from, c.to, c.together)
		}
	}
}

// TestPopulation: it is the inverse of how many different values draws meet.
func TestPopulation(t *testing.T) {
	for _, d := range []float64{1, 3, 100, 1e4, 1e6} {
		for _, n := range []float64{1, 50, 1e4, 1e6} {
			v := -math.Expm1(-n/d) * d
			if n/d < 1e-3 || n/d > 30 {
				continue // v is n or d to the last digits
			}
			if got := Population(n, v); math.Abs(got-d) > d*1e-3 {
				t.Errorf("%v draws meet %v: a population of %v, want %v", n, v, got, d)
			}
		}
	}
	if !math.IsInf(Population(10, 10), 1) {
		t.Error("a population of which all draws differ is bounded")
	}
}
