package lifecycle

import (
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// Resume lets a query go on whose owner is gone: what its record and the workers say there is, in place of Start. Nobody can
// know what the former owner did after it wrote the record, so that attempts that are in neither have been ended at every
// worker in reach before, and their numbers are not given out again.
type Resume struct {
	// Shape has no adaptive stage: those that were not settled run as they were planned.
	Shape Shape
	// Tasks are by stage and task.
	Tasks [][]Resumed
	// Given is the largest attempt number that may have been given out.
	Given ids.Attempt
	// Revealed says that a client may know of endpoints, and may have rows of them that nobody here knows of.
	Revealed bool
	// Touched are the workers that may have something of the query.
	Touched []ids.WorkerID
	Now     time.Time
}

func (Resume) event() {}

// Resumed is what is left of a task.
type Resumed struct {
	// Task is Done, or of the root Placed or Active, as its worker says; Waiting when nothing is left.
	Task
	// Lost is why the output of a Done task is not there any more; nil when it is.
	Lost error
}

func (m *Machine) resume(e Resume) []Action {
	if m.status != Queued {
		return nil
	}
	m.begin(e.Shape, e.Now)
	m.revealed = e.Revealed
	for _, worker := range e.Touched {
		m.touch(worker)
	}
	for s, tasks := range e.Tasks {
		for t := range tasks {
			m.resumeTask(&m.stages[s][t], &tasks[t], e)
		}
	}
	return m.proceed(e.Now)
}

func (m *Machine) resumeTask(task *task, left *Resumed, e Resume) {
	if left.State != Placed && left.State != Active && left.State != Done {
		task.Attempt, task.highest = e.Given+1, e.Given+1
		return
	}
	task.Task = Task{Worker: left.Worker, Attempt: left.Attempt, State: left.State, Stats: left.Stats}
	task.highest, task.begun = e.Given, e.Now
	// Who has read it is not known: any that may have counts as told.
	task.used = !m.isRoot(task.stage)
	m.touch(left.Worker)
	if left.State != Done {
		return
	}
	m.count(task, OutcomeFinished)
	if left.Lost != nil {
		m.lose(task, left.Lost)
		task.gone = true
	}
}

// mayHaveRows reports whether a client may have rows of one endpoint, made from rows that the others can no longer have. When
// there is one endpoint, the client has it from one attempt, whichever it is.
func (m *Machine) mayHaveRows() bool {
	if len(m.root()) <= 1 {
		return false
	}
	// In proxy mode the owner itself knows who has what; one that comes after it does not.
	return m.revealed || m.placed > 0 && (!m.shape.Proxied || m.shape.Shared)
}

// begin fixes the shape and makes the tasks.
func (m *Machine) begin(shape Shape, now time.Time) {
	m.status, m.shape, m.started, m.read, m.moved = Running, shape, now, now, now
	m.usable = slices.Sorted(slices.Values(shape.Usable))
	m.shape.Stages = slices.Clone(shape.Stages) // Settle changes them
	m.decided = make([]decision, len(shape.Stages))
	m.stages = make([][]task, len(shape.Stages))
	for s, stage := range shape.Stages {
		m.stages[s] = newTasks(ids.StageID(s), stage)
		for _, worker := range stage.Workers {
			if _, known := slices.BinarySearch(m.usable, worker); !known && shape.Usable == nil && worker != "" {
				m.usable = append(m.usable, worker)
				slices.Sort(m.usable)
			}
		}
	}
}
