package distplan

import (
	"slices"
	"sort"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// A Span says in which ranges the rows of a split may be: First to Last, and in range 0 too when Nulls.
type Span struct {
	First, Last int
	Nulls       bool
}

// A Run is ranges First to Until-1, those of one task.
type Run struct{ First, Until int }

// Empty reports whether no range is in the run.
func (r Run) Empty() bool { return r.First >= r.Until }

// Holds reports whether a split may hold rows of the run.
func (r Run) Holds(s Span) bool {
	return !r.Empty() && (s.First < r.Until && s.Last >= r.First || s.Nulls && r.First == 0)
}

// Within reports whether all rows of a split are in the run.
func (r Run) Within(s Span) bool {
	return s.First >= r.First && s.Last < r.Until && (!s.Nulls || r.First == 0)
}

// SpanOf says in which of a divided scan's ranges the rows of a row group of a file may be.
func (s *ScanInput) SpanOf(f *table.File, group int) Span {
	return spanOf(s.By.Ranges, f.Zone(s.Columns[s.By.Column]).At(group))
}

// DealRanges gives each of several takers a run of ranges, together all of them in order, by weights as near to the
// takers' shares (positive) as whole ranges allow. Some runs may be empty. A range goes to the taker in whose share its middle lies.
func DealRanges(weights, shares []float64) []Run {
	var total, shared float64
	for _, w := range weights {
		total += w
	}
	for _, s := range shares {
		shared += s
	}
	runs := make([]Run, len(shares))
	taker, end, before := 0, total*shares[0]/shared, 0.0
	for r, w := range weights {
		for taker < len(shares)-1 && before+w/2 > end {
			taker++
			end += total * shares[taker] / shared
			runs[taker] = Run{r, r}
		}
		runs[taker].Until = r + 1
		before += w
	}
	for t := taker + 1; t < len(runs); t++ {
		runs[t] = Run{len(weights), len(weights)}
	}
	return runs
}

// cutRanges cuts the slabs of all lists into about count ranges of equal bytes, at lower bounds of the main list's slabs
// where these are at least twice as many as tasks, else of any.
func cutRanges(typ table.Type, lists [][]slab, main int, total float64, count, tasks int) *operator.Ranges {
	ranges := &operator.Ranges{Type: typ}
	fromMain := len(lists[main]) >= 2*tasks
	next := make([]int, len(lists))
	step := total / float64(count)
	var before, last float64
	for first := true; ; first = false {
		at := -1
		for i, list := range lists {
			if next[i] < len(list) && (at < 0 || compareSlabs(list[next[i]], lists[at][next[at]]) < 0) {
				at = i
			}
		}
		if at < 0 {
			return ranges
		}
		s := lists[at][next[at]]
		next[at]++
		if !first && s.bounds.Known && before-last >= step && (at == main || !fromMain) && cuttable(ranges, s.bounds.Min) {
			ranges.Cuts = append(ranges.Cuts, s.bounds.Min)
			last = before
		}
		before += s.bytes
	}
}

// cuttable reports whether a value may be the next cut: it is after the last, and SQL can say it.
func cuttable(r *operator.Ranges, v table.Value) bool {
	if n := len(r.Cuts); n > 0 && r.Cuts[n-1].Compare(v) >= 0 {
		return false
	}
	_, ok := v.SQL(r.Type)
	return ok
}

// rangeOf is the range in which a value is.
func rangeOf(r *operator.Ranges, v table.Value) int {
	return sort.Search(len(r.Cuts), func(i int) bool { return r.Cuts[i].Compare(v) > 0 })
}

func firstRange(r *operator.Ranges, b table.Bounds) int {
	if !b.Known {
		return 0
	}
	return rangeOf(r, b.Min)
}

// spanOf says in which ranges rows within bounds may be. Bounds that are not known are those of NULLs alone, which are in
// range 0, or may be anywhere.
func spanOf(r *operator.Ranges, b table.Bounds) Span {
	switch {
	case b.Known:
		return Span{rangeOf(r, b.Min), rangeOf(r, b.Max), b.Nulls != table.NullsNone}
	case b.Nulls == table.NullsOnly:
		return Span{0, 0, true}
	}
	return Span{0, len(r.Cuts), true}
}

// rangedSplits cuts a scan into splits that say in which ranges their rows may be: adjoining row groups of the same ranges
// are one split.
func rangedSplits(n *operator.Scan) ([]table.Split, []Span) {
	var splits []table.Split
	var spans []Span
	group := -1 // of the last split's end
	for _, u := range unitsOf(n.Table, n.Columns, n.Skip) {
		f := &n.Table.Files[u.file]
		span := spanOf(n.By.Ranges, f.Zone(n.Columns[n.By.Column]).At(u.group))
		if len(f.RowGroups) == 0 {
			splits = append(splits, table.Split{File: f, Rows: -1, Bytes: u.weight})
			spans = append(spans, span)
			continue
		}
		g := f.RowGroups[u.group]
		last := len(splits) - 1
		if last < 0 || splits[last].File != f || group != u.group-1 || spans[last] != span {
			splits = append(splits, table.Split{File: f, FirstRow: g.FirstRow})
			spans = append(spans, span)
			last++
		}
		splits[last].Rows += g.Rows
		splits[last].Bytes += u.weight
		group = u.group
	}
	return slices.Clip(splits), spans
}
