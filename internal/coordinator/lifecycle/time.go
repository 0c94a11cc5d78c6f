package lifecycle

import (
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// tick looks at everything that has a time: each wait of a query ends here if nothing else ends it.
func (m *Machine) tick(now time.Time) []Action {
	if m.status == Queued {
		if !m.wait.Until.IsZero() && !now.Before(m.wait.Until) {
			return m.fail(m.wait.Err, now)
		}
		return nil
	}
	if m.shape.Kept && m.placed == len(m.root()) {
		if m.shape.ResultTTL > 0 && now.Sub(m.read) >= m.shape.ResultTTL {
			return []Action{m.end(Finished, nil, now)}
		}
		return nil
	}
	if d := m.shape.Deadline; !d.IsZero() && !now.Before(d) {
		return m.fail(qerr.New(qerr.Deadline, "the query ran for %s, its limit (arbalest.query_timeout)", d.Sub(m.started)), now)
	}
	if told := m.told(); told != nil && m.unread() && m.shape.FallbackMax > 0 && now.Sub(m.read) >= m.shape.FallbackMax {
		return m.fail(told, now)
	}
	if m.unread() && now.Sub(m.read) >= m.shape.ResultTTL {
		return []Action{m.end(Expired, qerr.New(qerr.Deadline, "nobody read the result within %s", m.shape.ResultTTL), now)}
	}
	if !m.starved.IsZero() && now.Sub(m.starved) >= m.shape.WorkerWaitMax {
		return m.fail(qerr.New(qerr.Unavailable, "no worker is left to run the query on: waited %s for one to join; send the statement again",
			m.shape.WorkerWaitMax), now)
	}
	if s, t, stalled := m.stalled(now); stalled {
		task := &m.stages[s][t]
		return m.fail(qerr.New(qerr.Deadline, "nothing was heard of any task of the query for %s; stage %d task %d (attempt %d) is %s on worker %s",
			m.shape.StallMax, s, t, task.Attempt, task.State, task.Worker), now)
	}
	actions := m.proceed(now)
	return append(actions, m.speculate(now)...)
}

// told is what the reader of a result was told that has not come for its next attempt yet; nil when there is none.
func (m *Machine) told() error {
	for _, t := range m.root() {
		if t.State == Placed && t.told != nil {
			return t.told
		}
	}
	return nil
}

// unread reports whether results are placed, some unread, and none being read or about to move.
func (m *Machine) unread() bool {
	root := m.root()
	return m.placed == len(root) &&
		slices.ContainsFunc(root, func(t task) bool { return t.State == Placed }) &&
		!slices.ContainsFunc(root, func(t task) bool { return t.State != Placed && t.State != Done })
}

// stalled finds a task that runs, or is being sent to its worker, while nothing was heard of any for too long. A result
// that its client reads is as slow as the client likes.
func (m *Machine) stalled(now time.Time) (ids.StageID, ids.TaskIndex, bool) {
	if m.shape.StallMax == 0 || now.Sub(m.moved) < m.shape.StallMax {
		return 0, 0, false
	}
	for s, tasks := range m.stages {
		for t := range tasks {
			task := &tasks[t]
			read := m.isRoot(ids.StageID(s)) && (task.SchemaSent || task.sent)
			if task.State == Creating || task.State == Active && !read || task.State == Placed && !m.isRoot(ids.StageID(s)) {
				return ids.StageID(s), ids.TaskIndex(t), true
			}
		}
	}
	return 0, 0, false
}
