package lifecycle

import (
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// fallenMax bounds the fallen coordinators that are remembered, the newest ones: a fallen one ends as soon as it notices.
const fallenMax = 1024

// A Succession is a query that goes on under another coordinator.
type Succession struct {
	Query ids.QueryID
	// Keep are the attempts that go on.
	Keep []ids.TaskKey
}

// Succeed makes the kept tasks of the queries the successor's, ends everything else of these queries and of the fallen
// coordinator, and refuses the latter from now on. Tasks that the successor has dispatched itself stay. Direct tasks go on:
// their clients wait for them. It returns the kept tasks that are here, and how many were ended.
func (r *Registry) Succeed(now time.Time, fallen, successor string, queries []Succession, cause error) (kept []Event, ended int) {
	r.turns++
	if r.Fallen(fallen) == nil {
		r.fallen = append(r.fallen, fallen)
		if len(r.fallen) > fallenMax {
			r.fallen = slices.Delete(r.fallen, 0, 1)
		}
	}
	keep, theirs := map[ids.TaskKey]bool{}, map[ids.QueryID]bool{}
	for _, q := range queries {
		theirs[q.Query] = true
		for _, key := range q.Keep {
			keep[key] = true
		}
	}
	for _, e := range r.sorted() {
		key := e.id.Key
		if e.kind == Direct || e.owner != fallen && !theirs[key.Query] || e.released {
			continue
		}
		if e.owner != successor && !keep[key] {
			r.Cancel(now, key, cause)
			ended++
			continue
		}
		e.owner = successor
		if keep[key] {
			kept = append(kept, e.event(now))
		}
	}
	return kept, ended
}

// Fallen refuses a coordinator that has fallen, with an error of kind Fenced.
func (r *Registry) Fallen(owner string) error {
	if owner != "" && slices.Contains(r.fallen, owner) {
		return qerr.New(qerr.Fenced, "coordinator %s has fallen, and another one goes on with its queries", owner)
	}
	return nil
}
