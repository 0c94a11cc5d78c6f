package tpch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
)

// explained are statements with what their EXPLAIN must show.
var explained = []struct {
	name, sql string
	order     []int
	shows     []string
	stages    int // at least
}{
	{"aggregate", "SELECT l_returnflag, l_linestatus, sum(l_quantity) AS q, count(*) AS n FROM lineitem GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus",
		[]int{0, 1}, []string{"aggregate partial", "aggregate final", "scan", "lineitem"}, 2},
	{"recursive", "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 20) SELECT t.n AS n, n_name FROM t JOIN nation ON n_nationkey = t.n ORDER BY t.n",
		[]int{0}, []string{"fallback: ", "ecursive"}, 1},
	{"scan", "SELECT l_orderkey, l_linenumber FROM lineitem WHERE l_quantity < 2", nil, []string{"scan", "lineitem"}, 1},
}

// TestExplain holds that EXPLAIN shows stages, and the reason of a fallback; that the results are right; and that what it
// shows is what ran, as sys.queries and the metrics count.
func TestExplain(t *testing.T) {
	dir, tables := data(t)
	question := oracle.Question{Tables: tables, Out: t.TempDir()}
	for _, e := range explained {
		question.Statements = append(question.Statements, oracle.Statement{Name: e.name, SQL: e.sql})
	}
	answers, err := oracle.Ask(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	cluster := harness.Start(t, harness.Options{Data: []string{dir}, Workers: 2})
	cluster.CheckIdle(t)
	session := dial(t, cluster, "SET arbalest.distributed = 'always'")
	for _, e := range explained {
		t.Run(e.name, func(t *testing.T) {
			plan := text(t, session, "EXPLAIN "+e.sql)
			for _, part := range e.shows {
				if !strings.Contains(plan, part) {
					t.Errorf("EXPLAIN does not show %q:\n%s", part, plan)
				}
			}
			var stages, tasks int
			if _, err := fmt.Sscanf(plan, "plan stages=%d tasks=%d", &stages, &tasks); err != nil {
				t.Fatalf("EXPLAIN has no counts: %v\n%s", err, plan)
			}
			if stages < e.stages {
				t.Errorf("%d stages, want at least %d:\n%s", stages, e.stages, plan)
			}
			before := started(t, cluster)
			result, err := session.Query(t.Context(), e.sql)
			if err != nil {
				t.Fatal(err)
			}
			defer result.Release()
			want, err := answers[e.name].Rows()
			if err != nil {
				t.Fatal(err)
			}
			if err := oracle.Compare(want, oracle.FromBatches(result.Schema, result.Batches), e.order...); err != nil {
				t.Error(err)
			}
			after := started(t, cluster)
			if after[0]-before[0] != stages || after[1]-before[1] != tasks {
				t.Errorf("metrics count %d stages and %d tasks more, EXPLAIN shows %d and %d", after[0]-before[0], after[1]-before[1], stages, tasks)
			}
			ran := text(t, session, "SELECT stages || ' ' || tasks FROM sys.queries WHERE query_id = '"+result.QueryID+"'")
			if ran != fmt.Sprintf("%d %d", stages, tasks) {
				t.Errorf("sys.queries has %q stages and tasks, EXPLAIN shows %d %d", ran, stages, tasks)
			}
			analyzed := text(t, session, "EXPLAIN ANALYZE "+e.sql)
			if !strings.Contains(analyzed, fmt.Sprintf("plan stages=%d tasks=%d", stages, tasks)) {
				t.Errorf("EXPLAIN ANALYZE shows another plan:\n%s", analyzed)
			}
		})
	}
}

// started reads how many stages and tasks the door has started so far.
func started(t *testing.T, cluster *harness.Cluster) [2]int {
	t.Helper()
	metrics, err := cluster.Door.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var counts [2]int
	for i, name := range []string{harness.MetricStages, harness.MetricTasks} {
		value, ok := metrics.Sum(name)
		if !ok {
			t.Fatalf("the door has no metric %s", name)
		}
		counts[i] = int(value)
	}
	return counts
}

// text gives the last column of a statement's rows, a line each.
func text(t *testing.T, session *client.Session, sql string) string {
	t.Helper()
	result, err := session.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer result.Release()
	var lines []string
	for _, row := range oracle.FromBatches(result.Schema, result.Batches).Cells {
		lines = append(lines, row[len(row)-1].String())
	}
	return strings.Join(lines, "\n")
}
