package drivertest

import (
	"slices"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// CheckTable reports what planning relies on and the table does not keep.
func CheckTable(t testing.TB, tab *table.Table) {
	t.Helper()
	if len(tab.Columns) == 0 {
		t.Errorf("%s: no columns", tab.Name)
	}
	seen := map[string]bool{}
	for _, c := range tab.Columns {
		if seen[table.Fold(c.Name)] {
			t.Errorf("%s: two columns named %q", tab.Name, c.Name)
		}
		seen[table.Fold(c.Name)] = true
		if again, err := table.ParseType(c.Type.SQL()); err != nil || !again.Equal(c.Type) {
			t.Errorf("%s.%s: type %q is not read back: %v", tab.Name, c.Name, c.Type.SQL(), err)
		}
	}
	if len(tab.Stats) != 0 && len(tab.Stats) != len(tab.Columns) {
		t.Errorf("%s: statistics of %d columns, there are %d", tab.Name, len(tab.Stats), len(tab.Columns))
	}
	for _, p := range tab.PartitionColumns {
		if p < 0 || p >= len(tab.Columns) {
			t.Errorf("%s: no column %d for a key", tab.Name, p)
		}
	}
	if !slices.IsSortedFunc(tab.Files, func(a, b table.File) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	}) {
		t.Errorf("%s: files are not sorted, or one stands there twice", tab.Name)
	}
	var rows int64
	for i := range tab.Files {
		rows += tab.Files[i].Rows
		checkFile(t, tab, &tab.Files[i])
	}
	if tab.Inline == nil && rows != tab.Rows {
		t.Errorf("%s: %d rows, its files have %d", tab.Name, tab.Rows, rows)
	}
}

func checkFile(t testing.TB, tab *table.Table, f *table.File) {
	t.Helper()
	if len(f.Keys) != len(tab.PartitionColumns) {
		t.Errorf("%s: %d keys, the table has %d", f.Path, len(f.Keys), len(tab.PartitionColumns))
	}
	if f.Size < 0 || f.ModTime == 0 {
		t.Errorf("%s: size %d, modification time %d do not identify it", f.Path, f.Size, f.ModTime)
	}
	var next int64
	for g, group := range f.RowGroups {
		if group.FirstRow != next || len(group.Bytes) != len(tab.Columns) {
			t.Errorf("%s: row group %d starts at %d with %d columns, expected %d with %d", f.Path, g, group.FirstRow, len(group.Bytes), next, len(tab.Columns))
		}
		next += group.Rows
	}
	if len(f.RowGroups) > 0 && next != f.Rows {
		t.Errorf("%s: %d rows, its row groups have %d", f.Path, f.Rows, next)
	}
}
