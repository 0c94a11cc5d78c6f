package lifecycle

import (
	"math"
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// speculateFactor is how much longer than its siblings a task must have run before it gets a rival. Siblings have about equal
// shares of the splits, and of the partitions; less than twice is skew, which a rival would have too.
const speculateFactor = 3

// speculate gives tasks that take much longer than their siblings a second attempt, a rival, on another worker. The first to
// commit its output wins; the other one is given up.
//
// A task gets one when all of this holds:
//
//	at least half of its stage's tasks are done
//	ran ≥ Shape.SpeculateAfter, and ran ≥ speculateFactor × the median time of those that are done
//	ran × (1 - progress) / progress, what it still needs by its engine's word, is more than that median
//	a worker on which it has not failed runs no task of the query
//
// Each task gets one at most, and none where tasks are tried once only. Results have none: a reader may have begun with one
// attempt. Nor have tasks of a stage whose rows may differ, once their output was given to a consumer.
func (m *Machine) speculate(now time.Time) (actions []Action) {
	if m.status != Running || m.shape.SpeculateAfter <= 0 || m.shape.Attempts <= 1 || m.shape.Direct {
		return nil
	}
	for s := range m.stages[:max(len(m.stages)-1, 0)] {
		typical, known := m.typical(s)
		if !known || !m.inputsDone(s) { // a rival would be told to read what is being computed again
			continue
		}
		for t := range m.stages[s] {
			task := &m.stages[s][t]
			if task.State != Active || task.speculated || task.alone || task.used && m.shape.Stages[s].Indeterminate || !m.late(task, typical, now) {
				continue
			}
			worker := m.idle(task)
			if worker == "" {
				continue
			}
			task.highest++
			task.speculated, task.rivalBegun = true, now
			task.rival = &Task{Worker: worker, Attempt: task.highest, State: Creating}
			m.touch(worker)
			m.useInputs(s)
			actions = append(actions, Dispatch{Stage: ids.StageID(s), Task: ids.TaskIndex(t), Attempt: task.highest, Worker: worker})
		}
	}
	return actions
}

// typical is the median time of a stage's tasks that are done; false when fewer than half are.
func (m *Machine) typical(stage int) (time.Duration, bool) {
	var took []time.Duration
	for t := range m.stages[stage] {
		if task := &m.stages[stage][t]; task.State == Done {
			took = append(took, task.took)
		}
	}
	if len(took) == 0 || 2*len(took) < len(m.stages[stage]) {
		return 0, false
	}
	slices.Sort(took)
	return took[len(took)/2], true
}

func (m *Machine) late(task *task, typical time.Duration, now time.Time) bool {
	ran := now.Sub(task.begun)
	if ran < m.shape.SpeculateAfter || ran < speculateFactor*typical {
		return false
	}
	left := math.Inf(1)
	if task.Progress > 0 {
		left = float64(ran) * (1 - min(task.Progress, 1)) / task.Progress
	}
	return left > float64(typical)
}

// idle finds a worker for a rival; empty when there is none.
func (m *Machine) idle(task *task) ids.WorkerID {
	for _, worker := range m.usable {
		if count, taken := m.running(worker); count == 0 && !taken && worker != task.Worker && !slices.Contains(task.avoid, worker) {
			return worker
		}
	}
	return ""
}

// rivalReport handles what a worker says of a task's rival.
func (m *Machine) rivalReport(e Report, task *task) []Action {
	if e.State < task.rival.State {
		return nil
	}
	m.moved = e.Now
	task.rival.State, task.rival.Stats = e.State, e.Stats
	switch e.State {
	case Done:
		m.abandon(task, &task.Task)
		m.count(task, OutcomeOutrun)
		task.promote(Dropped)
		task.took = e.Now.Sub(task.begun)
		m.count(task, OutcomeFinished)
		return m.proceed(e.Now)
	case Broken, Dropped: // the task itself goes on
		task.rival.Err = e.Err
		m.endRival(task, OutcomeFailed)
	}
	return nil
}

// dropRival gives a task's rival up, if it has one.
func (m *Machine) dropRival(task *task, outcome Outcome) {
	if task.rival != nil {
		m.abandon(task, task.rival)
		task.rival.State = Dropped
		m.endRival(task, outcome)
	}
}

// endRival notes how a task's rival ended.
func (m *Machine) endRival(task *task, outcome Outcome) {
	task.rival.outcome = outcome
	m.counts[outcome]++
	task.rememberAs(*task.rival, task.rival.State)
	task.rival = nil
}

// promote ends the current attempt in a state, and has its rival take its place.
func (t *task) promote(ended TaskState) {
	t.remember(ended)
	t.Task, t.begun, t.rival = *t.rival, t.rivalBegun, nil
	t.lost, t.why, t.gone, t.proxied, t.sent, t.drained = false, nil, false, false, false, false
}
