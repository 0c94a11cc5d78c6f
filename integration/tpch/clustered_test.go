package tpch_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

const (
	// clusteredScale makes tables of a file and a row group a part; that is enough for two workers to divide.
	clusteredScale = 0.1
	// shuffledGroup is the rows of a row group of the shuffled copy: every table of interest has several in a file.
	shuffledGroup = 10_000
)

// clustered are the queries that bring lineitem and orders together, or lineitem and itself, by the order's key.
var clustered = []int{3, 4, 12, 18, 21}

// TestClustered holds that the generator's files, which lie by the order's key, are joined and grouped by it without
// exchanging a row of lineitem or orders; that the same rows in no order are exchanged; and that both give DuckDB's answers.
func TestClustered(t *testing.T) {
	sorted, err := harness.TPCH(t.Context(), clusteredScale, parts)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := harness.Tables(sorted)
	if err != nil {
		t.Fatal(err)
	}
	shuffled := t.TempDir()
	question := oracle.Question{Tables: tables, Out: t.TempDir(), Setup: shuffle(t, tables, shuffled)}
	for _, n := range clustered {
		q := tpch.Queries()[n-1]
		question.Statements = append(question.Statements, oracle.Statement{Name: q.Name, SQL: q.SQL})
	}
	answers, err := oracle.Ask(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, dir string
		lies      bool
	}{{"sorted", sorted, true}, {"shuffled", shuffled, false}} {
		t.Run(c.name, func(t *testing.T) {
			cluster := harness.Start(t, harness.Options{Data: []string{c.dir}, Workers: 2})
			session := dial(t, cluster, "SET arbalest.distributed = 'always'")
			for _, n := range clustered {
				q := tpch.Queries()[n-1]
				t.Run(q.Name, func(t *testing.T) {
					plan := text(t, session, "EXPLAIN "+q.SQL)
					if together := meetsByRanges(plan); together != c.lies {
						t.Errorf("lineitem and orders meet without an exchange: %v, want %v\n%s", together, c.lies, plan)
					}
					want, err := answers[q.Name].Rows()
					if err != nil {
						t.Fatal(err)
					}
					compare(t, session, q, want)
				})
			}
			if err := cluster.WaitIdle(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// shuffle gives the statements that copy every table to a folder of one file, its rows in an order that has nothing to do
// with any key, and is the same each time.
func shuffle(t *testing.T, tables map[string]string, dir string) (setup []string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		setup = append(setup, fmt.Sprintf("COPY (SELECT t.* FROM %s t ORDER BY hash(t)) TO '%s' (FORMAT parquet, ROW_GROUP_SIZE %d)",
			name, filepath.Join(dir, name, "shuffled.parquet"), shuffledGroup))
	}
	return setup
}

var (
	stageHead = regexp.MustCompile(`(?m)^stage \d+ `)
	keyed     = regexp.MustCompile(`scan (lineitem|orders) .*ranges=\d+ by [lo]_orderkey `)
	anyScan   = regexp.MustCompile(`scan (lineitem|orders) `)
)

// meetsByRanges reports whether all scans of lineitem and orders in a plan are divided by ranges of the order's key and are
// in one stage, so that no exchange stands between any two of them.
func meetsByRanges(plan string) bool {
	stages := 0
	for _, stage := range stageHead.Split(plan, -1) {
		scans := len(anyScan.FindAllString(stage, -1))
		if scans == 0 {
			continue
		}
		if stages++; len(keyed.FindAllString(stage, -1)) != scans {
			return false
		}
	}
	return stages == 1
}
