package oracle_test

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle/contest"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/duck/plaindb"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// tpchParts is the number of files of a table.
const tpchParts = 4

// TestTPCH holds the 22 queries of TPC-H to one plain DuckDB, each under four configurations of the matrix, and under all of
// them when ARBALEST_FUZZ_MATRIX is all. ARBALEST_TPCH_SCALE is the scale factor, 0.01 by default.
func TestTPCH(t *testing.T) {
	scale, err := strconv.ParseFloat(cmp.Or(os.Getenv("ARBALEST_TPCH_SCALE"), "0.01"), 64)
	if err != nil {
		t.Fatalf("ARBALEST_TPCH_SCALE: %v", err)
	}
	dir, err := harness.TPCH(t.Context(), scale, tpchParts)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := harness.Tables(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := plaindb.Open(plainBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, glob := range tables {
		if err := db.Exec(fmt.Sprintf("CREATE TABLE %s AS SELECT * FROM read_parquet('%s')", name, glob)); err != nil {
			t.Fatal(err)
		}
	}
	arena := contest.Open(t, dir)
	stats := &contest.Stats{}
	for _, q := range tpch.Queries() {
		t.Run(q.Name, func(t *testing.T) {
			want, err := contest.AskPatiently(t.Context(), db, q.SQL)
			if err != nil || want.Refusal != nil {
				t.Fatalf("the oracle refuses: %v %v", err, want)
			}
			configs := contest.Draw(q.Number)
			if os.Getenv("ARBALEST_FUZZ_MATRIX") == "all" {
				configs = contest.All()
			}
			stats.Count(want, len(configs))
			right, start := 0, time.Now()
			for _, c := range configs {
				if err := arena.Judge(t.Context(), c, q.SQL, want, tpch.OrderBy[q.Number]); err != nil {
					plan, _ := arena.Explain(t.Context(), c, q.SQL)
					t.Errorf("with %s: %v\n%s", c, err, plan)
				} else {
					right++
				}
			}
			t.Logf("%s: %d rows, right under %d of %d configurations in %s", q.Name, len(want.Rows.Cells), right, len(configs), time.Since(start).Round(time.Millisecond))
			plan, err := arena.Explain(t.Context(), contest.Config{Workers: 3, Join: settings.Auto, Spill: settings.Auto, Distributed: settings.Always}, q.SQL)
			if err != nil {
				t.Fatal(err)
			}
			stats.CountPlan(plan)
		})
	}
	arena.Idle()
	t.Log(strings.TrimSpace(stats.String()))
}
