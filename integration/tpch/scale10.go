package tpch

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

//go:embed scale10.txt
var scale10 string

// Scale10 describes the tables as the catalog does at scale factor 10, for plans without data: their files (which are not
// there), row groups, and the bytes and the numbers of values of their columns. Nobody may change the tables; each call makes new ones.
func Scale10() map[string]*table.Table {
	all := map[string]*table.Table{}
	var t *table.Table
	var files, groups int
	for _, line := range strings.Split(scale10, "\n") {
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "table "):
			var name string
			var rows int64
			if _, err := fmt.Sscanf(line, "table %s files=%d groups=%d rows=%d", &name, &files, &groups, &rows); err != nil {
				panic("tpch: " + line + ": " + err.Error())
			}
			t = emptyTable(name, files, groups, rows)
			all[name] = t
		default:
			var name string
			var s table.ColumnStats
			if _, err := fmt.Sscan(line, &name, &s.CompressedBytes, &s.UncompressedBytes, &s.Distinct, &s.Together); err != nil {
				panic("tpch: " + line + ": " + err.Error())
			}
			if c := t.Columns[len(t.Stats)].Name; c != name {
				panic("tpch: " + line + " is not " + c)
			}
			addColumn(t, s, files*groups)
		}
	}
	return all
}

// emptyTable divides rows evenly among files and their row groups; columns have no bytes yet.
func emptyTable(name string, files, groups int, rows int64) *table.Table {
	t := &table.Table{
		Name: table.Name{Catalog: "arbalest", Schema: "main", Table: name}, Format: table.Parquet, Rows: rows, RowsExact: true,
	}
	for _, from := range Tables() {
		if from.Name == name {
			t.Columns = from.Columns
		}
	}
	all, done := int64(files*groups), int64(0)
	for f := range files {
		file := table.File{Path: fmt.Sprintf("%s.%d.parquet", name, f)}
		for range groups {
			done++
			g := table.RowGroup{FirstRow: file.Rows, Rows: rows*done/all - rows*(done-1)/all}
			file.Rows += g.Rows
			file.RowGroups = append(file.RowGroups, g)
		}
		t.Files = append(t.Files, file)
	}
	return t
}

func addColumn(t *table.Table, s table.ColumnStats, groups int) {
	t.Stats = append(t.Stats, s)
	each := s.CompressedBytes / int64(groups)
	for f := range t.Files {
		file := &t.Files[f]
		for g := range file.RowGroups {
			file.RowGroups[g].Bytes = append(file.RowGroups[g].Bytes, each)
			file.Size += each
		}
	}
}
