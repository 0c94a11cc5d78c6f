package table

import "slices"

const (
	// SummaryValuesMax is how many distinct values a Summary lists: as many as are quickly compared with every row.
	SummaryValuesMax = 128
	// SummaryTextBytesMax is the longest text that a Summary may hold, so that one is small enough to be sent along.
	SummaryTextBytesMax = 64
)

// A Summary says which values, beside NULL, a column of some rows has; all of one type that is Ordered.
type Summary struct {
	// Values are all distinct ones in order; with Range, the least and the greatest only.
	Values []Value
	Range  bool
}

// Merge is the summary of several columns' values together.
func Merge(parts []Summary) Summary {
	var all Summary
	for _, p := range parts {
		all.Range = all.Range || p.Range
		all.Values = append(all.Values, p.Values...)
	}
	slices.SortFunc(all.Values, Value.Compare)
	all.Values = slices.Compact(all.Values)
	if n := len(all.Values); n > 0 && (all.Range || n > SummaryValuesMax) {
		all.Values, all.Range = []Value{all.Values[0], all.Values[n-1]}, true
	}
	return all
}
