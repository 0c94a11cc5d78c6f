package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// splitsPerWorker is how finely a table is cut: fine enough that schedule can balance, coarse enough that a task's list of
// splits stays short in its ticket.
const splitsPerWorker = 8

// splitsOf cuts a table into splits: whole files where they are small, else runs of row groups of about an eighth of a
// worker's share. Files come in the table's order, the runs of one file in row order, and every row is in exactly one
// split, but for the rows of units that are skipped, which are in none.
func splitsOf(t *table.Table, columns []int, skip []bool, workers int) []table.Split {
	var total int64
	units := unitsOf(t, columns, skip)
	for _, u := range units {
		total += u.weight
	}
	grain := max(total/int64(splitsPerWorker*max(workers, 1)), 1)
	splits := make([]table.Split, 0, len(t.Files))
	for len(units) > 0 {
		n := 1
		for n < len(units) && units[n].file == units[0].file {
			n++
		}
		splits = append(splits, fileSplits(&t.Files[units[0].file], units[:n], grain)...)
		units = units[n:]
	}
	return splits
}

// A unit is a row group that must be read, or a file that has none.
type unit struct {
	file, group int
	weight      int64
}

// unitsOf lists the units that must be read, in the table's order.
func unitsOf(t *table.Table, columns []int, skip []bool) []unit {
	columns = distinctColumns(columns)
	units := make([]unit, 0, len(t.Files))
	at := 0
	for i := range t.Files {
		f := &t.Files[i]
		for g := range f.Units() {
			if skip == nil || !skip[at] {
				units = append(units, unit{i, g, unitWeight(f, g, columns)})
			}
			at++
		}
	}
	return units
}

func fileSplits(f *table.File, units []unit, grain int64) []table.Split {
	var weight int64
	for _, u := range units {
		weight += u.weight
	}
	if len(units) == f.Units() && (len(units) < 2 || weight <= grain) {
		return []table.Split{{File: f, Rows: -1, Bytes: weight}}
	}
	var splits []table.Split
	for i, u := range units {
		g := f.RowGroups[u.group]
		last := len(splits) - 1
		if last < 0 || splits[last].Bytes >= grain || units[i-1].group != u.group-1 {
			splits = append(splits, table.Split{File: f, FirstRow: g.FirstRow})
			last++
		}
		splits[last].Rows += g.Rows
		splits[last].Bytes += u.weight
	}
	if len(splits) == 1 && len(units) == f.Units() {
		splits[0].FirstRow, splits[0].Rows = 0, -1
	}
	return splits
}

// unitWeight is the compressed bytes of the distinct columns that are read; a byte a row where none is, for count(*).
func unitWeight(f *table.File, group int, distinct []int) int64 {
	if len(f.RowGroups) == 0 {
		return max(f.Size, 1)
	}
	g := f.RowGroups[group]
	bytes := groupBytes(g, distinct)
	if bytes == 0 {
		return max(g.Rows, 1)
	}
	return bytes
}

func groupBytes(g table.RowGroup, distinct []int) int64 {
	var bytes int64
	for _, c := range distinct {
		if c < len(g.Bytes) {
			bytes += g.Bytes[c]
		}
	}
	return bytes
}

// scanBytes is how much a scan has to read: compressed bytes of its columns, or whole files where nothing finer is known.
func scanBytes(s *operator.Scan) int64 {
	var bytes int64
	columns := distinctColumns(s.Columns)
	at := 0
	for i := range s.Table.Files {
		f := &s.Table.Files[i]
		for g := range f.Units() {
			if s.Skip == nil || !s.Skip[at] {
				if len(f.RowGroups) == 0 {
					bytes += f.Size
				} else {
					bytes += groupBytes(f.RowGroups[g], columns)
				}
			}
			at++
		}
	}
	return bytes
}

// scanRows is how many rows a scan has to read.
func scanRows(s *operator.Scan) int64 {
	if s.Skip == nil {
		return s.Table.Rows
	}
	var rows int64
	at := 0
	for i := range s.Table.Files {
		f := &s.Table.Files[i]
		for g := range f.Units() {
			switch {
			case s.Skip[at]:
			case len(f.RowGroups) == 0:
				rows += f.Rows
			default:
				rows += f.RowGroups[g].Rows
			}
			at++
		}
	}
	return rows
}

func distinctColumns(columns []int) []int {
	var all []int
	seen := map[int]bool{}
	for _, c := range columns {
		if c >= 0 && !seen[c] {
			seen[c] = true
			all = append(all, c)
		}
	}
	return all
}
