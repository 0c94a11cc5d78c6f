package testcluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// starTables is how many tables the star has: its join order takes the optimiser a hundred times starDeadline.
	starTables   = 60
	starDeadline = time.Millisecond
)

// TestPlanDeadline: a star of sixty tables, whose join order is not found in time, runs as one fragment of its text, says
// so, and gives the right answer; what comes after is planned on another instance. That the optimiser misses the deadline
// is surer on a busy machine, and nothing here must be in time.
func TestPlanDeadline(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t), PlanDeadline: starDeadline})
	from, where := "sales s", "true"
	for i := range starTables {
		from += fmt.Sprintf(", regions r%d", i)
		where += fmt.Sprintf(" AND s.region || '%d' = r%d.region || '%d'", i, i, i)
	}
	star := "SELECT count(*) FROM " + from + " WHERE " + where
	if plan := strings.Join(c.Rows(t, "EXPLAIN "+star), "\n"); !strings.Contains(plan, "deadline") {
		t.Errorf("EXPLAIN does not say why the statement runs as its text:\n%s", plan)
	}
	// Every region of the small table is there once.
	want := c.Rows(t, "SELECT count(*) FROM sales WHERE region IN ('north', 'south', 'east')")
	for range 3 {
		if got := c.Rows(t, star); !slices.Equal(got, want) {
			t.Errorf("the star has %v rows, want %v", got, want)
		}
	}
	if got := c.Rows(t, "SELECT count(*) FROM sales"); !slices.Equal(got, []string{fmt.Sprint(salesFiles * salesPerFile)}) {
		t.Errorf("the statement after it has %v rows", got)
	}
	c.Idle(t)
}
