package catalog

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// everyType is a query of three rows, one of them NULL, with a column of every type that DuckDB writes to Parquet.
const everyType = `SELECT q.* EXCLUDE (i) FROM range(3) n(j) LEFT JOIN (SELECT i,
	i % 2 = 0 AS bool, (i-1)::TINYINT AS i8, (i-1)::SMALLINT AS i16, (i-1)::INTEGER AS i32, (i-1)::BIGINT AS i64, i::HUGEINT AS i128,
	i::UTINYINT AS u8, i::USMALLINT AS u16, i::UINTEGER AS u32, i::UBIGINT AS u64, i::UHUGEINT AS u128,
	i::FLOAT AS f32, i::DOUBLE AS f64,
	(i - 1.5)::DECIMAL(4,1) AS d4, (i - 1.5)::DECIMAL(9,2) AS d9, (i - 1.5)::DECIMAL(18,3) AS d18, (i - 1.5)::DECIMAL(38,10) AS d38,
	'text ' || i AS text, ('blob' || i)::BLOB AS blob, '101'::BIT AS bit, i::BIGNUM AS bignum,
	DATE '1969-12-31' + i::INTEGER AS date, TIME '01:02:03.5' AS time, TIMETZ '01:02:03+01' AS timetz, TIME_NS '01:02:03' AS time_ns,
	TIMESTAMP '1969-12-31 23:59:59.5' + i * INTERVAL 1 DAY AS ts, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS tstz,
	TIMESTAMP_S '2024-01-01 00:00:00' AS ts_s, TIMESTAMP_MS '2024-01-01 00:00:00.123' AS ts_ms, TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS ts_ns,
	INTERVAL 1 DAY AS iv, 'c026db58-77f4-46f1-afd2-925902fe3e58'::UUID AS uuid, 'b'::ENUM('a', 'b') AS enum, '{"a": 1}'::JSON AS json,
	[i, NULL] AS list, [[i]] AS lists, array_value(i, i) AS arr, {'a': i, 'b c': ['x']} AS struct, MAP {'k': i} AS map,
	MAP {'k': {'d': DATE '2024-01-01'}} AS deep, union_value(num := i) AS uni
	FROM range(3) r(i) WHERE i <> 1) q ON n.j = q.i`

// TestEveryType: the catalog's types are exactly those that read_parquet gives, and statistics bound the values.
func TestEveryType(t *testing.T) {
	w := newWorld(t)
	w.copyTo("every.parquet", everyType, "FORMAT parquet")
	tab := w.table(w.snapshot(), "every")
	relation := "read_parquet(" + table.Literal(w.path("every.parquet")) + ")"
	if got, want := describeTable(tab), w.describe(relation); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(tab.Columns) < 35 {
		t.Errorf("only %d types", len(tab.Columns))
	}
	bounded := 0
	for i, c := range tab.Columns {
		s := tab.Stats[i]
		if s.CompressedBytes <= 0 || s.UncompressedBytes <= 0 {
			t.Errorf("%s: %d compressed and %d uncompressed bytes", c.Name, s.CompressedBytes, s.UncompressedBytes)
		}
		if s.Nulls != -1 && s.Nulls != 1 {
			t.Errorf("%s: %d nulls", c.Name, s.Nulls)
		}
		if s.HasBounds {
			bounded++
			// An ENUM's labels bound it in the file, whether they occur or not.
			w.checkBounds(relation, c, s, c.Name != "enum")
		}
	}
	if bounded < 18 {
		t.Errorf("only %d columns have bounds", bounded)
	}
}

// checkBounds asks the engine whether the bounds hold, and, when exact, are reached.
func (w *world) checkBounds(relation string, c table.Column, s table.ColumnStats, exact bool) {
	w.t.Helper()
	name, lo, hi := table.Quote(c.Name), table.Literal(s.Min), table.Literal(s.Max)
	typ := c.Type.SQL()
	test := fmt.Sprintf("min(%[1]s) >= CAST(%[2]s AS %[4]s) AND max(%[1]s) <= CAST(%[3]s AS %[4]s)", name, lo, hi, typ)
	if exact {
		test = strings.NewReplacer(">=", "=", "<=", "=").Replace(test)
	}
	if got := w.rows("SELECT " + test + " FROM " + relation); !slices.Equal(got, []string{"true"}) {
		w.t.Errorf("%s %s: bounds %s and %s do not hold", c.Name, typ, s.Min, s.Max)
	}
}

