package tpch_test

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

// parts is the number of files a table has: splits are whole files or row groups.
const parts = 8

// scale is the scale factor of this run: 1 in the fixed sample, and what ARBALEST_TPCH_SCALE says otherwise.
func scale(t *testing.T) float64 {
	t.Helper()
	factor, err := strconv.ParseFloat(cmp.Or(os.Getenv("ARBALEST_TPCH_SCALE"), "1"), 64)
	if err != nil {
		t.Fatalf("ARBALEST_TPCH_SCALE: %v", err)
	}
	return factor
}

// data makes the tables and tells where they are.
func data(t *testing.T) (dir string, tables map[string]string) {
	t.Helper()
	dir, err := harness.TPCH(t.Context(), scale(t), parts)
	if err != nil {
		t.Fatal(err)
	}
	if tables, err = harness.Tables(dir); err != nil {
		t.Fatal(err)
	}
	return dir, tables
}

// dial opens a session for a test and sets its options.
func dial(t *testing.T, cluster *harness.Cluster, settings ...string) *client.Session {
	t.Helper()
	session, err := client.Dial(t.Context(), cluster.Door.Address, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	for _, set := range settings {
		if err := session.Exec(t.Context(), set); err != nil {
			t.Fatalf("%s: %v", set, err)
		}
	}
	return session
}

// TestQueries compares all 22 queries with the oracle, with one, two and three workers, both when the planner decides
// whether to distribute and when it must.
func TestQueries(t *testing.T) {
	dir, tables := data(t)
	question := oracle.Question{Tables: tables, Out: t.TempDir()}
	for _, q := range tpch.Queries() {
		question.Statements = append(question.Statements, oracle.Statement{Name: q.Name, SQL: q.SQL})
	}
	answers, err := oracle.Ask(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	for workers := 1; workers <= 3; workers++ {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			cluster := harness.Start(t, harness.Options{Data: []string{dir}, Workers: workers})
			for _, mode := range []string{"auto", "always"} {
				session := dial(t, cluster, "SET arbalest.distributed = '"+mode+"'")
				for _, q := range tpch.Queries() {
					t.Run(mode+"/"+q.Name, func(t *testing.T) {
						want, err := answers[q.Name].Rows()
						if err != nil {
							t.Fatalf("the oracle refuses: %v", err)
						}
						compare(t, session, q, want)
					})
				}
			}
			if err := cluster.WaitIdle(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// compare runs one query and holds its rows, their order and their types to the oracle's.
func compare(t *testing.T, session *client.Session, q tpch.Query, want *oracle.Rows) {
	t.Helper()
	result, err := session.Query(t.Context(), q.SQL)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Release()
	if err := oracle.Compare(want, oracle.FromBatches(result.Schema, result.Batches), tpch.OrderBy[q.Number]...); err != nil {
		t.Error(err)
	}
	for i, kind := range want.Types {
		if got := result.Schema.Field(i).Type; got.String() != kind.String() {
			t.Errorf("column %s is %s, DuckDB gives %s", result.Schema.Field(i).Name, got, kind)
		}
	}
}
