//go:build linux

package chaos

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/oracle"
)

// An attempt is a row of sys.tasks.
type attempt struct {
	id          attemptID
	worker      int // by number; -1 = none
	state, kind string
	message     string
}

// attempts reads what was tried of a query.
func (r *rig) attempts(t *testing.T, query string) (all []attempt) {
	t.Helper()
	session := r.dial(t)
	defer session.Close()
	result, err := session.Query(t.Context(), "SELECT stage, task, attempt, worker_id, state, error_kind, error FROM sys.tasks WHERE query_id = '"+query+"'")
	must(t, err)
	defer result.Release()
	for _, row := range oracle.FromBatches(result.Schema, result.Batches).Cells {
		number := func(i int) uint32 {
			n, err := strconv.ParseUint(row[i].String(), 10, 32)
			must(t, err)
			return uint32(n)
		}
		a := attempt{id: attemptID{number(0), number(1), number(2)}, worker: -1, state: row[4].String(), kind: row[5].String(), message: row[6].String()}
		if n, ok := r.ids[row[3].String()]; ok {
			a.worker = n
		}
		all = append(all, a)
	}
	if len(all) == 0 {
		t.Errorf("sys.tasks has nothing of query %s", query)
	}
	return all
}

// speculation is from when on a task may have been given a second attempt because it was slow: the product's SpeculateAfter.
const speculation = 3 * time.Second

// checkAttempts holds that nothing was tried again without need: of a refused fetch and a full disk, exactly what was made to
// fail; of the rest, the victim's tasks and what reads them. Where the query was slow, an attempt may have been outrun by another
// one, which is no failure.
func (r *rig) checkAttempts(t *testing.T, tr *trigger, slow bool) {
	t.Helper()
	all := r.attempts(t, tr.query)
	outrun := func(a attempt) bool {
		return slow && a.state == "cancelled" && slices.ContainsFunc(all, func(other attempt) bool {
			return other.state == "finished" && other.id.stage == a.id.stage && other.id.task == a.id.task
		})
	}
	var bad []attempt
	for _, a := range all {
		switch {
		case a.state == "finished":
		case outrun(a) && slices.Contains(tr.failed, a.id): // it had failed by then
			a.kind = "RESOURCE"
			bad = append(bad, a)
		case !outrun(a):
			bad = append(bad, a)
		}
	}
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf(format, args...)
		for _, a := range bad {
			t.Logf("%s on worker %d is %s: %s %s", a.id, a.worker, a.state, a.kind, a.message)
		}
	}
	if len(bad) == 0 {
		fail("no attempt failed, though the fault came: to %s", tr.key)
		return
	}
	switch tr.fault {
	case refusedFetch:
		// The consumer failed, and its producer, which is to blame. Others that were to read that producer may have been
		// given up before they did.
		readers := tr.readers(tr.key.stage)
		var producers, consumers int
		for _, a := range bad {
			switch {
			case a.id == tr.key:
				producers++
			case a.kind == "FETCH_FAILED" && slices.Contains(tr.refused, a.id):
				consumers++
			case a.state != "cancelled" || !readers[a.id.stage]:
				fail("%s failed, and made to fail was one of %v, reading %s", a.id, tr.refused, tr.key)
				return
			}
		}
		if producers != 1 || consumers != 1 {
			fail("%d producers and %d consumers failed, and one fetch was refused, of %s by one of %v", producers, consumers, tr.key, tr.refused)
		}
	case fullDisk:
		var got, want []string
		for _, a := range bad {
			got = append(got, a.id.String()+" "+a.kind+" "+strconv.Itoa(a.worker))
		}
		for _, id := range tr.failed {
			want = append(want, fmt.Sprintf("%s RESOURCE %d", id, tr.victim))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			fail("attempts that failed: %q, and while the disk was full: %q", got, want)
		}
	default:
		lost := map[uint32]bool{}
		for _, a := range bad {
			if a.worker == tr.victim {
				for stage := range tr.readers(a.id.stage) {
					lost[stage] = true
				}
			}
		}
		for _, a := range bad {
			if a.worker != tr.victim && !lost[a.id.stage] {
				fail("%s failed on worker %d, and worker %d was the victim, of which it reads nothing", a.id, a.worker, tr.victim)
				return
			}
		}
	}
}
