package lifecycle

import (
	"cmp"
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Limits bound the registry; all must be positive.
type Limits struct {
	// TasksMax bounds the entries.
	TasksMax int
	// AgeMax is the deadline of tasks that come without one.
	AgeMax time.Duration
	// Grace is how long an ended task, and a kept output, outlives its deadline.
	Grace time.Duration
	// ReleasedTTL is how long a released query is remembered, and ReleasedMax how many are.
	ReleasedTTL time.Duration
	ReleasedMax int
}

// A Registry holds a worker's tasks. It is not safe for concurrent use: the worker's lock covers every call.
type Registry struct {
	limits Limits
	tasks  map[ID]*entry
	// released has why the queries ended that were released; nil for those that were read to their ends.
	released map[ids.QueryID]error
	// order has the released queries, oldest first.
	order []releasedQuery
	// fenced has why attempts were cancelled, and fences has them oldest first.
	fenced   map[ids.TaskKey]error
	fences   []fence
	names    names    // of what is remembered
	fallen   []string // coordinators that have fallen, oldest first
	draining bool
	runs     uint64
	turns    uint64 // of Create and Succeed
	actions  Actions
}

// New returns an empty registry.
func New(limits Limits) *Registry {
	return &Registry{limits: limits, tasks: map[ID]*entry{}, released: map[ids.QueryID]error{}, fenced: map[ids.TaskKey]error{}}
}

// Create enters a Kept task as running, a Result task as placed. created is false, without an error, when the key is there
// already. It fails with Unavailable when draining, Cancelled when the query was released, Fenced when the attempt was
// cancelled or its owner has fallen, Resource when full.
func (r *Registry) Create(now time.Time, t Task) (created bool, err error) {
	id := ID{Key: t.Key}
	if err := r.Fallen(t.Owner); err != nil {
		return false, err
	}
	if r.tasks[id] != nil {
		return false, nil
	}
	if _, gone := r.released[t.Key.Query]; gone {
		return false, qerr.New(qerr.Cancelled, "query %s was released", t.Key.Query)
	}
	if _, over := r.fenced[t.Key]; over {
		return false, qerr.New(qerr.Fenced, "task %s was cancelled before it came", t.Key)
	}
	if err := r.admit(); err != nil {
		return false, err
	}
	r.turns++
	e := r.enter(now, id, t)
	if t.Kind == Kept {
		e.state, e.started = Running, now
	}
	r.tell(now, e)
	return true, nil
}

// Turns counts the tasks that were created and the successions, so that logs can tell which came first.
func (r *Registry) Turns() uint64 { return r.turns }

// Direct enters a task that came in a ticket, as running. It fails with why the task's attempt was cancelled, or its query
// ended without its rows; otherwise as Create does.
func (r *Registry) Direct(now time.Time, t Task) (ID, error) {
	if why := r.over(t.Key); why != nil {
		return ID{}, why
	}
	if err := r.admit(); err != nil {
		return ID{}, err
	}
	r.runs++
	e := r.enter(now, ID{t.Key, r.runs}, t)
	e.kind, e.state, e.started = Direct, Running, now
	r.tell(now, e)
	return e.id, nil
}

func (r *Registry) admit() error {
	if r.draining {
		return qerr.New(qerr.Unavailable, "this worker is draining and takes no new tasks")
	}
	if len(r.tasks) >= r.limits.TasksMax {
		return qerr.New(qerr.Resource, "this worker holds %d tasks, and takes no more", len(r.tasks))
	}
	return nil
}

func (r *Registry) enter(now time.Time, id ID, t Task) *entry {
	e := &entry{id: id, kind: t.Kind, state: Placed, owner: t.Owner, deadline: t.Deadline, lasting: t.Lasting, late: LateError}
	if e.deadline.IsZero() {
		e.deadline = now.Add(r.limits.AgeMax)
		e.late = qerr.New(qerr.Deadline, "the task is older than a worker lets one be (%s)", r.limits.AgeMax)
	}
	if t.Pinned {
		e.pinned = now.Add(r.limits.AgeMax)
	}
	r.tasks[id] = e
	return e
}

// Redeem starts a placed result task for its reader; proxied says that it is a coordinator. It fails with NotFound when there is no such task, AlreadyExists when
// it is or was read, and with what ended it when that is known: the task's own error, or its query's.
func (r *Registry) Redeem(now time.Time, key ids.TaskKey, proxied bool) (ID, error) {
	id := ID{Key: key}
	e := r.tasks[id]
	switch {
	case (e == nil || e.released) && r.over(key) != nil:
		return ID{}, r.over(key)
	case e == nil || e.kind != Result:
		return ID{}, qerr.New(qerr.NotFound, "task %s is not here: its query has ended, or it was placed elsewhere", key)
	case e.state == Placed:
		e.state, e.started, e.proxied = Running, now, proxied
		r.tell(now, e)
		return id, nil
	case e.state == Running || e.state == Finished:
		return ID{}, qerr.New(qerr.AlreadyExists, "the result of task %s is read already; it can be read once", key)
	}
	return ID{}, qerr.Wrap(qerr.Internal, "read result", e.outcome.Err)
}

// Kept reports whether a task's output is there to be fetched: nil, or NotFound, or Unavailable while it runs, or the
// error that ended it.
func (r *Registry) Kept(key ids.TaskKey) error {
	e := r.tasks[ID{Key: key}]
	switch {
	case e == nil || e.kind != Kept || e.released:
		return qerr.New(qerr.NotFound, "the output of task %s is not here", key)
	case e.state == Finished:
		return nil
	case e.state == Running:
		return qerr.New(qerr.Unavailable, "task %s is still running", key)
	}
	return qerr.Wrap(qerr.Internal, "fetch partition", e.outcome.Err)
}

// Progress notes a running task's counters; the next Changed tells them.
func (r *Registry) Progress(id ID, rows, bytes uint64, progress float64) {
	e := r.tasks[id]
	if e == nil || e.state != Running {
		return
	}
	if e.outcome.Rows != rows || e.outcome.Bytes != bytes || e.progress != progress {
		e.outcome.Rows, e.outcome.Bytes, e.progress, e.changed = rows, bytes, max(progress, e.progress), true
	}
}

// SchemaSent notes that a running task's reader has its schema.
func (r *Registry) SchemaSent(now time.Time, id ID) {
	if e := r.tasks[id]; e != nil && e.state == Running && !e.schemaSent {
		e.schemaSent = true
		r.tell(now, e)
	}
}

// InputsRead notes that a running task has fetched its exchange inputs.
func (r *Registry) InputsRead(now time.Time, id ID) {
	if e := r.tasks[id]; e != nil && e.state == Running && !e.inputsRead {
		e.inputsRead = true
		r.tell(now, e)
	}
}

func (r *Registry) tell(now time.Time, e *entry) {
	e.changed = false
	r.actions.Events = append(r.actions.Events, e.event(now))
}

// Take returns what is to be done since the last call.
func (r *Registry) Take() Actions {
	taken := r.actions
	r.actions = Actions{}
	return taken
}

// Snapshot gives every task's present state, for a watcher that begins.
func (r *Registry) Snapshot(now time.Time) []Event {
	var events []Event
	for _, e := range r.sorted() {
		events = append(events, e.event(now))
	}
	return events
}

// Changed gives the running tasks whose counters moved since they were told last.
func (r *Registry) Changed(now time.Time) []Event {
	var events []Event
	for _, e := range r.sorted() {
		if e.changed {
			e.changed = false
			events = append(events, e.event(now))
		}
	}
	return events
}

// Counts gives the number of tasks by state.
func (r *Registry) Counts() map[State]int {
	counts := map[State]int{}
	for _, e := range r.tasks {
		counts[e.state]++
	}
	return counts
}

// Busy is how many tasks still matter to somebody soon: all but those that failed, were cancelled, or were read to the end, and
// finished ones of temporary tables.
func (r *Registry) Busy() int {
	n := 0
	for _, e := range r.tasks {
		if !e.state.Ended() || (e.kind == Kept && e.state == Finished && !e.lasting) {
			n++
		}
	}
	return n
}

// sorted gives the entries in the order of their keys, so that what happens does not depend on map order.
func (r *Registry) sorted() []*entry {
	all := make([]*entry, 0, len(r.tasks))
	for _, e := range r.tasks {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int {
		x, y := a.id.Key, b.id.Key
		return cmp.Or(cmp.Compare(x.Query, y.Query), cmp.Compare(x.Stage, y.Stage), cmp.Compare(x.Task, y.Task),
			cmp.Compare(x.Attempt, y.Attempt), cmp.Compare(a.id.Run, b.id.Run))
	})
	return all
}
