package frontend

import (
	"fmt"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
)

const (
	// benchTables is the largest join that planning is held to.
	benchTables = 30
	// benchFiles is the largest table.
	benchFiles = 10_000
	// benchWorkers is how many workers the plans are for.
	benchWorkers = 20
)

// chain joins n tables in a row: each is keyed by k and refers to the next by r.
func chain(n int) string {
	var from, where []string
	for i := range n {
		from = append(from, fmt.Sprintf("w%d", i))
		if i > 0 {
			where = append(where, fmt.Sprintf("w%d.r = w%d.k", i-1, i))
		}
	}
	return fmt.Sprintf("SELECT count(*), sum(w%d.v) FROM %s WHERE %s", n-1, strings.Join(from, ", "), strings.Join(where, " AND "))
}

// snowflake joins a fact table with dimensions, and each of these with two of its own, to n tables in all.
func snowflake(n int) string {
	var from, where []string
	for i := range n {
		from = append(from, fmt.Sprintf("w%d", i))
		switch {
		case i == 0:
		case i <= n/3: // of the fact table
			where = append(where, fmt.Sprintf("w0.d%d = w%d.k", i-1, i))
		default: // of a dimension
			where = append(where, fmt.Sprintf("w%d.r = w%d.k", 1+(i-1)%(n/3), i))
		}
	}
	return fmt.Sprintf("SELECT w1.v, count(*), sum(w0.v) FROM %s WHERE %s GROUP BY w1.v", strings.Join(from, ", "), strings.Join(where, " AND "))
}

// wide is a snapshot of n tables with files each; w0 is a fact table.
func wide(tb testing.TB, n, files int) *fake {
	tb.Helper()
	s := &fake{version: fmt.Sprintf("wide %d %d", n, files)}
	for i := range n {
		rows := int64(10_000 * (i + 1))
		columns := "k BIGINT; r BIGINT; v BIGINT"
		if i == 0 {
			rows = 100_000_000
			for d := range benchTables {
				columns += fmt.Sprintf("; d%d BIGINT", d)
			}
		}
		t := newTable(tb, fmt.Sprintf("w%d", i), rows, columns)
		for f := range files {
			each := rows / int64(files)
			group := table.RowGroup{Rows: each, Bytes: make([]int64, len(t.Columns))}
			for c := range group.Bytes {
				group.Bytes[c] = each * 8
			}
			zones := make([]table.Zone, len(t.Columns))
			zones[0].Add(table.Bounds{Min: table.Value{Number: int64(f) * each}, Max: table.Value{Number: int64(f+1)*each - 1}, Known: true, Nulls: table.NullsNone}, false)
			t.Files = append(t.Files, table.File{Path: fmt.Sprintf("w%d/part-%d.parquet", i, f), Size: each * 8 * int64(len(t.Columns)), Rows: each,
				RowGroups: []table.RowGroup{group}, Zones: zones})
		}
		s.tables = append(s.tables, t)
	}
	return s
}

// planningCases are the statements that planning is held to, with the number and size of the tables.
var planningCases = []struct {
	name, sql     string
	tables, files int
}{
	{"chain=10", chain(10), 10, 8}, {"chain=20", chain(20), 20, 8}, {"chain=30", chain(30), 30, 8},
	{"snowflake=10", snowflake(10), 10, 8}, {"snowflake=20", snowflake(20), 20, 8}, {"snowflake=30", snowflake(30), 30, 8},
	{"files=10000", "SELECT r, count(*), sum(v) FROM w0 WHERE k > 1000 GROUP BY r", 1, benchFiles},
	{"files=10000/join", "SELECT w0.r, count(*) FROM w0 JOIN w1 ON w0.k = w1.k GROUP BY w0.r", 2, benchFiles},
}

// planAll plans a request without the cache, as far as the stages.
func planAll(tb testing.TB, f *Frontend, r Request) *distplan.Plan {
	tb.Helper()
	p, err := f.Plan(tb.Context(), r)
	if err != nil {
		tb.Fatal(err)
	}
	made, err := distplan.Build(p.Statement, distplan.Options{Workers: benchWorkers})
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

// uncached is a frontend like another that keeps no plans.
func uncached(f *Frontend) *Frontend {
	return &Frontend{cfg: f.cfg, pool: f.pool, catalogs: f.catalogs, local: f.local, cache: newCache(-1, 0), functions: f.functions}
}

// TestWideJoinsAreTrees: chains and snowflakes of the size that is promised are optimised, and spread.
func TestWideJoinsAreTrees(t *testing.T) {
	f := uncached(front(t))
	for _, c := range planningCases {
		r := request(t, c.sql)
		r.Snapshot = wide(t, c.tables, c.files)
		if p := planAll(t, f, r); len(p.Fallbacks) > 0 || len(p.Stages) < 2 {
			t.Errorf("%s: %d stages, %v\n%s", c.name, len(p.Stages), p.Fallbacks, distplan.Explain(p))
		}
	}
}

// BenchmarkPlanAll plans the statements from their text to their stages, without the cache.
func BenchmarkPlanAll(b *testing.B) {
	f := uncached(front(b))
	for _, c := range planningCases {
		r := request(b, c.sql)
		r.Snapshot = wide(b, c.tables, c.files)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				planAll(b, f, r)
			}
		})
	}
}
