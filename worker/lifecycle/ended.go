package lifecycle

import (
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

type releasedQuery struct {
	query ids.QueryID
	at    time.Time
}

// namesBytes is how large a block of names is: some five hundred.
const namesBytes = 16 << 10

// names copies ids that are remembered for a time and forgotten in the order in which they came. Side by side in blocks they take what
// they are long; each where it came, it would keep a page among what has gone since, and the text that it was cut from.
type names struct{ block strings.Builder }

func (n *names) keep(query ids.QueryID) ids.QueryID {
	if n.block.Cap()-n.block.Len() < len(query) {
		n.block = strings.Builder{}
		n.block.Grow(max(namesBytes, len(query)))
	}
	from := n.block.Len()
	n.block.WriteString(string(query))
	return ids.QueryID(n.block.String()[from:])
}

// Finish reports that a run has ended and nothing of it is left in the engine. It reports whether a kept output is wanted;
// when not, the caller frees it.
func (r *Registry) Finish(now time.Time, id ID, o Outcome) (keep bool) {
	e := r.tasks[id]
	if e == nil || e.state != Running {
		return false
	}
	e.outcome, e.elapsed = o, now.Sub(e.started)
	switch {
	case o.Err == nil:
		e.state, e.progress = Finished, 1
	case qerr.Is(o.Err, qerr.Cancelled):
		e.state = Cancelled
	default:
		e.state = Failed
	}
	r.tell(now, e)
	if e.released || e.kind == Direct {
		delete(r.tasks, id)
		return false
	}
	return e.state == Finished && e.kind == Kept
}

// Release ends all tasks of a query: those that run are interrupted and go when they have ended, the others go at once.
// why is the query's error, which its readers are told from now on; nil when it has none. It returns the runs to wait for.
func (r *Registry) Release(now time.Time, query ids.QueryID, why error) []ID {
	r.remember(now, query, why)
	cause := why
	if cause == nil {
		cause = qerr.New(qerr.Cancelled, "query %s was ended by its coordinator", query)
	}
	var wait []ID
	for _, e := range r.sorted() {
		if e.id.Key.Query == query && r.end(now, e, cause) {
			wait = append(wait, e.id)
		}
	}
	return wait
}

// ReleaseBut removes the outputs that a query's tasks have kept, but those of one stage; the query goes on.
func (r *Registry) ReleaseBut(now time.Time, query ids.QueryID, stage ids.StageID) {
	for _, e := range r.sorted() {
		if e.id.Key.Query == query && e.id.Key.Stage != stage && e.kind == Kept && e.state.Ended() {
			r.end(now, e, nil)
		}
	}
}

// KeptResult reports whether a task's output is kept for clients, and is there; see Kept.
func (r *Registry) KeptResult(key ids.TaskKey) (kept bool, err error) {
	if e := r.tasks[ID{Key: key}]; e == nil || e.kind != Kept {
		return false, nil
	}
	return true, r.Kept(key)
}

// remember notes a released query, forgetting the oldest when there are too many.
func (r *Registry) remember(now time.Time, query ids.QueryID, why error) {
	if _, known := r.released[query]; known {
		return
	}
	query = r.names.keep(query)
	r.released[query] = why
	r.order = append(r.order, releasedQuery{query, now})
	if len(r.order) > r.limits.ReleasedMax {
		r.forgetOldest()
	}
}

func (r *Registry) forgetOldest() {
	delete(r.released, r.order[0].query)
	r.order = r.order[1:]
}

// Sweep ends what is past its time.
func (r *Registry) Sweep(now time.Time) {
	for len(r.order) > 0 && now.Sub(r.order[0].at) > r.limits.ReleasedTTL {
		r.forgetOldest()
	}
	r.sweepFences(now)
	for _, e := range r.sorted() {
		if now.Before(e.deadline) {
			continue
		}
		switch {
		case e.state == Running:
			r.interrupt(e, e.late)
		case e.state == Placed:
			e.state, e.outcome.Err = Failed, e.late
			r.tell(now, e)
		case e.state == Finished && now.Before(e.pinned):
		case now.Sub(e.deadline) >= r.limits.Grace:
			r.remove(e)
		}
	}
}

// end ends an entry in any state, and reports whether its run is to be waited for.
func (r *Registry) end(now time.Time, e *entry, cause error) (running bool) {
	if e.state == Running {
		e.released = true
		r.interrupt(e, cause)
		return true
	}
	if !e.state.Ended() {
		e.state, e.outcome.Err = Cancelled, cause
		r.tell(now, e)
	}
	r.remove(e)
	return false
}

// Drain refuses new tasks from now on; those that are there go on.
func (r *Registry) Drain() { r.draining = true }

// InterruptAll interrupts every run and removes everything else, for the worker's own end. It returns the runs to wait for.
func (r *Registry) InterruptAll(now time.Time, cause error) []ID {
	r.draining = true
	var wait []ID
	for _, e := range r.sorted() {
		if r.end(now, e, cause) {
			wait = append(wait, e.id)
		}
	}
	return wait
}

func (r *Registry) interrupt(e *entry, cause error) {
	if !e.interrupted {
		e.interrupted = true
		r.actions.Interrupt = append(r.actions.Interrupt, Interrupt{e.id, cause})
	}
}

func (r *Registry) remove(e *entry) {
	delete(r.tasks, e.id)
	if e.kind == Kept && e.state == Finished {
		r.actions.Drop = append(r.actions.Drop, e.id.Key)
	}
}
