package lifecycle

import (
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// reader handles what the coordinator tells of the results that it reads itself.
func (m *Machine) reader(event Event) []Action {
	root := ids.StageID(len(m.stages) - 1)
	current := func(index ids.TaskIndex, attempt ids.Attempt) *task {
		if t := m.find(root, index); t != nil && t.Attempt == attempt && (t.State == Placed || t.State == Active) {
			return t
		}
		return nil
	}
	switch e := event.(type) {
	case Opened:
		if t := current(e.Task, e.Attempt); t != nil {
			t.proxied, t.told, m.read, m.moved = true, nil, e.Now, e.Now
		}
	case Sent:
		if t := current(e.Task, e.Attempt); t != nil {
			// Its worker's own report of running may still be on the way.
			t.State, t.proxied, t.sent, m.read, m.moved = Active, true, true, e.Now, e.Now
			t.drained = t.drained || e.All
		}
	case Unreadable:
		if t := current(e.Task, e.Attempt); t != nil && !t.drained {
			m.abandon(t, &t.Task) // it may be well, and only the way to it broken
			return m.failed(root, e.Task, e.Err, e.Now)
		}
	case ReaderGone:
		if t := m.find(root, e.Task); t != nil && t.State != Done && !t.drained {
			return m.readerGone(nil, e.Now)
		}
	}
	return nil
}

// readerGone ends a query whose client wants no more.
func (m *Machine) readerGone(err error, now time.Time) []Action {
	if err == nil {
		err = qerr.New(qerr.Cancelled, "the reader closed the result's stream before its end")
	}
	return []Action{m.end(Cancelled, err, now)}
}

// former handles news of an attempt that was given up, from a worker that was cut off when that happened: it ends there.
//
// They matter only when a client reads it at its worker after all: the worker was cut off from the coordinator, not from the
// client. Then that attempt is the result, as long as nobody reads the one that took its place. (Where the attempts' rows
// might differ in part, the query has failed: see rerun.) One that no client reads yet may go on waiting for one.
func (m *Machine) former(e Report, task *task) []Action {
	at := slices.IndexFunc(task.past, func(p Task) bool { return p.Attempt == e.Attempt })
	if at < 0 || e.State == Broken || e.State == Dropped || task.past[at].abandoned {
		return nil
	}
	readable := m.isRoot(e.Stage) && !m.shape.Proxied && !task.proxied
	switch {
	case readable && e.State == Placed:
		return nil
	case !readable || task.State != Waiting && task.State != Creating && task.State != Placed:
		m.abandon(task, &task.past[at])
		return nil
	}
	former := task.past[at]
	if task.State != Waiting {
		m.count(task, OutcomeRestarted)
		m.abandon(task, &task.Task)
		task.remember(Dropped)
	}
	m.counts[former.outcome]-- // it goes on
	former.State, former.Stats, former.Err = e.State, e.Stats, nil
	task.past = slices.DeleteFunc(task.past, func(p Task) bool { return p.Attempt == e.Attempt })
	task.Task, task.sent, task.drained, task.told = former, false, false, nil
	m.moved, m.read = e.Now, e.Now
	if e.State == Done {
		m.count(task, OutcomeFinished)
	}
	return m.proceed(e.Now)
}
