package distplan

import (
	"cmp"
	"slices"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// A measure is what a set of members comes to.
type measure struct {
	ranges *operator.Ranges
	extra  float64
}

// A slab is a row group as a cluster sees it.
type slab struct {
	bounds table.Bounds
	bytes  float64
}

// slabs lists the row groups that a member must read, by their lower bounds; those of NULLs alone come first. False when
// the bounds of one are not known. The result is kept: the same scan is measured in many company.
func (d *distributor) slabs(m member) ([]slab, bool) {
	if all, ok := d.slabsOf[m]; ok {
		return all, all != nil
	}
	if d.slabsOf == nil {
		d.slabsOf = map[member][]slab{}
	}
	d.slabsOf[m] = nil
	var width float64
	for _, w := range d.sizes.widths(m.scan) {
		width += w
	}
	t, column := m.scan.Table, m.scan.Columns[m.column]
	all := []slab{}
	sorted := true
	at := -1
	for i := range t.Files {
		f := &t.Files[i]
		zone := f.Zone(column)
		for g := range f.Units() {
			if at++; m.scan.Skip != nil && m.scan.Skip[at] {
				continue
			}
			rows := f.Rows
			if len(f.RowGroups) > 0 {
				rows = f.RowGroups[g].Rows
			}
			if rows == 0 {
				continue
			}
			b := zone.At(g)
			if !b.Known && b.Nulls != table.NullsOnly {
				return nil, false
			}
			s := slab{b, float64(rows) * max(width, 1)}
			sorted = sorted && (len(all) == 0 || compareSlabs(all[len(all)-1], s) <= 0)
			all = append(all, s)
		}
	}
	if !sorted {
		slices.SortStableFunc(all, compareSlabs)
	}
	d.slabsOf[m] = all
	return all, true
}

func compareSlabs(a, b slab) int {
	if a.bounds.Known != b.bounds.Known {
		if b.bounds.Known {
			return -1
		}
		return 1
	}
	return cmp.Or(a.bounds.Min.Compare(b.bounds.Min), a.bounds.Max.Compare(b.bounds.Max))
}

// measureOf cuts the members and measures the result; false when they are not clustered, or not even.
func (d *distributor) measureOf(members []member) (measure, bool) {
	typ := members[0].scan.Table.Columns[members[0].scan.Columns[members[0].column]].Type
	lists := make([][]slab, len(members))
	total, largest := 0.0, 0.0
	main := 0
	for i, m := range members {
		var ok bool
		if lists[i], ok = d.slabs(m); !ok {
			return measure{}, false
		}
		var bytes float64
		for _, s := range lists[i] {
			bytes += s.bytes
		}
		total += bytes
		if bytes > largest {
			main, largest = i, bytes
		}
	}
	ranges := cutRanges(typ, lists, main, total, rangesPerWorker*d.opts.Workers, d.opts.Workers)
	if ranges.Count() < d.opts.Workers {
		return measure{}, false
	}
	// One run of ranges a task, dealt by bytes as schedule does.
	ranges.Weights = make([]float64, ranges.Count())
	for _, list := range lists {
		for _, s := range list {
			ranges.Weights[firstRange(ranges, s.bounds)] += s.bytes
		}
	}
	equal := make([]float64, d.opts.Workers)
	for i := range equal {
		equal[i] = 1
	}
	runs := DealRanges(ranges.Weights, equal)
	task := make([]int, ranges.Count())
	for t, run := range runs {
		var share float64
		for r := run.First; r < run.Until; r++ {
			task[r] = t
			share += ranges.Weights[r]
		}
		if share > unevenMax*total/float64(d.opts.Workers) {
			return measure{}, false
		}
	}
	m := measure{ranges: ranges}
	for _, list := range lists {
		var extra, bytes float64
		for _, s := range list {
			span := spanOf(ranges, s.bounds)
			tasks := task[span.Last] - task[span.First]
			if span.Nulls && task[span.First] > 0 {
				tasks++
			}
			bytes += s.bytes
			extra += s.bytes * float64(tasks)
		}
		if extra > overlapMax*bytes {
			return measure{}, false
		}
		m.extra += extra
	}
	return m, true
}
