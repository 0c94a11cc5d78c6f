package lifecycle

import (
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// Status is where the query is.
func (m *Machine) Status() Status { return m.status }

// Err is why the query ended without its rows; nil while it runs and after it finished.
func (m *Machine) Err() error { return m.err }

// Started is when the query left the queue; zero before.
func (m *Machine) Started() time.Time { return m.started }

// Ended is when it ended; zero before.
func (m *Machine) Ended() time.Time { return m.ended }

// Complete reports whether no endpoint will be placed any more.
func (m *Machine) Complete() bool {
	return m.status.Final() || m.status == Running && m.placed == len(m.root())
}

// Task is the state of one task; it shares the slices in Stats, which nobody changes.
func (m *Machine) Task(stage ids.StageID, index ids.TaskIndex) Task { return m.stages[stage][index] }

// Stages copies the states of all tasks, by stage and task; nil before the start.
func (m *Machine) Stages() [][]Task {
	stages := make([][]Task, len(m.stages))
	for s := range m.stages {
		stages[s] = slices.Clone(m.stages[s])
	}
	return stages
}

// Uses reports whether a task of the query is assigned to the worker.
func (m *Machine) Uses(worker ids.WorkerID) bool {
	for _, tasks := range m.stages {
		for t := range tasks {
			if tasks[t].Worker == worker {
				return true
			}
		}
	}
	return false
}

// Totals counts the query's tasks, and the rows and bytes of its result so far.
func (m *Machine) Totals() (tasks int, rows, bytes uint64) {
	for _, stage := range m.stages {
		tasks += len(stage)
	}
	for _, task := range m.root() {
		rows += task.Rows
		bytes += task.Bytes
	}
	return tasks, rows, bytes
}

// Progress is the done share of all tasks, running ones by what their engine says; 0 … 1, and never less than before.
func (m *Machine) Progress() float64 {
	if m.status == Finished {
		m.highest = 1
		return 1
	}
	var done float64
	count := 0
	for _, tasks := range m.stages {
		for t := range tasks {
			count++
			switch task := &tasks[t]; task.State {
			case Done:
				done++
			case Active:
				done += min(max(task.Progress, 0), 1)
			}
		}
	}
	if count > 0 {
		m.highest = max(m.highest, done/float64(count))
	}
	return m.highest
}
