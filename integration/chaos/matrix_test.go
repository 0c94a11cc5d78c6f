//go:build linux

package chaos

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// matrixQueries have tasks at every position.
var matrixQueries = []int{1, 3, 5, 7, 8, 9, 10, 12, 13, 18}

// matrixScale is small: what matters is where in the plan a fault comes, and the trigger sees to that.
const matrixScale = 0.1

// A cell is one of the matrix.
type cell struct {
	fault fault
	at    position
	query int // TPC-H's number
	tries int
}

func (c cell) String() string {
	return fmt.Sprintf("%s/%s/tries=%d/q%02d", c.fault, c.at, c.tries, c.query)
}

// cells are every fault at every position with every query, with and without retries; of the sample, each combination of
// fault and position with retries once, and each fault without once, with the queries in turn. A hung root is left out of the
// sample: its client finds out by keepalive alone, which takes long and is so when it is cut off, too.
func cells() (all []cell) {
	n := 0
	next := func() int { n++; return matrixQueries[n%len(matrixQueries)] }
	for f := range faults {
		for at := range positions {
			if !full() {
				if q := next(); f != hung || at != root {
					all = append(all, cell{f, at, q, 4})
				}
				if at == position(f)%positions {
					all = append(all, cell{f, at, next(), 1})
				}
				continue
			}
			for _, q := range matrixQueries {
				all = append(all, cell{f, at, q, 4}, cell{f, at, q, 1})
			}
		}
	}
	return all
}

// TestFaults makes every fault at every position of a plan. With retries the rows are right; without, the error says so.
func TestFaults(t *testing.T) {
	data, want := answers(t, matrixScale)
	r := newRig(t, data, true)
	for _, c := range cells() {
		t.Run(c.String(), func(t *testing.T) { r.run(t, c, want[c.query]) })
		if r.stale { // what is left of one must not fail the others
			r.close()
			r = newRig(t, data, true)
		}
	}
}

// An ending is how a query ended at its client.
type ending struct {
	rows    *oracle.Rows
	parts   []client.Part
	err     error
	elapsed time.Duration
}

// runsMax is how often a cell is run while the machine is too slow for it.
const runsMax = 3

// run is one cell. It is run once more when a worker was lost that nothing was done to: one that was given no time for seconds
// on a busy machine, or that had not got over the cell before; and when planning missed its deadline there, so that the query
// ran as one task.
func (r *rig) run(t *testing.T, c cell, want *oracle.Rows) {
	for n := 1; ; n++ {
		if r.once(t, c, want, n == runsMax) {
			return
		}
		t.Log("another worker was lost, too, or planning took too long; once more")
	}
}

// once runs a cell. It reports false, having checked only that nothing is left, when more workers were lost than were to be or
// nothing was dispatched; last checks it all the same.
func (r *rig) once(t *testing.T, c cell, want *oracle.Rows, last bool) (valid bool) {
	// Exchanges everywhere, so that every plan has a stage in its middle.
	settings := []string{"arbalest.distributed = 'always'", "arbalest.join_strategy = 'exchange'", fmt.Sprintf("arbalest.task_attempts = %d", c.tries)}
	if c.fault == fullDisk {
		settings = append(settings, "arbalest.spill = 'always'")
	}
	session := r.dial(t, settings...)
	ctx, cancel := context.WithTimeout(t.Context(), queryLimit)
	defer cancel()
	before := lost(t, r)
	tr := newTrigger(c.fault, c.at)
	r.arm(tr.see)
	defer r.arm(nil)
	done := make(chan ending, 1)
	go func() { done <- ask(ctx, session, tpch.Queries()[c.query-1].SQL) }()
	select {
	case <-tr.here:
	case end := <-done:
		closeOnce(tr.over)
		if !last && (lost(t, r) > before || !tr.dispatched()) { // other tasks than those that were to be hit ran
			return false
		}
		t.Fatalf("the fault never came: %v, %s", end.err, tr.shape())
	}
	if err := c.fault.make(r, tr.victim); err != nil {
		t.Error(err)
	}
	close(tr.made)
	if c.fault == fullDisk {
		wait(ctx, tr.spotted)
		if err := c.fault.undo(t.Context(), r, tr.victim); err != nil {
			t.Error(err)
		}
		close(tr.mended)
	}
	end := <-done
	valid = last || lost(t, r) <= before+c.fault.losses() && tr.dispatched()
	if c.fault != fullDisk {
		if err := c.fault.undo(t.Context(), r, tr.victim); err != nil {
			t.Error(err)
		}
	}
	close(tr.over)
	t.Logf("%s on worker %d, %s: %v", tr.key, tr.victim, end.elapsed.Round(time.Millisecond), end.err)
	if err := r.cluster.WaitIdle(t.Context()); err != nil {
		t.Error(err)
		r.stale = true
	}
	// By now all reports of the tasks have come.
	switch kind := qerr.KindOf(grpcerr.FromStatus(end.err)); {
	case !valid:
	case c.tries > 1:
		end.check(t, want, tpch.OrderBy[c.query])
		r.checkAttempts(t, tr, end.elapsed >= speculation)
	case end.err == nil || !slices.Contains(c.fault.kinds(), kind):
		t.Errorf("without retries the query ended with %s: %v; want %v", kind, end.err, c.fault.kinds())
	}
	return valid
}

// ask runs a query and keeps its rows.
func ask(ctx context.Context, session *client.Session, sql string) (end ending) {
	start := time.Now()
	defer func() { end.elapsed = time.Since(start) }()
	result, err := session.Query(ctx, sql)
	if err != nil {
		return ending{err: err}
	}
	defer result.Release()
	return ending{rows: oracle.FromBatches(result.Schema, result.Batches), parts: result.Parts}
}

func (e ending) check(t *testing.T, want *oracle.Rows, order []int) {
	t.Helper()
	if e.err != nil {
		t.Errorf("with retries the query failed after %s: %v", e.elapsed.Round(time.Millisecond), e.err)
	} else if err := oracle.Compare(want, e.rows, order...); err != nil {
		t.Error(err)
	}
}
