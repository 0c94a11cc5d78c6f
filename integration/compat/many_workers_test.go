package compat

import (
	"testing"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/scenario"
)

// manyWorkers is more than the 20 locations that a result may name: ADBC's cache of connections holds no more.
const manyWorkers = 25

// TestManyWorkers reads results of 25 workers in one process by the clients that TestFeatures does not measure: each row once,
// as the oracle has it, and nothing left.
func TestManyWorkers(t *testing.T) {
	// As many files as workers, so that each has something to read.
	data, err := harness.TPCH(t.Context(), scale, manyWorkers)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := harness.Tables(data)
	if err != nil {
		t.Fatal(err)
	}
	group := "SELECT l_suppkey % 1000 AS k, count(*) AS n, sum(l_quantity) AS q FROM lineitem GROUP BY k"
	checks := []check{
		{step: scenario.Step{Name: "always", Kind: "execute", SQL: "SET arbalest.distributed = 'always'"}},
		{step: scenario.Step{Name: "rows", Kind: "query", SQL: "SELECT l_orderkey, l_linenumber, l_extendedprice FROM lineitem WHERE l_orderkey % 8 < 3"}},
		{step: scenario.Step{Name: "groups", Kind: "query", SQL: group}},
	}
	wanted := ask(t, oracle.Question{Out: t.TempDir(), Tables: tables, Statements: questions(checks)})
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: manyWorkers, Embedded: true, Memory: "4GB"})
	for _, c := range clients {
		if c.name != "jdbc" {
			continue
		}
		whole := t.Run(c.name, func(t *testing.T) {
			report, dir := perform(t, cluster, c, checks, scenario.Plan{})
			if report.Error != "" {
				t.Fatalf("%s could not connect: %s %s", report.Client, report.Status, report.Error)
			}
			for _, check := range checks {
				judge(t, c, check, report, dir, wanted)
			}
			if rows, err := report.Step("rows"); c.endpoints && (err != nil || rows.Endpoints != manyWorkers) {
				t.Errorf("%d endpoints, want one a worker", rows.Endpoints)
			}
			if err := cluster.WaitIdle(t.Context()); err != nil {
				t.Errorf("something is left: %v", err)
			}
		})
		verdict := Yes
		if !whole {
			verdict = "no: the test fails"
		}
		writeColumn(t, Column{Client: c.name, Features: map[string]Verdict{"25 workers": verdict}}, "-workers")
	}
}