// TestRowGroups: rows, row groups and bytes are those of parquet_metadata, and the splits are the table.
func TestRowGroups(t *testing.T) {
	w := newWorld(t)
	w.copyTo("big/0.parquet", "SELECT i AS k, i % 7 AS v, 'x' || i AS s FROM range(20000) r(i)", "FORMAT parquet, ROW_GROUP_SIZE 2048")
	w.copyTo("big/1.parquet", "SELECT i AS k, i % 7 AS v, 'x' || i AS s FROM range(20000, 20100) r(i)", "FORMAT parquet")
	tab := w.table(w.snapshot(), "big")
	if !tab.RowsExact || tab.Rows != 20100 || len(tab.Files) != 2 || len(tab.Files[0].RowGroups) < 9 {
		t.Fatalf("%d rows, %d files, %d row groups", tab.Rows, len(tab.Files), len(tab.Files[0].RowGroups))
	}
	for g, want := range w.rows("SELECT row_group_num_rows, list(total_compressed_size ORDER BY column_id)::VARCHAR FROM parquet_metadata(" +
		table.Literal(w.path("big/0.parquet")) + ") GROUP BY row_group_id, row_group_num_rows ORDER BY row_group_id") {
		group := tab.Files[0].RowGroups[g]
		if got := fmt.Sprintf("%d|%s", group.Rows, strings.ReplaceAll(fmt.Sprint(group.Bytes), " ", ", ")); got != want {
			t.Errorf("row group %d: %s, want %s", g, got, want)
		}
	}
	splits := table.Splits(tab, []int{0}, 40000)
	if len(splits) < 3 {
		t.Errorf("%d splits", len(splits))
	}
	var arms []string
	for _, s := range splits {
		arm := fmt.Sprintf("SELECT k FROM read_parquet(%s, file_row_number = true)", table.Literal(s.File.Path))
		if !s.Whole() {
			arm += fmt.Sprintf(" WHERE file_row_number BETWEEN %d AND %d", s.FirstRow, s.FirstRow+s.Rows-1)
		}
		arms = append(arms, arm)
	}
	if got := w.rows("SELECT count(*), count(DISTINCT k), sum(k)::BIGINT FROM (" + strings.Join(arms, " UNION ALL ") + ")"); got[0] != "20100|20100|201994950" {
		t.Errorf("the splits hold %v", got)
	}
	w.checkBounds(reader(tab, paths(tab)...), tab.Columns[0], tab.Stats[0], true)
	w.checkBounds(reader(tab, paths(tab)...), tab.Columns[2], tab.Stats[2], false)
}

// TestUnionByName: columns and types of files that differ are those of the engine's union_by_name.
func TestUnionByName(t *testing.T) {
	for name, queries := range map[string][]string{
		"columns more":   {"SELECT 1 AS a", "SELECT 2 AS A, 'x' AS b", "SELECT DATE '2024-01-01' AS c"},
		"integers":       {"SELECT 1::INTEGER AS a", "SELECT 2::BIGINT AS a"},
		"signs":          {"SELECT 1::BIGINT AS a", "SELECT 2::UBIGINT AS a"},
		"decimals":       {"SELECT 1.5::DECIMAL(4,2) AS a", "SELECT 2::BIGINT AS a"},
		"decimal widths": {"SELECT 1.5::DECIMAL(4,2) AS a", "SELECT 2::DECIMAL(18,6) AS a"},
		"dates":          {"SELECT DATE '2024-01-01' AS a", "SELECT TIMESTAMP '2024-01-01' AS a"},
		"structs":        {"SELECT {'x': 1} AS a", "SELECT {'y': 1::BIGINT} AS a"},
		"lists":          {"SELECT [1] AS a", "SELECT [1::BIGINT] AS a"},
	} {
		w := newWorld(t)
		for i, q := range queries {
			w.copyTo(fmt.Sprintf("t/%d.parquet", i), q, "FORMAT parquet")
		}
		tab := w.table(w.snapshot(), "t")
		if got, want := describeTable(tab), w.describe("read_parquet("+table.Literal(w.path("t/*.parquet"))+", union_by_name = true)"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		if got := w.describe(reader(tab, paths(tab)...)); got != describeTable(tab) {
			t.Errorf("%s: with the table's options the engine reads\n%s\nthe table has\n%s", name, got, describeTable(tab))
		}
	}
}

// TestTypesThatDoNotWiden: the engine would turn these into text, or fail in the middle of a query.
func TestTypesThatDoNotWiden(t *testing.T) {
	for _, queries := range [][2]string{
		{"SELECT 1 AS a", "SELECT 'x' AS a"}, {"SELECT 1 AS a", "SELECT [1] AS a"}, {"SELECT DATE '2024-01-01' AS a", "SELECT 1 AS a"},
		{"SELECT TIMESTAMP '2024-01-01' AS a", "SELECT TIMESTAMPTZ '2024-01-01' AS a"}, {"SELECT true AS a", "SELECT 1 AS a"},
		{"SELECT 'x'::BLOB AS a", "SELECT 'x' AS a"}, {"SELECT uuid() AS a", "SELECT 'x' AS a"},
	} {
		w := newWorld(t)
		w.copyTo("t/0.parquet", queries[0], "FORMAT parquet")
		w.copyTo("t/1.parquet", queries[1], "FORMAT parquet")
		_, err := w.snapshot().Table(context.Background(), table.Name{Catalog: "arbalest", Schema: "main", Table: "t"})
		if !qerr.Is(err, qerr.User) {
			t.Errorf("%v: %v of kind %v", queries, err, qerr.KindOf(err))
			continue
		}
		for _, says := range []string{"column a", "0.parquet", "1.parquet"} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%q does not say %q", err, says)
			}
		}
	}
}

// TestCorruptFile: named when the table is used; the good one beside it works.
func TestCorruptFile(t *testing.T) {
	w := newWorld(t)
	w.copyTo("good.parquet", "SELECT 1 AS a", "FORMAT parquet")
	if err := os.WriteFile(w.path("bad.parquet"), []byte("no Parquet, but long enough to look at"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := w.snapshot()
	w.table(s, "good")
	_, err := s.Table(context.Background(), table.Name{Catalog: "arbalest", Schema: "main", Table: "bad"})
	if !qerr.Is(err, qerr.IO) || !strings.Contains(err.Error(), "bad.parquet") {
		t.Errorf("%v of kind %v", err, qerr.KindOf(err))
	}
}
