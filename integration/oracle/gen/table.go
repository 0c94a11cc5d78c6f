package gen

import (
	"fmt"
	"strconv"
	"strings"
)

// A Format is how a table's files are written.
type Format string

// The formats.
const (
	Parquet Format = "parquet"
	CSV     Format = "csv"
)

// A Table is a table to be written: rows of literals, and the files that hold them.
type Table struct {
	Name    string
	Columns []Column
	Rows    [][]string
	Format  Format
	// Files is how many files the rows are dealt over; 0 or 1 is a file beside the directories, more are in one.
	Files int
	// GroupRows is how many rows a row group has, about; 0 = all.
	GroupRows int
	// Sorted says that the rows stand in the order of the first column, and that each file and row group has a range of them.
	Sorted bool
	// System says that the table is one of the server's own, in no file, and that Columns are those of it that are the same
	// everywhere.
	System bool
	// Keys are columns that become Hive-style directories.
	Keys []string
}

// A Column is a column of a table.
type Column struct {
	Name string
	// Type is the DuckDB type as the table is made. Read back from its files it may be another: see Reread.
	Type  string
	Class Class
	// wide columns have many values.
	wide bool
}

// Reread changes a column's type to the one that the files gave back, as DESCRIBE prints it.
func (c *Column) Reread(sqlType string) {
	c.Type, c.Class = sqlType, classOf(sqlType, c.Class == Wide || c.Class == Odd)
}

// A shape is a kind of table.
type shape struct {
	rows  func(*random) int
	nulls int // percent of values that are NULL
	pool  int // how many different values a column has, at most
	skew  int // percent of rows whose first column is the same value
	// sorted tables lie by their first column, an integer below sortedKeys, in several files and row groups.
	sorted bool
	// wide tables have a column of nearly as many values as rows.
	wide bool
}

var (
	normal    = shape{rows: between(15, 40), nulls: 12, pool: 10}
	nullHeavy = shape{rows: between(10, 30), nulls: 65, pool: 6}
	repeated  = shape{rows: between(20, 40), nulls: 5, pool: 2}
	skewed    = shape{rows: between(25, 50), nulls: 5, pool: 10, skew: 80}
	oneRow    = shape{rows: between(1, 1), nulls: 0, pool: 4}
	noRow     = shape{rows: between(0, 0), nulls: 0, pool: 1}
	sorted    = shape{rows: between(150, 400), nulls: 5, pool: 10, sorted: true}
	large     = shape{rows: between(2500, 3500), nulls: 8, pool: 10, skew: 30, wide: true}
)

// sortedKeys is how many different keys sorted tables have: rows of several keys in each row group, and several rows a key.
const sortedKeys = 90

// wideValues is how many values a wide table's column, which has this name, draws from.
const (
	wideValues = 4000
	wideName   = "many"
)

func between(low, high int) func(*random) int {
	return func(r *random) int { return low + r.Intn(high-low+1) }
}

// NewTables makes one data set: a table of each shape, under names that begin with prefix.
func NewTables(seed int64, prefix string) []Table {
	r := newRandom(seed)
	var tables []Table
	for i, s := range []shape{normal, normal, nullHeavy, repeated, skewed, oneRow, noRow, large, sorted, sorted} {
		tables = append(tables, r.table(fmt.Sprintf("%st%d", prefix, i), s))
	}
	return tables
}

// columnTypes are what columns are made of: the common ones several times. "odd" marks numbers of any size.
var columnTypes = []struct {
	weight  int
	sqlType string
	odd     bool
}{
	{14, "INTEGER", false}, {6, "BIGINT", false}, {3, "SMALLINT", false}, {3, "TINYINT", false}, {2, "UINTEGER", false},
	{2, "UTINYINT", false}, {2, "USMALLINT", false}, {2, "UBIGINT", false}, {4, "BIGINT", true}, {7, "DOUBLE", false},
	{2, "FLOAT", false}, {3, "DOUBLE", true}, {4, "DECIMAL(9,2)", false}, {3, "DECIMAL(18,3)", false}, {2, "DECIMAL(4,1)", false},
	{2, "DECIMAL(38,10)", false}, {14, "VARCHAR", false}, {6, "DATE", false}, {6, "TIMESTAMP", false}, {3, "TIMESTAMPTZ", false},
	{2, "TIME", false}, {2, "TIMETZ", false}, {1, "TIMESTAMP_S", false}, {1, "TIMESTAMP_MS", false}, {1, "TIMESTAMP_NS", false},
	{2, "INTERVAL", false}, {2, "UUID", false}, {2, "BLOB", false}, {5, "BOOLEAN", false}, {3, "INTEGER[]", false},
	{2, "VARCHAR[]", false}, {3, "STRUCT(a INTEGER, b VARCHAR)", false}, {1, "MAP(VARCHAR, INTEGER)", false}, {1, "JSON", false},
}

// simple types survive CSV: the sniffer finds them again.
var simpleTypes = []string{"INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN"}

