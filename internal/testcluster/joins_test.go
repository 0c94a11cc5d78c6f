package testcluster

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// joins are the wrong answers that distributed joins are known to give, each with statements that would show it. l and r
// overlap in k, with repetitions, keys that only one has, and NULLs in both; u has distinct k and no NULL; skew has mostly
// one k; one has a row, none has no rows.
var joins = []struct {
	name string
	sql  []string
}{
	{"a preserved side is not given to every task", []string{
		"SELECT l.id, r.id FROM l LEFT JOIN r ON l.k = r.k",
		"SELECT l.id, r.id FROM one l LEFT JOIN r ON l.k = r.k",
		"SELECT l.id, r.id FROM l RIGHT JOIN r ON l.k = r.k",
		"SELECT l.id, r.id FROM l RIGHT JOIN one r ON l.k = r.k",
		"SELECT l.id, r.id FROM l FULL JOIN r ON l.k = r.k",
		"SELECT l.id, r.id FROM one l FULL JOIN r ON l.k = r.k",
		"SELECT id FROM l ANTI JOIN r USING (k)",
		"SELECT id FROM l SEMI JOIN r USING (k)",
		"SELECT id FROM one SEMI JOIN r USING (k)",
		"SELECT id FROM one WHERE k + 1000 NOT IN (SELECT k FROM u)",
	}},
	{"a row without a match comes once, not once a task", []string{
		"SELECT count(*), count(r.id) FROM l LEFT JOIN (SELECT * FROM r WHERE id < 0) r ON l.k = r.k",
		"SELECT l.id, n.id FROM l LEFT JOIN none n ON l.k = n.k",
		"SELECT l.id, n.id FROM none n RIGHT JOIN l ON l.k = n.k",
		"SELECT l.id, n.id FROM none n FULL JOIN l ON l.k = n.k",
		"SELECT l.id, r.id FROM l LEFT JOIN r ON l.k = r.k AND l.id < r.id AND r.i > 3",
		"SELECT l.id, r.id FROM l LEFT JOIN r ON l.id < r.id - 250",
	}},
	{"NULL keys of the preserved side survive", []string{
		"SELECT l.id, r.id FROM l LEFT JOIN r ON l.k = r.k WHERE l.k IS NULL",
		"SELECT count(*) FROM l FULL JOIN r ON l.k = r.k WHERE l.k IS NULL OR r.k IS NULL",
		"SELECT id FROM l ANTI JOIN r USING (k) WHERE l.k IS NULL",
	}},
	{"NULLs meet where they are to", []string{
		"SELECT l.id, r.id FROM l JOIN r ON l.k IS NOT DISTINCT FROM r.k",
		"SELECT l.id, r.id FROM l LEFT JOIN r ON l.k IS NOT DISTINCT FROM r.k AND l.i = r.i",
		"SELECT l.id, r.id FROM l FULL JOIN r ON l.k IS NOT DISTINCT FROM r.k",
	}},
	{"NOT IN sees a NULL wherever it lies", []string{
		"SELECT count(*) FROM l WHERE k NOT IN (SELECT k FROM r)",
		"SELECT count(*) FROM l WHERE k NOT IN (SELECT k FROM r WHERE k IS NOT NULL)",
		"SELECT count(*) FROM l WHERE k NOT IN (SELECT k FROM none)",
		"SELECT id, k IN (SELECT k FROM r) AS found FROM l",
		"SELECT id, k IN (SELECT k FROM u) AS found FROM l",
		"SELECT id, k > ANY (SELECT k FROM r) AS some, k IN (SELECT r.k FROM r WHERE r.i = l.i) AS found FROM l",
		"SELECT id FROM l WHERE k NOT IN (SELECT r.k FROM r WHERE r.i = l.i)",
	}},
	{"keys of two types are hashed as one", []string{
		"SELECT l.id, r.id FROM l JOIN r ON l.k = r.i",
		"SELECT l.id, r.id FROM l JOIN r ON l.k = r.d",
		"SELECT l.id, r.id FROM l JOIN r ON l.d = r.i",
		"SELECT l.id, r.id FROM l JOIN r ON l.s = r.k",
		"SELECT l.id, r.id FROM l LEFT JOIN r ON l.k + 1 = r.i AND upper(l.s) = upper(r.s)",
		"SELECT l.id, r.id FROM l LEFT JOIN r ON l.k + 1 = r.i AND (l.id + r.id) % 2 = 0",
		"SELECT l.id, r.id FROM (SELECT id, CAST(i % 3 AS VARCHAR)::ENUM('2', '1', '0') AS e FROM l) l JOIN (SELECT id, CAST(i % 3 AS VARCHAR)::ENUM('0', '1', '2') AS e FROM r) r ON l.e = r.e WHERE l.id < 40",
		"SELECT l.id, r.id FROM (SELECT id, i / 2.0::DOUBLE * CASE WHEN id % 2 = 0 THEN 1 ELSE -1 END AS f FROM l) l JOIN (SELECT id, i / 2.0::DOUBLE AS f FROM r) r ON l.f = r.f WHERE l.id < 40",
	}},
	{"what lies by a key after an outer join is not grouped by the other's", []string{
		"SELECT r.k, count(*), median(l.id) FROM l LEFT JOIN r ON l.k = r.k GROUP BY r.k",
		"SELECT l.k, count(*), median(r.id) FROM l RIGHT JOIN r ON l.k = r.k GROUP BY l.k",
		"SELECT l.k, count(*), median(r.id) FROM l FULL JOIN r ON l.k = r.k GROUP BY l.k",
		"SELECT r.k, count(*), median(l.id) FROM l FULL JOIN r ON l.k = r.k GROUP BY r.k",
		"SELECT l.k, count(*), median(l.id) FROM l FULL JOIN r ON l.k = r.k GROUP BY l.k",
		"SELECT r.k, count(*), median(r.id) FROM l FULL JOIN r ON l.k = r.k GROUP BY r.k",
		"SELECT coalesce(l.k, r.k) AS k, count(*) FROM l FULL JOIN r ON l.k = r.k GROUP BY 1",
		"SELECT r.k, count(*), median(l.id) FROM l JOIN r ON l.k = r.k GROUP BY r.k",
		"SELECT DISTINCT r.k FROM l LEFT JOIN r ON l.k = r.k",
		"SELECT u.id, count(*), median(l.id) FROM l LEFT JOIN r ON l.k = r.k JOIN u ON u.k IS NOT DISTINCT FROM r.k GROUP BY u.id",
		"SELECT a.id, b.id, c.id FROM l a LEFT JOIN r b ON a.k = b.k LEFT JOIN u c ON b.k = c.k",
		"SELECT k, median(id), rank() OVER (PARTITION BY k ORDER BY median(id)) AS place FROM (SELECT r.k, l.id FROM l LEFT JOIN r ON l.k = r.k) GROUP BY k",
	}},
	{"both sides are divided alike", []string{
		"SELECT a.id, b.id, c.id FROM l a JOIN r b ON a.k = b.k JOIN u c ON b.k = c.k",
		"SELECT a.k, b.n, c.n FROM (SELECT k, count(*) AS n FROM l GROUP BY k) a JOIN (SELECT k, count(*) AS n FROM r GROUP BY k) b ON a.k = b.k JOIN (SELECT k, i, count(*) AS n FROM r GROUP BY k, i) c ON a.k = c.k",
		"SELECT a.id, b.n FROM l a JOIN (SELECT k, i, count(*) AS n FROM r GROUP BY k, i) b ON a.i = b.i AND a.k = b.k",
		"SELECT a.id, b.n FROM l a JOIN (SELECT i, k, count(*) AS n FROM r GROUP BY i, k) b ON a.k = b.k AND a.i = b.i",
		"SELECT a.id, b.id FROM skew a JOIN skew b ON a.k = b.k AND a.id = b.id",
	}},
	{"an empty side or partition gives one row of totals", []string{
		"SELECT count(*), sum(l.id) FROM l JOIN none n ON l.k = n.k",
		"SELECT count(*), max(r.s) FROM l JOIN r ON l.k = r.k AND l.s = 'nothing'",
		"SELECT count(*) FROM none a FULL JOIN none b ON a.k = b.k",
		"SELECT count(*) FROM none a, none b",
		"SELECT count(*) FROM one a LEFT JOIN none b ON a.k = b.k",
	}},
	{"branches of a union are read once", []string{
		"SELECT l.id FROM l JOIN one o ON l.k >= o.k UNION ALL SELECT id FROM r UNION ALL SELECT id FROM one",
		"SELECT l.id, r.id FROM l JOIN r ON l.k = r.k UNION ALL SELECT a.id, b.id FROM l a JOIN u b ON a.k = b.k",
		"SELECT l.k FROM l JOIN r ON l.k = r.k UNION SELECT k FROM u",
		"SELECT l.id FROM l JOIN r ON l.k = r.k UNION ALL SELECT 99",
		"SELECT id FROM l UNION ALL SELECT 99 UNION ALL SELECT count(*) FROM r",
		"SELECT DISTINCT k FROM l UNION ALL SELECT r.k FROM r JOIN u ON r.k = u.k UNION ALL SELECT id FROM l",
	}},
	{"products and comparisons meet every pair", []string{
		"SELECT count(*), sum(a.id * b.id) FROM l a, u b",
		"SELECT count(*) FROM l a JOIN u b ON a.id < b.id",
		"SELECT count(*) FROM l a JOIN r b ON a.k <> b.k",
		"SELECT l.id FROM l, (SELECT avg(id) AS mean FROM r) m WHERE l.id > m.mean",
		"SELECT count(*) FROM l FULL JOIN u ON l.id < u.id - 200",
	}},
	{"a scalar subquery gives its one value", []string{
		"SELECT id, (SELECT id FROM u WHERE u.k = l.k) AS other FROM l",
		"SELECT id, (SELECT max(id) FROM r WHERE r.k = l.k) AS latest FROM l",
		"SELECT id FROM l WHERE id > (SELECT avg(id) FROM r)",
	}},
	{"semi joins give a row once, however many match", []string{
		"SELECT id FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k)",
		"SELECT id FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.id > l.id)",
		"SELECT id FROM one WHERE EXISTS (SELECT 1 FROM skew WHERE skew.k = one.k)",
		"SELECT id FROM u WHERE NOT EXISTS (SELECT 1 FROM skew WHERE skew.k = u.k)",
		"SELECT id FROM u WHERE k IN (SELECT k FROM l) AND k NOT IN (SELECT k FROM skew)",
	}},
}

