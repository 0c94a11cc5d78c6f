package table

// Units counts what of a file can be read alone: its row groups, or the file when it has none.
func (f *File) Units() int { return max(1, len(f.RowGroups)) }

// CountUnits counts the units of all files, in whose order a scan numbers them.
func CountUnits(t *Table) int {
	n := 0
	for i := range t.Files {
		n += t.Files[i].Units()
	}
	return n
}
