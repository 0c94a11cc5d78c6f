package lifecycle

import (
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// Owners lists the coordinators that have dispatched tasks here, sorted.
func (r *Registry) Owners() []string {
	var owners []string
	for _, e := range r.tasks {
		if e.kind != Direct && !slices.Contains(owners, e.owner) {
			owners = append(owners, e.owner)
		}
	}
	slices.Sort(owners)
	return owners
}

// Held lists the queries of a coordinator of which tasks that it dispatched are here, sorted, but for tasks that go as soon as
// their runs have ended.
func (r *Registry) Held(owner string) []ids.QueryID {
	var held []ids.QueryID
	for _, e := range r.tasks {
		if e.kind != Direct && e.owner == owner && !e.released {
			held = append(held, e.id.Key.Query)
		}
	}
	slices.Sort(held)
	return slices.Compact(held)
}

// Orphan ends all tasks that a coordinator dispatched, as it is gone. Direct tasks go on: their clients wait for them.
func (r *Registry) Orphan(now time.Time, owner string, cause error) {
	for _, e := range r.sorted() {
		if e.kind != Direct && e.owner == owner {
			r.end(now, e, cause)
		}
	}
}
