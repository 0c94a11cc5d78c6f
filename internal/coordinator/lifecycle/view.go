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

// Usable are the workers that may be given tasks, sorted; the slice is the machine's.
func (m *Machine) Usable() []ids.WorkerID { return m.usable }

// Started is when the query left the queue; zero before.
func (m *Machine) Started() time.Time { return m.started }

// Ended is when it ended; zero before.
func (m *Machine) Ended() time.Time { return m.ended }

// Complete reports whether no endpoint will be placed any more.
func (m *Machine) Complete() bool {
	return m.status.Final() || m.status == Running && m.placed == len(m.root())
}

// Expires is when a kept result that is complete ends if nobody renews it; zero for never, and for other results.
func (m *Machine) Expires() time.Time {
	if !m.shape.Kept || m.shape.ResultTTL == 0 || m.status != Running || !m.Complete() {
		return time.Time{}
	}
	return m.read.Add(m.shape.ResultTTL)
}

// Task is the current attempt of one task; it shares the slices in Stats, which nobody changes.
func (m *Machine) Task(stage ids.StageID, index ids.TaskIndex) Task {
	return m.stages[stage][index].Task
}

// RootTask is the current attempt of a result's task; false when there is none of that number, or no root yet.
func (m *Machine) RootTask(index ids.TaskIndex) (Task, bool) {
	t := m.find(ids.StageID(len(m.stages)-1), index)
	if t == nil {
		return Task{}, false
	}
	return t.Task, true
}

// Stages copies the current attempts of all tasks, by stage and task; nil before the start.
func (m *Machine) Stages() [][]Task {
	stages := make([][]Task, len(m.stages))
	for s := range m.stages {
		stages[s] = make([]Task, len(m.stages[s]))
		for t := range m.stages[s] {
			stages[s][t] = m.stages[s][t].Task
		}
	}
	return stages
}

// Attempts copies the ended attempts that are remembered of a task, oldest first, the current one, and its rival.
func (m *Machine) Attempts(stage ids.StageID, index ids.TaskIndex) []Task {
	t := &m.stages[stage][index]
	all := append(slices.Clone(t.past), t.Task)
	if t.rival != nil {
		all = append(all, *t.rival)
	}
	return all
}

// Counts says how the attempts that were given to workers ended so far.
func (m *Machine) Counts() map[Outcome]uint64 {
	counts := make(map[Outcome]uint64, len(m.counts))
	for o, n := range m.counts {
		counts[Outcome(o)] = n
	}
	return counts
}

// Starved reports whether a task waits for a worker while there is none.
func (m *Machine) Starved() bool { return !m.status.Final() && !m.starved.IsZero() }

// Totals counts the query's tasks, and the rows and bytes of its result so far.
func (m *Machine) Totals() (tasks int, rows, bytes uint64) {
	for _, stage := range m.stages {
		tasks += len(stage)
	}
	for t := range m.root() {
		rows += m.root()[t].Rows
		bytes += m.root()[t].Bytes
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

// StagesDone counts the stages all of whose tasks are done.
func (m *Machine) StagesDone() (n int) {
	for s := range m.stages {
		if all(m.stages[s], Done) {
			n++
		}
	}
	return n
}
