package coordinator

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/adapt"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// A Query is one execution of a statement. All methods may be called concurrently; the query outlives the call that
// submitted it and ends by itself.
type Query struct {
	c         *Coordinator
	id        ids.QueryID
	user      string
	session   string
	group     string // of resources
	statement string // cut to StatementBytesMax
	submitted time.Time
	planTime  time.Duration
	schema    *arrow.Schema
	columns   []table.Column
	spool     bool  // the result is to be kept, for clients
	rows      bool  // the result is to be kept, as rows of a temporary table
	affected  int64 // rows that a write has changed; -1 for others
	held      *held
	settings  settings.Values // of the session after this statement
	epoch     uint64          // how many coordinators have owned it
	revealed  bool            // by the coordinator that owned it before: clients may know of endpoints
	promise   promise
	ready     chan struct{} // closed when no endpoint will be added
	done      chan struct{} // closed at the end, after its books are closed

	mu        sync.Mutex
	machine   lifecycle.Machine
	work      work // what there is to run; dropped at the end
	endpoints []Endpoint
	completed bool
	ordered   bool
	admitted  time.Time
	stages    int
	notes     []adapt.Note   // how the plan changed while it ran
	onEnd     map[int]func() // run once at the end, by key
	nextHook  int
	changed   chan struct{} // closed at the next step; nil while nobody waits for one
}

// work is what a query runs: a distributed plan, or a result that the coordinator computes.
type work struct {
	plan *placedPlan
	// workers are those that the query may use, or has used, each as the query knows its life. The map is replaced, never
	// changed: dispatches read it without the lock.
	workers map[ids.WorkerID]member.Record
	local   *localResult
}

// ID names the query.
func (q *Query) ID() ids.QueryID { return q.id }

// Schema is the schema of every endpoint's stream.
func (q *Query) Schema() *arrow.Schema { return q.schema }

// Ordered reports whether the endpoints must be read in their order. It is known once the query is Ready.
func (q *Query) Ordered() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ordered
}

// Ready waits until all endpoints are placed, and returns nil then; else why the query ended, or the end of ctx. A caller
// whose client went away must Cancel: the query does not end with ctx.
func (q *Query) Ready(ctx context.Context) error {
	select {
	case <-q.ready:
	case <-ctx.Done():
		return qerr.Wrap(qerr.Cancelled, "wait for the query", context.Cause(ctx))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.machine.Err()
}

// State is the query at this moment.
func (q *Query) State() QueryState {
	q.mu.Lock()
	defer q.mu.Unlock()
	expires := q.machine.Expires()
	endpoints := slices.Clone(q.endpoints)
	for i := range endpoints {
		endpoints[i].Expires = expires
	}
	return QueryState{
		Status:    q.machine.Status(),
		Progress:  q.machine.Progress(),
		Endpoints: endpoints,
		Complete:  q.completed,
		Err:       q.machine.Err(),
		Settings:  q.settings,
		Changed:   q.affected,
	}
}

// Cancel ends the query, on every worker too; a nil cause says that the client wanted it. It does not wait for the
// workers. A query that has ended stays as it is.
func (q *Query) Cancel(cause error) {
	if cause == nil {
		cause = qerr.New(qerr.Cancelled, "the query was cancelled")
	}
	q.step(lifecycle.Cancel{Cause: cause, Now: q.c.cfg.Now()})
}

// atEnd has the hook run when the query ends, at once if it has; forget takes it back. Hooks are quick.
func (q *Query) atEnd(hook func()) (forget func()) {
	q.mu.Lock()
	if q.machine.Status().Final() {
		q.mu.Unlock()
		hook()
		return func() {}
	}
	if q.onEnd == nil {
		q.onEnd = map[int]func(){}
	}
	key := q.nextHook
	q.nextHook++
	q.onEnd[key] = hook
	q.mu.Unlock()
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.onEnd, key)
	}
}

// starved reports whether the query has tasks and no worker to give them to.
func (q *Query) starved() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.machine.Starved()
}

// err is why the query ended without its rows.
func (q *Query) err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.machine.Err()
}

// ended gives everything back that a query held here, and tells its workers.
func (c *Coordinator) ended(q *Query, release []ids.WorkerID) {
	q.mu.Lock()
	workers, why := q.work.workers, q.machine.Err()
	q.mu.Unlock()
	for _, worker := range release {
		c.release(workers[worker], q.id, why)
	}
	c.links.forget(q)
	c.forgetRecord(q)
	c.registry.end(q)
	c.metrics.ended(q)
	q.mu.Lock()
	// Plans of many files, tickets and inlined rows are large; ended queries only show numbers.
	if q.work.local != nil {
		c.localBytes.Add(-q.work.local.bytes)
		q.work.local.release()
	}
	q.work = work{}
	for i := range q.endpoints {
		q.endpoints[i].Ticket = nil
	}
	status, err := q.machine.Status(), q.machine.Err()
	q.mu.Unlock()
	c.cfg.Log.Debug().Err(err).Str("query", string(q.id)).Str("user", q.user).Stringer("state", status).Msg("query ended")
	close(q.done)
	c.leave(q)
}

// leave gives the query's place in admission to the next ones.
func (c *Coordinator) leave(q *Query) {
	q.mu.Lock()
	held := time.Duration(0)
	if started := q.machine.Started(); !started.IsZero() {
		held = c.cfg.Now().Sub(started)
	}
	q.mu.Unlock()
	for _, next := range c.admission.leave(q, held) {
		c.group.run(func(context.Context) { c.start(next) })
	}
}

// tasks copies the current attempts of all tasks of a distributed query, by stage.
func (q *Query) tasks() [][]lifecycle.Task {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stages == 0 {
		return nil
	}
	return q.machine.Stages()
}
