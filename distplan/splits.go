package distplan

import "github.com/arbalest-sql/arbalest/catalog/table"

// splitsPerWorker is how finely a table is cut: fine enough that schedule can balance, coarse enough that a task's list of
// splits stays short in its ticket.
const splitsPerWorker = 8

// splitsOf cuts a table into splits: whole files where they are small, else runs of row groups of about an eighth of a
// worker's share. Files come in the table's order, the runs of one file in row order, and every row is in exactly one split.
func splitsOf(t *table.Table, columns []int, workers int) []table.Split {
	var total int64
	for i := range t.Files {
		total += fileWeight(&t.Files[i], columns)
	}
	grain := max(total/int64(splitsPerWorker*max(workers, 1)), 1)
	splits := make([]table.Split, 0, len(t.Files))
	for i := range t.Files {
		splits = append(splits, fileSplits(&t.Files[i], columns, grain)...)
	}
	return splits
}

func fileSplits(f *table.File, columns []int, grain int64) []table.Split {
	weight := fileWeight(f, columns)
	if len(f.RowGroups) < 2 || weight <= grain {
		return []table.Split{{File: f, Rows: -1, Bytes: weight}}
	}
	var splits []table.Split
	run := table.Split{File: f}
	for i, g := range f.RowGroups {
		if run.Rows == 0 {
			run.FirstRow = g.FirstRow
		}
		run.Rows += g.Rows
		run.Bytes += groupWeight(g, columns)
		if run.Bytes >= grain || i == len(f.RowGroups)-1 {
			splits = append(splits, run)
			run = table.Split{File: f}
		}
	}
	if len(splits) == 1 {
		splits[0].FirstRow, splits[0].Rows = 0, -1
	}
	return splits
}

// groupWeight is the compressed bytes of the columns that are read; a byte a row where none is, for count(*).
func groupWeight(g table.RowGroup, columns []int) int64 {
	bytes := groupBytes(g, columns)
	if bytes == 0 {
		return max(g.Rows, 1)
	}
	return bytes
}

func groupBytes(g table.RowGroup, columns []int) int64 {
	var bytes int64
	for _, c := range distinctColumns(columns) {
		if c < len(g.Bytes) {
			bytes += g.Bytes[c]
		}
	}
	return bytes
}

func fileWeight(f *table.File, columns []int) int64 {
	if len(f.RowGroups) == 0 {
		return max(f.Size, 1)
	}
	var weight int64
	for _, g := range f.RowGroups {
		weight += groupWeight(g, columns)
	}
	return weight
}

// scanBytes is how much a scan has to read: compressed bytes of its columns, or whole files where nothing finer is known.
func scanBytes(t *table.Table, columns []int) int64 {
	var bytes int64
	for _, f := range t.Files {
		if len(f.RowGroups) == 0 {
			bytes += f.Size
		}
		for _, g := range f.RowGroups {
			bytes += groupBytes(g, columns)
		}
	}
	return bytes
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
