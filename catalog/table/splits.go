package table

// rowGroupCost stands for what a row group costs to open, in bytes, besides the columns read. It lets a scan of no column
// (count(*)) be cut and balanced too.
const rowGroupCost = 64

// Splits cuts the table's files into units of scan input of about targetBytes each, counted in compressed bytes of the
// projected columns (indices into t.Columns; negative ones are no columns). A file under the target, or one that cannot be
// cut, stays whole; so does everything when targetBytes ≤ 0. A row group is never cut, so a split may exceed the target by
// less than one row group. Every row of the table is in exactly one split, and splits are in the files' and rows' order.
func Splits(t *Table, columns []int, targetBytes int64) []Split {
	splits := make([]Split, 0, len(t.Files))
	for i := range t.Files {
		f := &t.Files[i]
		total, costs := fileCost(f, columns)
		if len(f.RowGroups) < 2 || targetBytes <= 0 || total <= targetBytes {
			splits = append(splits, Split{File: f, Rows: -1, Bytes: total})
			continue
		}
		splits = append(splits, cutFile(f, total, costs, targetBytes)...)
	}
	return splits
}

// fileCost sums the projected bytes of a file, and of each row group.
func fileCost(f *File, columns []int) (total int64, costs []int64) {
	if len(f.RowGroups) == 0 {
		// A text file is read whole whatever the columns.
		return f.Size, nil
	}
	costs = make([]int64, len(f.RowGroups))
	for g, group := range f.RowGroups {
		costs[g] = rowGroupCost
		for _, c := range columns {
			if c >= 0 {
				costs[g] += group.Bytes[c]
			}
		}
		total += costs[g]
	}
	return total, costs
}

// cutFile cuts a file into runs of nearly equal size: as many as the size of what is left asks for, each ending at the row
// group with which it reaches its share.
func cutFile(f *File, total int64, costs []int64, targetBytes int64) []Split {
	share := func(rest int64) int64 {
		runs := max(1, (rest+targetBytes-1)/targetBytes)
		return (rest + runs - 1) / runs
	}
	var splits []Split
	rest, want := total, share(total)
	current := Split{File: f, FirstRow: f.RowGroups[0].FirstRow}
	for g, group := range f.RowGroups {
		current.Rows += group.Rows
		current.Bytes += costs[g]
		last := g == len(f.RowGroups)-1
		if current.Bytes < want && !last {
			continue
		}
		splits = append(splits, current)
		if !last {
			rest -= current.Bytes
			want = share(rest)
			current = Split{File: f, FirstRow: f.RowGroups[g+1].FirstRow}
		}
	}
	if len(splits) == 1 {
		splits[0].FirstRow, splits[0].Rows = 0, -1
	}
	return splits
}
