package operator

import "github.com/arbalest-sql/arbalest/catalog/table"

// Ranges cut the domain of a key: range r holds the keys k with Cuts[r-1] <= k < Cuts[r]; the first range has no lower end
// and holds the NULLs, the last one has no upper end. Scans that share the very same Ranges are read so that each task gets
// the rows of the same ranges of all of them.
type Ranges struct {
	Type table.Type
	// Cuts are strictly ascending values of Type.
	Cuts []table.Value
	// Weights are the bytes of each range, of all scans together: all of them are dealt to tasks by these.
	Weights []float64
}

// Count is the number of ranges.
func (r *Ranges) Count() int { return len(r.Cuts) + 1 }

// RangesBy says by which output column of a scan its rows go to ranges.
type RangesBy struct {
	*Ranges
	Column int
}
