package dirdriver

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func columnsOf(t *table.Table) string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name+" "+c.Type.SQL())
	}
	return strings.Join(out, ", ")
}

func optionsOf(t *table.Table) string {
	var out []string
	for _, o := range t.Options {
		out = append(out, o.Name+"="+o.SQL)
	}
	return strings.Join(out, " ")
}

func keysOf(t *table.Table) string {
	var out []string
	for _, f := range t.Files {
		for _, k := range f.Keys {
			if k == nil {
				out = append(out, "NULL")
				continue
			}
			out = append(out, *k)
		}
	}
	return strings.Join(out, " ")
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		dirs          []string
		columns, keys string
	}{
		{[]string{"k=1", "k=-2"}, "v BIGINT, k BIGINT", "-2 1"},
		{[]string{"k=1", "k=__HIVE_DEFAULT_PARTITION__", "k=null"}, "v BIGINT, k BIGINT", "1 NULL NULL"},
		{[]string{"k=__HIVE_DEFAULT_PARTITION__"}, "v BIGINT, k VARCHAR", "NULL"},
		{[]string{"k=2024-02-29", "k=2024-3-1"}, "v BIGINT, k DATE", "2024-02-29 2024-3-1"},
		{[]string{"k=2023-02-29"}, "v BIGINT, k VARCHAR", "2023-02-29"},
		{[]string{"k=2024-01-01 10:00:00.5", "k=2024-01-01T11:00:00"}, "v BIGINT, k TIMESTAMP", "2024-01-01 10:00:00.5 2024-01-01T11:00:00"},
		{[]string{"k=1", "k=a"}, "v BIGINT, k VARCHAR", "1 a"},
		{[]string{"k=01"}, "v BIGINT, k VARCHAR", "01"},
		{[]string{"k=9223372036854775807"}, "v BIGINT, k BIGINT", "9223372036854775807"},
		{[]string{"k=9223372036854775808"}, "v BIGINT, k VARCHAR", "9223372036854775808"},
		{[]string{"k=a%20b%zz%C3%A9%2"}, "v BIGINT, k VARCHAR", "a b%zzé%2"},
		{[]string{"k="}, "v BIGINT, k VARCHAR", ""},
		// Keys are ordered by name, as DuckDB orders them, whatever the directories' order.
		{[]string{"year=2024/month=1", "year=2024/month=2"}, "v BIGINT, month BIGINT, year BIGINT", "1 2024 2 2024"},
		// A key takes the place of the column that the files have under its name.
		{[]string{"V=x"}, "v VARCHAR", "x"},
		{[]string{"it's=1"}, "v BIGINT, it's BIGINT", "1"},
	} {
		dir := t.TempDir()
		for _, d := range c.dirs {
			putParquet(t, dir+"/t/"+d+"/a.parquet", ints("v", 1))
		}
		d, _ := open(t, dir)
		tables, faults := all(t, d)
		tab := tables["t"]
		if tab == nil {
			t.Errorf("%v: %v", c.dirs, faults)
			continue
		}
		if got := columnsOf(tab); got != c.columns {
			t.Errorf("%v: columns %s, want %s", c.dirs, got, c.columns)
		}
		if got := optionsOf(tab); got != "hive_partitioning=false" {
			t.Errorf("%v: options %s", c.dirs, got)
		}
		if got := keysOf(tab); got != c.keys {
			t.Errorf("%v: keys %s, want %s", c.dirs, got, c.keys)
		}
	}
}

func TestUnion(t *testing.T) {
	i32 := col{"v", arrow.PrimitiveTypes.Int32, []string{"7", "(null)"}}
	w := col{"W", arrow.BinaryTypes.String, []string{"x", "y"}}
	for _, c := range []struct {
		name             string
		files            [][]col
		columns, options string
		nulls            string
		bounds           string
		sniffed          int
	}{
		{"equal", [][]col{{ints("v", 2)}, {ints("v", 3)}}, "v BIGINT", "hive_partitioning=false", "0", "0…2", 1},
		{"another order", [][]col{{ints("v", 2), w}, {w, ints("v", 2)}}, "v BIGINT, W VARCHAR", "hive_partitioning=false", "0 0", "0…1 x…y", 2},
		{"wider", [][]col{{i32}, {ints("v", 3)}}, "v BIGINT", "union_by_name=true hive_partitioning=false", "1", "0…7", 3},
		{"a column more", [][]col{{ints("v", 2)}, {ints("V", 2), w}}, "v BIGINT, W VARCHAR", "union_by_name=true hive_partitioning=false", "0 2", "0…1 x…y", 3},
	} {
		dir := t.TempDir()
		for i, cols := range c.files {
			putParquet(t, fmt.Sprintf("%s/t/%d.parquet", dir, i), cols...)
		}
		d, s := open(t, dir)
		tables, faults := all(t, d)
		tab := tables["t"]
		if tab == nil {
			t.Errorf("%s: %v", c.name, faults)
			continue
		}
		if got := columnsOf(tab); got != c.columns {
			t.Errorf("%s: columns %s, want %s", c.name, got, c.columns)
		}
		if got := optionsOf(tab); got != c.options {
			t.Errorf("%s: options %s, want %s", c.name, got, c.options)
		}
		var nulls, bounds []string
		for _, st := range tab.Stats {
			nulls = append(nulls, fmt.Sprint(st.Nulls))
			bounds = append(bounds, st.Min+"…"+st.Max)
		}
		if got := strings.Join(nulls, " "); got != c.nulls {
			t.Errorf("%s: nulls %s, want %s", c.name, got, c.nulls)
		}
		if got := strings.Join(bounds, " "); got != c.bounds {
			t.Errorf("%s: bounds %s, want %s", c.name, got, c.bounds)
		}
		if len(s.calls) != c.sniffed {
			t.Errorf("%s: sniffed %v", c.name, s.calls)
		}
	}
}

