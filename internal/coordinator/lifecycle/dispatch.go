package lifecycle

import (
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// dispatch gives tasks whose inputs are there to workers, as far as their pauses and the workers allow, and asks to be woken
// when the next pause is over.
func (m *Machine) dispatch(now time.Time) (actions []Action) {
	starved := false
	var alarm time.Time
	for s := range m.stages {
		if !slices.ContainsFunc(m.stages[s], func(t task) bool { return t.State == Waiting }) || !m.ready(s, &actions) {
			continue
		}
		for t := range m.stages[s] {
			task := &m.stages[s][t]
			if task.State != Waiting {
				continue
			}
			if now.Before(task.notBefore) {
				if alarm.IsZero() || task.notBefore.Before(alarm) {
					alarm = task.notBefore
				}
				continue
			}
			worker := m.choose(s, t)
			if worker == "" {
				starved = starved || len(m.usable) == 0
				continue
			}
			m.moved = now
			if m.shape.Direct {
				m.read = now
				m.assign(task, worker, Placed)
				continue
			}
			m.assign(task, worker, Creating)
			task.begun = now
			m.useInputs(s)
			actions = append(actions, Dispatch{Stage: ids.StageID(s), Task: ids.TaskIndex(t), Attempt: task.Attempt, Worker: worker})
		}
	}
	if !starved {
		m.starved = time.Time{}
	} else if m.starved.IsZero() {
		m.starved = now
	}
	if !alarm.IsZero() && !alarm.Equal(m.alarm) {
		m.alarm = alarm
		actions = append(actions, Alarm{At: alarm})
	}
	return actions
}

// assign notes where the task's attempt is, or is going.
func (m *Machine) assign(task *task, worker ids.WorkerID, state TaskState) {
	task.Worker, task.State = worker, state
	m.touch(worker)
}

// useInputs notes that a task of a stage is told which attempts of its producers to read.
func (m *Machine) useInputs(stage int) {
	for _, input := range m.shape.Stages[stage].Inputs {
		for p := range m.stages[input] {
			m.stages[input][p].used = true
		}
	}
}

// touch notes that a worker may have something of the query.
func (m *Machine) touch(worker ids.WorkerID) {
	if at, known := slices.BinarySearch(m.touched, worker); !known && worker != "" {
		m.touched = slices.Insert(m.touched, at, worker)
	}
}

// choose finds the worker of a task's next attempt: where the assignment says at first; then one where it has not failed,
// with the fewest tasks of the query. Empty: none that may take it now.
func (m *Machine) choose(s, t int) ids.WorkerID {
	task := &m.stages[s][t]
	var best ids.WorkerID
	var bestAvoided bool
	var bestRunning int
	for i := range m.usable {
		worker := m.usable[(i+s+t)%len(m.usable)] // of equal ones, not all tasks the same
		running, taken := m.running(worker)
		if full := m.shape.Slots > 0 && running >= m.shape.Slots; worker == task.Worker && full {
			return ""
		} else if full || taken || task.alone && running > 0 {
			continue
		}
		if worker == task.Worker {
			return worker
		}
		avoided := slices.Contains(task.avoid, worker)
		better := !avoided && bestAvoided || avoided == bestAvoided && running < bestRunning
		if best == "" || better {
			best, bestAvoided, bestRunning = worker, avoided, running
		}
	}
	return best
}

// running counts the tasks of the query that run on a worker; taken says that one of them must be alone there.
func (m *Machine) running(worker ids.WorkerID) (count int, taken bool) {
	for _, tasks := range m.stages {
		for t := range tasks {
			if task := &tasks[t]; task.Worker == worker && (task.State == Creating || task.State == Active) {
				count++
				taken = taken || task.alone
			}
			if task := &tasks[t]; task.rival != nil && task.rival.Worker == worker {
				count++
			}
		}
	}
	return count, taken
}

// elsewhere reports whether there is a worker on which the task was not tried.
func (m *Machine) elsewhere(task *task) bool {
	return slices.ContainsFunc(m.usable, func(w ids.WorkerID) bool { return w != task.Worker && !slices.Contains(task.avoid, w) })
}
