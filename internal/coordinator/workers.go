package coordinator

import (
	"maps"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
)

// workersChanged tells every live query which workers there are now.
func (c *Coordinator) workersChanged() {
	live := c.registry.live()
	if len(live) == 0 {
		return // a fleet that starts would look through all workers for each
	}
	usable := c.links.usableOrWait(nil)
	for _, q := range live {
		q.offer(usable)
	}
}

// workerLost tells every live query that a life of a worker is over.
func (c *Coordinator) workerLost(worker member.Record, why error) {
	reason := "unknown"
	if why != nil {
		reason = why.Error()
	}
	c.metrics.workersLost.Inc()
	for _, q := range c.registry.live() {
		q.lose(worker, reason)
	}
}

// offer tells the query which workers it may use. One that has begun another life has lost all that it held.
func (q *Query) offer(usable []member.Record) {
	q.mu.Lock()
	if q.work.workers == nil { // not distributed, not started, or ended
		q.mu.Unlock()
		return
	}
	now := q.c.cfg.Now()
	var events []lifecycle.Event
	workers := q.work.workers
	chosen := make([]ids.WorkerID, 0, len(usable))
	for _, w := range usable {
		if !q.mayUse(w) {
			continue
		}
		chosen = append(chosen, w.ID)
		old, known := workers[w.ID]
		if known && sameLife(old, w) {
			continue
		}
		if known {
			events = append(events, lifecycle.WorkerLost{Worker: w.ID, Reason: "it was restarted", Now: now})
		}
		workers = maps.Clone(workers)
		workers[w.ID] = w
	}
	effects := q.apply(events...) // with the records that these lives had
	q.work.workers = workers
	more := q.apply(lifecycle.Workers{Usable: chosen, Now: now})
	q.mu.Unlock()
	effects.run(q)
	if !effects.ended {
		more.run(q)
	}
}

// mayUse reports whether a worker exchanges rows with those that the query was planned for; q.mu is held.
func (q *Query) mayUse(w member.Record) bool {
	for _, other := range q.work.workers {
		return other.Protocol == w.Protocol && other.DuckDB == w.DuckDB && other.HashVector == w.HashVector
	}
	return false
}

// lose tells the query that a life of a worker is over, if it is the one that the query knows.
func (q *Query) lose(worker member.Record, reason string) {
	q.mu.Lock()
	if known, ok := q.work.workers[worker.ID]; !ok || !sameLife(known, worker) {
		q.mu.Unlock()
		return
	}
	effects := q.apply(lifecycle.WorkerLost{Worker: worker.ID, Reason: reason, Now: q.c.cfg.Now()})
	q.mu.Unlock()
	effects.run(q)
}
