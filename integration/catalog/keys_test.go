package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// TestKeys: what COPY … PARTITION_BY wrote has the columns, types and values that hive_partitioning gives it.
func TestKeys(t *testing.T) {
	for _, key := range []string{"i", "i - 2", "DATE '2024-01-30' + i::INTEGER", "TIMESTAMP '2024-01-01 10:00:00' + INTERVAL (i) HOUR", "'text ' || i",
		"CASE i WHEN 1 THEN NULL ELSE i END", "CASE i WHEN 1 THEN NULL ELSE 'a=b/c%20d é' || i END", "i % 2 = 0", "i + 0.5", "'0' || i",
		"CASE i WHEN 0 THEN '1' ELSE 'one' END", "CASE i WHEN 0 THEN '2024-01-01' ELSE '1' END"} {
		w := newWorld(t)
		w.copyTo("t", "SELECT i AS v, "+key+" AS k, i % 2 AS a FROM range(3) r(i)", "FORMAT parquet, PARTITION_BY (k, a)")
		tab := w.table(w.snapshot(), "t")
		engine := "read_parquet(" + table.Literal(w.path("t/**/*.parquet")) + ", hive_partitioning = true)"
		if got, want := describeTable(tab), w.describe(engine); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", key, got, want)
			continue
		}
		want := w.rows("SELECT DISTINCT a, k FROM " + engine + " ORDER BY ALL")
		if got := w.rows("SELECT DISTINCT a, k FROM (" + keyRows(tab) + ") ORDER BY ALL"); !slices.Equal(got, want) {
			t.Errorf("%s: keys %v, want %v", key, got, want)
		}
	}
}

// keyRows selects the keys of all files, cast to their columns' types, as a worker binds them.
func keyRows(t *table.Table) string {
	var arms []string
	for _, f := range t.Files {
		var values []string
		for k, column := range t.PartitionColumns {
			value := "NULL"
			if f.Keys[k] != nil {
				value = table.Literal(*f.Keys[k])
			}
			values = append(values, fmt.Sprintf("CAST(%s AS %s) AS %s", value, t.Columns[column].Type.SQL(), table.Quote(t.Columns[column].Name)))
		}
		arms = append(arms, "SELECT "+strings.Join(values, ", "))
	}
	return strings.Join(arms, " UNION ALL ")
}

// TestKeysAboveTheTable: a k=v directory above the data directory is no key of its tables.
func TestKeysAboveTheTable(t *testing.T) {
	w := newWorld(t)
	w.dir += "/run=5"
	w.copyTo("t.parquet", "SELECT 1 AS run, 2 AS v", "FORMAT parquet")
	w.copyTo("c.csv", "SELECT 1 AS run, 2 AS v", "FORMAT csv, HEADER")
	s := w.snapshot()
	for _, name := range []string{"t", "c"} {
		tab := w.table(s, name)
		if got := w.rows("FROM " + reader(tab, paths(tab)...)); !slices.Equal(got, []string{"1|2"}) || len(tab.Columns) != 2 {
			t.Errorf("%s: rows %v of %s", name, got, describeTable(tab))
		}
	}
}

// TestTextFormats: columns are those that the engine detects, and with the table's options any one file is read like all.
func TestTextFormats(t *testing.T) {
	rows := "SELECT i AS a, 'x;' || i AS b, DATE '2024-01-01' + i::INTEGER AS d FROM range(50) r(i)"
	for _, c := range []struct{ name, options, reader string }{
		{"t/k=1/0.csv", "FORMAT csv, HEADER, DELIMITER '|'", "read_csv"},
		{"t/0.csv.gz", "FORMAT csv, HEADER, COMPRESSION gzip", "read_csv"},
		{"t/0.json", "FORMAT json", "read_json"},
		{"t/0.json", "FORMAT json, ARRAY true", "read_json"},
		{"t/0.jsonl.gz", "FORMAT json, COMPRESSION gzip", "read_json"},
	} {
		w := newWorld(t)
		w.copyTo(c.name, rows, c.options)
		// Another file of one row, whose types the engine would guess differently when it read it alone.
		second := strings.Replace(c.name, "0.", "1.", 1)
		w.copyTo(second, "SELECT 99 AS a, '7' AS b, NULL::DATE AS d", c.options)
		tab := w.table(w.snapshot(), "t")
		call := fmt.Sprintf("%s([%s, %s], hive_partitioning = false)", c.reader, table.Literal(w.path(c.name)), table.Literal(w.path(second)))
		want := w.describe(call)
		if strings.Contains(c.name, "k=") {
			want += "\nk BIGINT"
		}
		if got := describeTable(tab); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, want)
			continue
		}
		for _, path := range paths(tab) {
			if got := w.describe(reader(tab, path)); !strings.HasPrefix(describeTable(tab), got) {
				t.Errorf("%s alone is read as\n%s", path, got)
			}
		}
		if got := w.rows("SELECT count(*), sum(a)::BIGINT, count(d) FROM " + reader(tab, paths(tab)...)); got[0] != "51|1324|50" {
			t.Errorf("%s: %v", c.name, got)
		}
		if tab.Rows < 25 || tab.Rows > 120 {
			t.Errorf("%s: %d rows estimated of 51", c.name, tab.Rows)
		}
	}
}
