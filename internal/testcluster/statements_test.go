package testcluster

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// statements are compared with one plain engine. $sales and $regions are the tables. Those of the second kind have an order
// that decides every row.
var statements = []struct {
	sql     string
	ordered bool
}{
	{"SELECT count(*) FROM $sales", false},
	{"SELECT count(*), count(k), sum(qty), min(price), max(price), avg(qty) FROM $sales", false},
	{"SELECT region, count(*) FROM $sales GROUP BY region", false},
	{"SELECT region, k, sum(price), min(day), max(day) FROM $sales GROUP BY region, k", false},
	{"SELECT region, round(avg(price), 6) FROM $sales GROUP BY region HAVING count(*) > 100", false},
	{"SELECT count(DISTINCT k), count(DISTINCT region) FROM $sales", false},
	{"SELECT region, count(DISTINCT k) FROM $sales GROUP BY region", false},
	{"SELECT DISTINCT region FROM $sales", false},
	{"SELECT DISTINCT k, region FROM $sales WHERE qty < 10", false},
	{"SELECT id, price FROM $sales WHERE region = 'north' AND qty BETWEEN 3 AND 5", false},
	{"SELECT * FROM $sales WHERE id % 100 = 7", false},
	{"SELECT id + 1 AS next, upper(region) AS r FROM $sales WHERE k IS NULL", false},
	{"SELECT id FROM $sales ORDER BY id DESC", true},
	{"SELECT region, id FROM $sales ORDER BY region NULLS FIRST, id LIMIT 20", true},
	{"SELECT id, price FROM $sales ORDER BY price DESC, id LIMIT 10 OFFSET 5", true},
	{"SELECT region, sum(qty) AS s FROM $sales GROUP BY region ORDER BY s DESC, region", true},
	{"SELECT count(*) FROM (SELECT id FROM $sales LIMIT 33)", false},
	{"SELECT count(*) FROM (SELECT id FROM $sales ORDER BY id LIMIT 33 OFFSET 1990)", false},
	{"SELECT id FROM $sales WHERE id < 10 UNION ALL SELECT qty FROM $sales WHERE id < 5", false},
	{"SELECT k FROM $sales UNION SELECT 99", false},
	{"SELECT k FROM $sales INTERSECT SELECT 3", false},
	{"SELECT region FROM $sales EXCEPT SELECT region FROM $regions", false},
	{"SELECT s.region, manager, count(*) FROM $sales s JOIN $regions r ON s.region = r.region GROUP BY ALL", false},
	{"SELECT s.id, r.manager FROM $sales s LEFT JOIN $regions r USING (region) WHERE s.id < 50", false},
	{"SELECT count(*) FROM $sales a JOIN $sales b ON a.k = b.qty", false},
	{"SELECT count(*) FROM $sales WHERE region IN (SELECT region FROM $regions WHERE manager <> 'manager 0')", false},
	{"SELECT count(*) FROM $sales s WHERE NOT EXISTS (SELECT 1 FROM $regions r WHERE r.region = s.region)", false},
	{"SELECT id, (SELECT max(manager) FROM $regions r WHERE r.region = s.region) FROM $sales s WHERE id < 30", false},
	{"SELECT id, row_number() OVER (PARTITION BY region ORDER BY id) FROM $sales WHERE id < 200", false},
	{"SELECT region, k, sum(qty) FROM $sales GROUP BY ROLLUP (region, k)", false},
	{"WITH big AS (SELECT * FROM $sales WHERE qty > 40) SELECT a.k, count(*) FROM big a JOIN big b ON a.id = b.id GROUP BY a.k", false},
	{"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, (SELECT count(*) FROM $sales WHERE k = i) FROM n", false},
	{"SELECT string_agg(region, ',' ORDER BY region) FROM $regions", false},
	{"SELECT median(qty), quantile_cont(qty, 0.9) FROM $sales", false},
	{"SELECT sum(price) FILTER (WHERE region = 'south'), count(*) FILTER (WHERE k > 3) FROM $sales", false},
	{"SELECT day, count(*) FROM $sales WHERE day >= DATE '2022-06-01' GROUP BY day", false},
	{"SELECT 1 AS one, 'x' AS x", false},
	{"SELECT * FROM range(5)", false},
	{"SELECT * FROM $sales WHERE false", false},
}

func TestStatementsGiveTheEnginesAnswers(t *testing.T) {
	dir := writeTables(t)
	engine, err := duck.Open(duck.Config{Threads: 1, TempDir: t.TempDir(), DataLocations: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	for _, workers := range []int{1, 2, 3} {
		for _, embedded := range []bool{false, true} {
			if embedded && workers == 3 {
				continue
			}
			t.Run(fmt.Sprintf("workers=%d embedded=%t", workers, embedded), func(t *testing.T) {
				c := Start(t, Options{Workers: workers, Embedded: embedded, Data: dir})
				always := Settings(t, map[string]any{settings.Distributed: settings.Always})
				for _, s := range statements {
					got, err := c.Run(t, name(s.sql), func(r *coordinator.Request) { r.Settings = always })
					if err != nil {
						t.Errorf("%s: %v", s.sql, err)
						continue
					}
					want := oracle(t, c, engine, dir, s.sql)
					if !s.ordered {
						slices.Sort(got)
						slices.Sort(want)
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s\ngot  %s\nwant %s", s.sql, clip(got), clip(want))
					}
				}
				c.Idle(t)
			})
		}
	}
}

// name and files print a statement for the cluster and for the plain engine.
func name(sql string) string {
	return strings.NewReplacer("$sales", "sales", "$regions", "regions").Replace(sql)
}

func files(dir, sql string) string {
	return strings.NewReplacer("$sales", "read_parquet("+table.Literal(dir+"/sales/*.parquet")+")",
		"$regions", "read_parquet("+table.Literal(dir+"/regions.parquet")+")").Replace(sql)
}

// oracle runs the statement on one engine, over the files.
func oracle(t *testing.T, c *Cluster, engine *duck.Engine, dir, sql string) (rows []string) {
	t.Helper()
	return answer(t, c, engine, name(sql), files(dir, sql))
}

// answer runs a statement on one engine in the form that is over files; sql is the form for the cluster, which knows the
// result's columns.
func answer(t *testing.T, c *Cluster, engine *duck.Engine, sql, overFiles string) (rows []string) {
	t.Helper()
	d, err := c.Coordinator.Describe(t.Context(), coordinator.Request{SQL: sql})
	if err != nil {
		t.Fatalf("describe %s: %v", sql, err)
	}
	s, err := engine.Stream(t.Context(), duck.Job{SQL: overFiles, TimeZone: "UTC", Columns: d.Columns})
	if err != nil {
		t.Fatalf("oracle: %s: %v", sql, err)
	}
	defer func() { _ = s.Close() }()
	for {
		batch, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatalf("oracle: %s: %v", sql, err)
		}
		rows = append(rows, Text(batch)...)
		batch.Release()
	}
}

func clip(rows []string) string {
	if len(rows) > 8 {
		return fmt.Sprintf("%d rows: %v …", len(rows), rows[:8])
	}
	return fmt.Sprint(rows)
}
