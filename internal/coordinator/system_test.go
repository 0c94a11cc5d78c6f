package coordinator

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestSystemTables(t *testing.T) {
	b := newBench(t, 2)
	q := b.submit("scan", func(r *Request) { r.User = "ann" })
	if got := SystemTables(); fmt.Sprint(got) != "[queries settings tables tasks workers]" {
		t.Errorf("system tables: %v", got)
	}
	for _, name := range SystemTables() {
		table, err := b.c.SystemTable(name)
		if err != nil {
			t.Fatal(err)
		}
		if table.Inline == nil {
			t.Errorf("%s is not inline", name)
		}
		for _, row := range table.Inline {
			if len(row) != len(table.Columns) {
				t.Errorf("%s: a row of %d values for %d columns", name, len(row), len(table.Columns))
			}
		}
	}
	workers, _ := b.c.SystemTable("workers")
	if len(workers.Inline) != 2 || workers.Inline[0][4] != "'usable'" || workers.Inline[0][6] != "true" {
		t.Errorf("sys.workers: %v", workers.Inline)
	}
	tasks, _ := b.c.SystemTable("tasks")
	if len(tasks.Inline) != 2 || tasks.Inline[0][0] != "'"+string(q.ID())+"'" {
		t.Errorf("sys.tasks: %v", tasks.Inline)
	}
	if _, err := b.c.SystemTable("nothing"); !qerr.Is(err, qerr.NotFound) {
		t.Errorf("got %v", err)
	}
	others, err := b.c.systemTable(t.Context(), "queries", Request{User: "bob"})
	if err != nil || others.Inline[0][4] != "NULL" {
		t.Errorf("another user sees the statement: %v, %v", others.Inline, err)
	}
	own, err := b.c.systemTable(t.Context(), "queries", Request{User: "ann"})
	if err != nil || own.Inline[0][4] != "'scan'" || own.Inline[0][3] != "'running'" || own.Inline[0][5] != "1" || own.Inline[0][6] != "2" {
		t.Errorf("the user's own query: %v, %v", own.Inline, err)
	}
	q.Cancel(nil)
	b.idle()
}

// The statement's text is the client's: whatever it holds must stay a literal.
func TestLiteralsHoldAnything(t *testing.T) {
	if got := text("it's \x00 \xff"); got != "'it''s  \uFFFD'" {
		t.Errorf("literal %q", got)
	}
	if got := cut("ééé", 6); got != "ééé" {
		t.Errorf("cut %q", got)
	}
	if got := cut("éééééé", 8); got != "éé…" {
		t.Errorf("cut %q", got)
	}
}

func TestMetricsAreWellFormed(t *testing.T) {
	b := newBench(t, 1)
	b.submit("scan").Cancel(nil)
	b.idle()
	problems, err := testutil.CollectAndLint(b.c.Metrics())
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	if got := testutil.ToFloat64(b.c.metrics.queries.WithLabelValues("cancelled")); got != 1 {
		t.Errorf("%v queries were cancelled", got)
	}
}
