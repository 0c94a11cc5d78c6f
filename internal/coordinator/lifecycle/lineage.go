package lifecycle

import (
	"errors"
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func producerOf(err error) ids.TaskKey {
	var e *qerr.Error
	if errors.As(err, &e) {
		return e.Producer
	}
	return ids.TaskKey{}
}

// workerLost takes back what ran on a worker, and marks the outputs that it kept as lost; those that are still needed are
// computed again by proceed.
func (m *Machine) workerLost(e WorkerLost) []Action {
	m.usable = slices.DeleteFunc(m.usable, func(w ids.WorkerID) bool { return w == e.Worker })
	for s, tasks := range m.stages {
		for t := range tasks {
			task := &tasks[t]
			task.forgetAbandoned(e.Worker)
			if task.rival != nil && task.rival.Worker == e.Worker {
				task.rival.State = Broken
				m.endRival(task, OutcomeLost)
			}
			if task.Worker != e.Worker || task.State == Waiting {
				continue
			}
			why := qerr.New(qerr.Unavailable, "worker %s was lost (%s) with stage %d task %d of this query; send the statement again",
				e.Worker, e.Reason, s, t)
			root := m.isRoot(ids.StageID(s))
			switch {
			case task.State == Done && root && m.shape.Kept:
				if t < m.placed { // a client knows of it, and may have read it
					return m.fail(why, e.Now)
				}
				m.lose(task, why)
				if err := m.rerun(ids.StageID(s), task, e.Now); err != nil {
					return m.fail(err, e.Now)
				}
			case task.State == Done && root:
			case task.State == Done:
				m.lose(task, why)
				task.gone = true
			case root && task.drained: // only its last report is missing
				task.State = Done
				m.count(task, OutcomeFinished)
			default:
				m.count(task, OutcomeLost)
				task.State, task.Err = Broken, why
				if root && task.shown() || !m.charge(task) {
					return m.fail(why, e.Now)
				}
				task.next(Broken, e.Now)
			}
		}
	}
	return m.proceed(e.Now)
}

func (m *Machine) lose(task *task, why error) {
	if !task.lost {
		task.lost, task.why, m.lost = true, why, true
	}
}

// recompute has every lost output that somebody has still to read computed again, consumers first: a consumer that has to
// run again needs its own producers. It returns why the query fails if one of them may not run again.
func (m *Machine) recompute(now time.Time) error {
	for again := m.lost; again; {
		again = false
		for s := len(m.stages) - 1; s >= 0; s-- {
			if !m.wanted(ids.StageID(s)) {
				continue
			}
			for t := range m.stages[s] {
				if !m.stages[s][t].lost {
					continue
				}
				if err := m.rerun(ids.StageID(s), &m.stages[s][t], now); err != nil {
					return err
				}
				again = true // its consumers may have been restarted, which need other outputs
			}
		}
	}
	return nil
}

// wanted reports whether a consumer of the stage has still to read it. One that is past its inputs has not; should that be
// wrong, its fetch fails, and it waits then.
func (m *Machine) wanted(stage ids.StageID) bool {
	for s, shape := range m.shape.Stages {
		if slices.Contains(shape.Inputs, stage) && slices.ContainsFunc(m.stages[s], func(t task) bool { return !t.hasRead() }) {
			return true
		}
	}
	return false
}

// rerun begins another attempt of a task whose output is lost, and restarts the consumers that were told of that output and
// cannot have it. If the rows may be others this time, it restarts all that have read it.
func (m *Machine) rerun(stage ids.StageID, lost *task, now time.Time) error {
	m.recount(lost, OutcomeLost)
	lost.Err = lost.why
	if !m.charge(lost) {
		lost.State = Broken
		return lost.why
	}
	why, gone, changed := lost.why, lost.gone, m.shape.Stages[stage].Indeterminate
	if lost.notBefore = now; changed && slices.Contains(m.usable, lost.Worker) {
		m.giveUp(lost, Broken) // nobody may read it any more
	} else {
		lost.next(Broken, now)
	}
	if !lost.used {
		return nil
	}
	if changed && m.mayHaveRows() {
		return why
	}
	if changed {
		lost.used = false
	}
	return m.eachConsumer(stage, func(s ids.StageID, consumer *task) error {
		if changed {
			return m.restart(s, consumer, why, now)
		}
		if consumer.State == Creating || consumer.State == Placed || gone && consumer.State == Active && !consumer.hasRead() && !consumer.shown() {
			m.count(consumer, OutcomeRestarted)
			m.dropRival(consumer, OutcomeRestarted)
			consumer.notBefore = now
			m.giveUp(consumer, Dropped)
		}
		return nil
	})
}

// restart gives up an attempt, and what was made from it, since it read rows that are no more.
func (m *Machine) restart(stage ids.StageID, given *task, why error, now time.Time) error {
	if m.isRoot(stage) && (given.shown() || given.State == Done) {
		return why
	}
	m.dropRival(given, OutcomeRestarted)
	if given.State != Waiting {
		if given.State == Done {
			m.recount(given, OutcomeRestarted)
		} else {
			m.count(given, OutcomeRestarted)
		}
		given.notBefore = now
		m.giveUp(given, Dropped)
	}
	if !given.used {
		return nil
	}
	given.used = false
	return m.eachConsumer(stage, func(s ids.StageID, consumer *task) error { return m.restart(s, consumer, why, now) })
}

// count notes how the current attempt of a task ended.
func (m *Machine) count(task *task, outcome Outcome) {
	task.outcome = outcome
	m.counts[outcome]++
}

// recount gives an ended attempt another outcome.
func (m *Machine) recount(task *task, outcome Outcome) {
	m.counts[task.outcome]--
	m.count(task, outcome)
}

func (m *Machine) eachConsumer(stage ids.StageID, f func(ids.StageID, *task) error) error {
	for s, shape := range m.shape.Stages {
		if !slices.Contains(shape.Inputs, stage) {
			continue
		}
		for t := range m.stages[s] {
			if err := f(ids.StageID(s), &m.stages[s][t]); err != nil {
				return err
			}
		}
	}
	return nil
}