// TestUnionPlacesBytes: a column's bytes stand at its place in the table, not in the file.
func TestUnionPlacesBytes(t *testing.T) {
	dir := t.TempDir()
	wide := col{"wide", arrow.BinaryTypes.String, nil}
	for i := range 1000 {
		wide.values = append(wide.values, strings.Repeat(fmt.Sprint(i), 20))
	}
	putParquet(t, dir+"/t/0.parquet", ints("v", 1000))
	putParquet(t, dir+"/t/1.parquet", wide, ints("v", 1000))
	d, _ := open(t, dir)
	tables, _ := all(t, d)
	tab := tables["t"]
	narrow, other := tab.Files[0].RowGroups[0].Bytes, tab.Files[1].RowGroups[0].Bytes
	if narrow[1] != 0 || narrow[0] == 0 || other[1] < 2*other[0] || other[0] != narrow[0] {
		t.Errorf("bytes of v and wide: %v and %v", narrow, other)
	}
	if s := tab.Stats[1]; s.CompressedBytes != other[1] || s.UncompressedBytes == 0 || s.Nulls != 1000 {
		t.Errorf("statistics of wide: %+v", s)
	}
}

func TestRowGroups(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/t.parquet", parquetOf(t, 100, ints("v", 250)))
	d, _ := open(t, dir)
	tables, _ := all(t, d)
	var got []string
	for _, s := range table.Splits(tables["t"], []int{0}, 1) {
		got = append(got, fmt.Sprintf("%d+%d", s.FirstRow, s.Rows))
	}
	if want := "0+100 100+100 200+50"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestTextTables(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/t/k=1/a.csv", []byte("a,b\n1,x\n"))
	write(t, dir+"/t/k=2/a.csv", []byte("a,b\n1,x\n2,y\n"))
	d, s := open(t, dir)
	tables, faults := all(t, d)
	tab := tables["t"]
	if tab == nil {
		t.Fatal(faults)
	}
	if tab.Format != table.CSV || columnsOf(tab) != "a BIGINT, b VARCHAR, k BIGINT" || tab.RowsExact || tab.Rows != 5 {
		t.Errorf("%s %s, %d rows", tab.Format, columnsOf(tab), tab.Rows)
	}
	// The Sniffer's own hive_partitioning gives way: the same argument twice is an error of the reader.
	if got, want := optionsOf(tab), "delim=',' hive_partitioning=false"; got != want {
		t.Errorf("options %s, want %s", got, want)
	}
	if len(s.calls) != 1 || s.calls[0] != "csv a.csv+a.csv" {
		t.Errorf("sniffed %v", s.calls)
	}
}

// TestChangedFiles: a file that changed after it was listed is an IO error that names it, in every format.
func TestChangedFiles(t *testing.T) {
	dir := t.TempDir()
	putParquet(t, dir+"/p.parquet", ints("v", 1))
	write(t, dir+"/c.csv", []byte("a,b\n"))
	d, _ := open(t, dir)
	l, err := d.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	putParquet(t, dir+"/p.parquet", ints("v", 1))
	write(t, dir+"/c.csv", []byte("c,d\n"))
	for _, e := range l.Entries {
		if _, err := e.Load(context.Background()); !qerr.Is(err, qerr.IO) || !strings.Contains(err.Error(), e.Name.Table+".") ||
			!strings.Contains(err.Error(), "has changed") {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
}

func TestWidens(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"INTEGER", "BIGINT", true}, {"BIGINT", "DOUBLE", true}, {"DECIMAL(4,2)", "DECIMAL(18,2)", true}, {"DATE", "TIMESTAMP", true},
		{"TIMESTAMP_NS", "TIMESTAMP", true}, {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", false}, {"DATE", "TIMESTAMP WITH TIME ZONE", false},
		{"INTEGER", "VARCHAR", false}, {"BOOLEAN", "INTEGER", false}, {"BLOB", "VARCHAR", false}, {"JSON", "VARCHAR", true},
		{`"NULL"`, "DATE", true}, {"INTEGER[]", "BIGINT[]", true}, {"INTEGER[]", "VARCHAR[]", false}, {"INTEGER", "INTEGER[]", false},
		{"STRUCT(a INTEGER)", "STRUCT(b DATE, A BIGINT)", true}, {"STRUCT(a INTEGER)", "STRUCT(b DATE)", false},
		{"STRUCT(a INTEGER)", "STRUCT(a VARCHAR)", false}, {"MAP(VARCHAR, INTEGER)", "MAP(VARCHAR, BIGINT)", true},
		{"INTEGER[2]", "INTEGER[3]", false}, {"UUID", "UUID", true}, {"UUID", "VARCHAR", false}, {"TIMESTAMP", "DATE", false},
	} {
		from, err1 := table.ParseType(c.from)
		to, err2 := table.ParseType(c.to)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got := widens(from, to); got != c.want {
			t.Errorf("%s to %s: %v", c.from, c.to, got)
		}
	}
}
