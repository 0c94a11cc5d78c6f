//go:build linux

package chaos

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/chaos/host"
	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

// A memoryCase bounds each of two workers: the engine and the exchange by a flag, the whole process by a control group.
type memoryCase struct {
	scale   float64
	flag    string
	group   int64 // bytes
	queries []int // nil = all 22
	limit   time.Duration
}

// The sample has a tenth of the data and of the flag's memory, and the same room beside it, which the process itself needs;
// its queries are those that hold most.
var (
	memorySample = memoryCase{scale: 1, flag: "100MB", group: 400_000_000, queries: []int{1, 3, 9, 13, 18, 21}, limit: 2 * time.Minute}
	memoryFull   = memoryCase{scale: 10, flag: "1GB", group: 1_300_000_000, limit: 10 * time.Minute}
)

// TestMemory runs TPC-H on two workers that have much less memory than the data: every query completes by spilling, no
// process is killed by the kernel, and no file is left. ARBALEST_CHAOS_QUERIES (9,18) runs only some.
func TestMemory(t *testing.T) {
	c := memorySample
	if full() {
		c = memoryFull
	}
	if some := os.Getenv("ARBALEST_CHAOS_QUERIES"); some != "" {
		c.queries = nil
		for _, one := range strings.Split(some, ",") {
			n, err := strconv.Atoi(one)
			must(t, err)
			c.queries = append(c.queries, n)
		}
	}
	data, want := answers(t, c.scale, c.queries...)
	var groups []*host.Memory
	for i := range 2 {
		group, err := host.NewMemory(fmt.Sprintf("worker-%d", i+1), c.group)
		must(t, err)
		t.Cleanup(func() { logged(t, group.Close()) })
		groups = append(groups, group)
	}
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: len(groups), Memory: c.flag,
		Site: func(i int) harness.Site { return harness.Site{Started: groups[i].Add} }})
	session, err := client.Dial(t.Context(), cluster.Door.Address, client.Options{Keepalive: keepalive})
	must(t, err)
	defer session.Close()
	must(t, session.Exec(t.Context(), "SET arbalest.distributed = 'always'"))
	for _, q := range tpch.Queries() {
		if c.queries != nil && !slices.Contains(c.queries, q.Number) {
			continue
		}
		t.Run(q.Name, func(t *testing.T) {
			before := spilledBytes(t, cluster)
			ctx, cancel := context.WithTimeout(t.Context(), c.limit)
			defer cancel()
			end := ask(ctx, session, q.SQL)
			if end.err != nil {
				t.Errorf("after %s: %v", end.elapsed.Round(time.Millisecond), end.err)
			} else if err := oracle.Compare(want[q.Number], end.rows, tpch.OrderBy[q.Number]...); err != nil {
				t.Error(err)
			}
			t.Logf("%6.1f s, exchanges spilled %.0f MB; %s", end.elapsed.Seconds(), (spilledBytes(t, cluster)-before)/1e6, held(t, groups))
			if err := cluster.WaitIdle(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	for i, group := range groups {
		if kills, err := group.Kills(); err != nil || kills > 0 {
			t.Errorf("the kernel killed %d processes of worker %d for want of memory: %v", kills, i+1, err)
		}
	}
	if left := files(t, cluster.SpillDir()); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
}

// spilledBytes reads what the exchanges of all queries have spilled so far.
func spilledBytes(t *testing.T, cluster *harness.Cluster) float64 {
	t.Helper()
	m, err := cluster.Door.Metrics(t.Context())
	must(t, err)
	bytes, _ := m.Sum("arbalest_spilled_bytes_total")
	return bytes
}

// held says what the groups hold now, and held at most.
func held(t *testing.T, groups []*host.Memory) string {
	t.Helper()
	var parts []string
	for i, group := range groups {
		now, err := group.Anonymous()
		must(t, err)
		peak, err := group.Peak()
		must(t, err)
		parts = append(parts, fmt.Sprintf("worker %d %d MB (with page cache at most %d MB)", i+1, now/1e6, peak/1e6))
	}
	return strings.Join(parts, ", ")
}