func (r *random) table(name string, s shape) Table {
	t := Table{Name: name, Format: Parquet, Files: 1}
	rows := s.rows(r)
	if rows > 5 {
		t.Files = pick(r, 1, 1, 2, 3, 5)
		t.GroupRows = pick(r, 0, 7, 16)
		if rows > 1000 {
			t.GroupRows = 2048
		}
		if s.nulls < 50 && !s.sorted && r.percent(15) {
			t.Format = CSV
		}
	}
	t.Columns = []Column{{Name: "k", Type: pick(r, "INTEGER", "INTEGER", "BIGINT", "VARCHAR")}}
	for i := range 2 + r.Intn(5) {
		t.Columns = append(t.Columns, r.column(fmt.Sprintf("c%d", i), t.Format))
	}
	if t.Format == CSV {
		t.Columns[0].Type = pick(r, "BIGINT", "VARCHAR")
	}
	if s.sorted {
		t.Columns[0].Type = pick(r, "INTEGER", "INTEGER", "INTEGER", "BIGINT")
	}
	if s.wide {
		t.Columns[1].Type, t.Columns[1].Class = pick(r, "INTEGER", "BIGINT", "DATE", "VARCHAR"), ""
		t.Columns[1].Name, t.Columns[1].wide = wideName, true
	}
	for i := range t.Columns {
		if t.Columns[i].Class == "" {
			t.Columns[i].Class = classOf(t.Columns[i].Type, false)
		}
	}
	if t.Format == Parquet && rows > 5 && rows < 1000 && !s.sorted && r.percent(20) {
		t.Columns = append(t.Columns, Column{Name: "p", Type: pick(r, "BIGINT", "VARCHAR", "DATE")})
		last := &t.Columns[len(t.Columns)-1]
		last.Class = classOf(last.Type, false)
		t.Keys, t.Files = []string{"p"}, 1
	}
	for range rows {
		t.Rows = append(t.Rows, r.row(&t, s))
	}
	if s.sorted {
		r.sort(&t)
	}
	return t
}

// sort gives a table ascending keys, those that are NULL last. Half of such tables have so many files that no task reads all
// of them for itself, as of other small tables.
func (r *random) sort(t *Table) {
	t.Sorted, t.Format, t.Files, t.GroupRows = true, Parquet, pick(r, 2, 4, 9, 12), pick(r, 20, 40)
	nulls := pick(r, 0, 0, 7, len(t.Rows)/3)
	for i, row := range t.Rows {
		if valued := len(t.Rows) - nulls; i < valued {
			row[0] = strconv.Itoa(i * sortedKeys / valued)
		} else {
			row[0] = "NULL"
		}
	}
}

func (r *random) column(name string, f Format) Column {
	if f == CSV {
		return Column{Name: name, Type: pick(r, simpleTypes...)}
	}
	total := 0
	for _, t := range columnTypes {
		total += t.weight
	}
	at := r.Intn(total)
	for _, t := range columnTypes {
		if at -= t.weight; at < 0 {
			return Column{Name: name, Type: t.sqlType, Class: classOf(describedAs(t.sqlType), t.odd)}
		}
	}
	panic("gen: no type")
}

// describedAs is a type's name as DESCRIBE prints it.
func describedAs(sqlType string) string {
	switch sqlType {
	case "TIMESTAMPTZ":
		return "TIMESTAMP WITH TIME ZONE"
	case "TIMETZ":
		return "TIME WITH TIME ZONE"
	}
	return sqlType
}

func (r *random) row(t *Table, s shape) []string {
	row := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		key := len(t.Keys) > 0 && c.Name == t.Keys[0]
		switch {
		case i == 0 && s.skew > 0 && r.percent(s.skew):
			row[i] = map[bool]string{true: "'a'", false: "1"}[c.Class == Text]
		case !key && r.percent(s.nulls):
			row[i] = "NULL"
		case key:
			row[i] = map[string][]string{"BIGINT": {"1", "2", "3"}, "VARCHAR": {"'a'", "'b c'", "'ab'"},
				"DATE": {"'2024-02-20'", "'2024-02-21'", "'2024-02-22'"}}[c.Type][r.Intn(min(s.pool, 3))]
		case t.Format == CSV && c.Class == Text: // nothing that the sniffer would take for NULL, a number or a quote
			row[i] = "'" + pick(r, "a", "b", "c", "x y") + "'"
		case c.wide:
			row[i] = r.wideLiteral(c)
		default:
			row[i] = r.columnLiteral(c, s.pool)
		}
	}
	return row
}

// wideLiteral is one of wideValues values, some of which the pools of other columns have too.
func (r *random) wideLiteral(c Column) string {
	i := r.Intn(wideValues)
	switch c.Class {
	case Text:
		return "'w" + strconv.Itoa(i) + "'"
	case Date:
		return fmt.Sprintf("DATE '2020-02-20' + %d", i)
	}
	return strconv.Itoa(i)
}

// columnLiteral adds to literal the types without a class of their own, and the limits of small ones.
func (r *random) columnLiteral(c Column, pool int) string {
	i := r.Intn(pool)
	switch c.Type {
	case "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS":
		return fmt.Sprintf("'2024-02-%02d 0%d:00:00'", 20+i%4, i%10)
	case "TIMETZ":
		return fmt.Sprintf("'1%d:00:00+0%d'", i%10, i%2)
	case "MAP(VARCHAR, INTEGER)":
		return pick(r, "MAP {'a': 1}", "MAP {'a': 2, 'b': NULL}", "MAP {}")
	case "JSON":
		return pick(r, `'{"a": 1}'`, `'[1, 2]'`, `'"x"'`)
	}
	text := r.literal(c.Class, pool)
	if strings.HasPrefix(c.Type, "U") && c.Class == Int {
		text = strings.TrimPrefix(text, "-")
	}
	return text
}
