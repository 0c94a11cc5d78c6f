package coordinator

import (
	"slices"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// admission bounds the running distributed queries, and those that wait for a place, first come, first served.
type admission struct {
	runningMax, queuedMax int

	mu      sync.Mutex
	running map[*Query]struct{}
	queue   []*Query
}

func newAdmission(runningMax, queuedMax int) *admission {
	return &admission{runningMax: runningMax, queuedMax: queuedMax, running: map[*Query]struct{}{}}
}

// enter gives the query a place now (true), or lets it wait for its turn (false), or refuses it.
func (a *admission) enter(q *Query) (now bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.running) < a.runningMax && len(a.queue) == 0 {
		a.running[q] = struct{}{}
		return true, nil
	}
	if len(a.queue) >= a.queuedMax {
		return false, qerr.New(qerr.Unavailable, "%d queries run and %d wait, which are the limits; try again later", len(a.running), len(a.queue))
	}
	a.queue = append(a.queue, q)
	return false, nil
}

// leave gives the query's place or its turn back, and returns the queries whose turn has come.
func (a *admission) leave(q *Query) (next []*Query) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.running, q)
	if i := slices.Index(a.queue, q); i >= 0 {
		a.queue = slices.Delete(a.queue, i, i+1)
	}
	for len(a.queue) > 0 && len(a.running) < a.runningMax {
		first := a.queue[0]
		a.queue = slices.Delete(a.queue, 0, 1)
		a.running[first] = struct{}{}
		next = append(next, first)
	}
	return next
}

func (a *admission) sizes() (running, queued int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.running), len(a.queue)
}
