package oracle_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/oracle/contest"
)

const (
	// sampleSeed and sampleQueries are the fixed sample.
	sampleSeed    = 1
	sampleQueries = 2000
	// queriesPerSet is how many statements run over one set of tables in the sample, longSet in a long run: starting the
	// clusters costs as much as twenty statements.
	queriesPerSet = 125
	longSet       = 250
	// shrinksMax is how many failures of one set of tables are made small; the others are told as they are.
	shrinksMax = 3
)

// variable reads a number from the environment.
func variable(t *testing.T, name string, otherwise int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestRandomQueries holds random SELECTs over random tables to one plain DuckDB, each under four configurations.
//
// ARBALEST_FUZZ_QUERIES is how many statements to try, ARBALEST_FUZZ_TIME (a duration) how long to go on instead, and
// ARBALEST_FUZZ_SEED where to begin. ARBALEST_FUZZ_STATS is a file to which the counts are added: several runs are then
// judged as one. ARBALEST_FUZZ_FIRST stops at the first failure. A failure names its seed and case: ARBALEST_FUZZ_CASE runs that one alone.
func TestRandomQueries(t *testing.T) {
	seed := variable(t, "ARBALEST_FUZZ_SEED", sampleSeed)
	only := variable(t, "ARBALEST_FUZZ_CASE", -1)
	queries := variable(t, "ARBALEST_FUZZ_QUERIES", sampleQueries)
	first := os.Getenv("ARBALEST_FUZZ_FIRST") != ""
	var end time.Time
	if text := os.Getenv("ARBALEST_FUZZ_TIME"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("ARBALEST_FUZZ_TIME: %v", err)
		}
		end = time.Now().Add(d)
	}
	if only >= 0 {
		queries = 1
	}
	stats := &contest.Stats{}
	total := stats // with those of earlier runs, when they are kept
	size := int64(queriesPerSet)
	if queries > sampleQueries {
		size = longSet
	}
	for done := int64(0); !end.IsZero() && time.Now().Before(end) || end.IsZero() && done < queries; done += size {
		n := min(size, queries-done)
		if !end.IsZero() {
			n = size
		}
		set := &contest.Stats{}
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			(&run{seed: seed, queries: int(n), only: int(only), first: first, stats: set}).test(t)
		})
		stats.Add(set)
		if file := os.Getenv("ARBALEST_FUZZ_STATS"); file != "" && only < 0 {
			if err := set.AddFile(file); err != nil {
				t.Error(err)
			}
			total = set
		}
		if first && t.Failed() {
			break
		}
		seed++
	}
	t.Log(total)
	if only < 0 {
		for _, fault := range total.Faults() {
			t.Error(fault)
		}
	}
}
