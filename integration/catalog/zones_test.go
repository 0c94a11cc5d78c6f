package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// checkZones asks the engine whether the bounds of every row group of every file hold, and counts the columns that have some
// in every row group.
func (w *world) checkZones(tab *table.Table) (bounded []string) {
	w.t.Helper()
	for c, column := range tab.Columns {
		all := true
		for i := range tab.Files {
			f := &tab.Files[i]
			for g, group := range f.RowGroups {
				b := f.Zone(c).At(g)
				tests := []string{}
				name := table.Quote(column.Name)
				if b.Known {
					if sql, ok := b.Min.SQL(column.Type); ok {
						tests = append(tests, fmt.Sprintf("coalesce(min(%s) >= %s, true)", name, sql))
					}
					if sql, ok := b.Max.SQL(column.Type); ok {
						tests = append(tests, fmt.Sprintf("coalesce(max(%s) <= %s, true)", name, sql))
					}
				}
				nulls := fmt.Sprintf("count(*) FILTER (%s IS NULL)", name)
				switch b.Nulls {
				case table.NullsNone:
					tests = append(tests, nulls+" = 0")
				case table.NullsSome:
					tests = append(tests, nulls+" > 0")
				case table.NullsOnly:
					tests = append(tests, nulls+" = count(*)")
				}
				all = all && (b.Known || b.Nulls == table.NullsOnly)
				if len(tests) == 0 {
					continue
				}
				sql := fmt.Sprintf("SELECT %s FROM %s WHERE file_row_number BETWEEN %d AND %d", strings.Join(tests, " AND "),
					strings.TrimSuffix(reader(tab, f.Path), ")")+", file_row_number = true)", group.FirstRow, group.FirstRow+group.Rows-1)
				if got := w.rows(sql); !slices.Equal(got, []string{"true"}) {
					w.t.Errorf("%s %s, row group %d of file %d: bounds do not hold: %s", column.Name, column.Type.SQL(), g, i, sql)
				}
			}
		}
		if all {
			bounded = append(bounded, column.Name)
		}
	}
	return bounded
}

// TestZonesOfTheEngine: row groups of files that DuckDB wrote, of every type.
func TestZonesOfTheEngine(t *testing.T) {
	w := newWorld(t)
	w.copyTo("every.parquet", everyType, "FORMAT parquet")
	got := strings.Join(w.checkZones(w.table(w.snapshot(), "every")), " ")
	if want := "i8 i16 i32 i64 u8 u16 u32 u64 d4 d9 d18 text bit bignum date time time_ns ts tstz ts_s ts_ms ts_ns enum"; !sameWords(got, want) {
		t.Errorf("bounded are\n%s, want\n%s", got, want)
	}
	w.copyTo("many/0.parquet", `SELECT i - 5000 AS k, CASE WHEN i % 3 = 0 THEN NULL ELSE i END AS n, 'x' || lpad(i::VARCHAR, 50, 'é') AS s,
		DATE '1960-01-01' + (i // 10)::INTEGER AS d, CASE WHEN i < 4096 THEN NULL ELSE -i * 1.25 END AS p FROM range(20000) r(i)`,
		"FORMAT parquet, ROW_GROUP_SIZE 2048")
	tab := w.table(w.snapshot(), "many")
	// Of a row group of NULLs alone the engine writes no statistics that could be trusted.
	if got := strings.Join(w.checkZones(tab), " "); got != "k n s d" {
		t.Errorf("bounded are %s", got)
	}
	if f := &tab.Files[0]; len(f.RowGroups) < 9 || f.Zone(4).At(0).Known || f.Zone(0).At(8).Min.Number != 8*2048-5000 {
		t.Errorf("%d row groups, %+v, %+v", len(f.RowGroups), f.Zone(4).At(0), f.Zone(0).At(8))
	}
}

// TestZonesOfUnitedFiles: files whose columns differ, and Hive keys.
func TestZonesOfUnitedFiles(t *testing.T) {
	w := newWorld(t)
	w.copyTo("u/k=1/a.parquet", "SELECT 5::INTEGER AS a, DATE '2024-01-01' AS t, 9 AS k", "FORMAT parquet")
	w.copyTo("u/k=2/a.parquet", "SELECT 70000000000::BIGINT AS a, TIMESTAMP '2024-02-01 10:00:00' AS t, 'new' AS extra", "FORMAT parquet")
	w.copyTo("u/k=NULL/a.parquet", "SELECT -1::TINYINT AS a, NULL::TIMESTAMP AS t", "FORMAT parquet")
	tab := w.table(w.snapshot(), "u")
	column := func(name string) int {
		return slices.IndexFunc(tab.Columns, func(c table.Column) bool { return c.Name == name })
	}
	want := map[string][]string{
		"a": {"5 5 1", "70000000000 70000000000 1", "-1 -1 1"}, "t": {"1704067200000000 1704067200000000 1", "1706781600000000 1706781600000000 1", "- 3"},
		"extra": {"- 3", "new new 1", "- 3"}, "k": {"1 1 1", "2 2 1", "- 3"},
	}
	for name, bounds := range want {
		for i := range tab.Files {
			b := tab.Files[i].Zone(column(name)).At(0)
			got := fmt.Sprintf("- %d", b.Nulls)
			if b.Known {
				got = fmt.Sprintf("%d %d %d", b.Min.Number, b.Max.Number, b.Nulls)
				if name == "extra" {
					got = fmt.Sprintf("%s %s %d", b.Min.Text, b.Max.Text, b.Nulls)
				}
			}
			if got != bounds[i] {
				t.Errorf("%s of file %d: %s, want %s", name, i, got, bounds[i])
			}
		}
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