func TestJoinsGiveTheEnginesAnswers(t *testing.T) {
	dir := writeJoinTables(t)
	engine, err := duck.Open(duck.Config{Threads: 1, TempDir: t.TempDir(), DataLocations: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	kinds := map[string]bool{}
	for _, with := range []struct{ workers, partitions int }{{2, 1}, {3, 7}} {
		c := Start(t, Options{Workers: with.workers, Data: dir})
		for _, strategy := range []string{settings.Auto, settings.Exchange, settings.Broadcast} {
			values := Settings(t, map[string]any{
				settings.Distributed: settings.Always, settings.JoinStrategy: strategy, settings.Partitions: with.partitions,
			})
			request := func(r *coordinator.Request) { r.Settings = values }
			t.Run(fmt.Sprintf("workers=%d strategy=%s", with.workers, strategy), func(t *testing.T) {
				for _, wrong := range joins {
					t.Run(wrong.name, func(t *testing.T) {
						for _, sql := range wrong.sql {
							noteKinds(kinds, strings.Join(c.Rows(t, "EXPLAIN "+sql, request), "\n"))
							got, err := c.Run(t, sql, request)
							if err != nil {
								t.Errorf("%s: %v", sql, err)
								continue
							}
							want := answer(t, c, engine, sql, overFiles(dir, sql))
							slices.Sort(got)
							slices.Sort(want)
							if !slices.Equal(got, want) {
								t.Errorf("%s\ngot  %s\nwant %s", sql, clip(got), clip(want))
							}
						}
					})
				}
				t.Run("a second match of a scalar subquery is an error", func(t *testing.T) {
					if _, err := c.Run(t, "SELECT id, (SELECT id FROM r WHERE r.k = l.k) FROM l", request); !qerr.Is(err, qerr.User) {
						t.Errorf("error %v", err)
					}
				})
			})
		}
		c.Idle(t)
	}
	for _, kind := range []string{"inner", "left", "right", "full", "semi", "anti", "mark", "right_semi", "right_anti"} {
		if !kinds[kind] {
			t.Errorf("no plan had a join of kind %s: the statements no longer test it", kind)
		}
	}
}

var joinLine = regexp.MustCompile(`(?m)^\s*join (\w+) on=`)

func noteKinds(kinds map[string]bool, plan string) {
	for _, m := range joinLine.FindAllStringSubmatch(plan, -1) {
		kinds[m[1]] = true
	}
}

// overFiles lets the names of the tables mean their files.
func overFiles(dir, sql string) string {
	with := ""
	for _, name := range []string{"l", "r", "u", "skew", "one", "none"} {
		with += ", " + name + " AS (FROM read_parquet(" + table.Literal(dir+"/"+name+"/*.parquet") + "))"
	}
	return "WITH " + with[2:] + " " + sql
}

// writeJoinTables writes the tables of joins, of several files each.
func writeJoinTables(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name string, files, rows int, key func(id int) (int64, bool)) {
		for f := range max(files, 1) {
			b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
				{Name: "id", Type: arrow.PrimitiveTypes.Int64},
				{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
				{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
				{Name: "d", Type: &arrow.Decimal128Type{Precision: 9, Scale: 2}, Nullable: true},
				{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
			}, nil))
			for n := range rows {
				id := f*rows + n
				b.Field(0).(*array.Int64Builder).Append(int64(id))
				k, ok := key(id)
				if !ok {
					for c := 1; c < 5; c++ {
						b.Field(c).AppendNull()
					}
					continue
				}
				b.Field(1).(*array.Int64Builder).Append(k)
				b.Field(2).(*array.Int32Builder).Append(int32(id % 13))
				if err := b.Field(3).(*array.Decimal128Builder).AppendValueFromString(fmt.Sprintf("%d.00", k%17)); err != nil {
					t.Fatal(err)
				}
				b.Field(4).(*array.StringBuilder).Append(fmt.Sprint(k % 19))
			}
			WriteParquet(t, filepath.Join(dir, name, fmt.Sprintf("part-%d.parquet", f)), b.NewRecordBatch(), 32)
			b.Release()
		}
	}
	write("l", 4, 60, func(id int) (int64, bool) { return int64(id % 40), id%9 != 0 })
	write("r", 3, 90, func(id int) (int64, bool) { return int64(id%50 + 15), id%11 != 0 })
	write("u", 3, 30, func(id int) (int64, bool) { return int64(id * 2), true })
	write("skew", 3, 50, func(id int) (int64, bool) { return int64(max(id%10-8, 0) * 6), true })
	write("one", 1, 1, func(int) (int64, bool) { return 18, true })
	write("none", 1, 0, func(int) (int64, bool) { return 0, true })
	return dir
}
