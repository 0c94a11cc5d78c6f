package lifecycle

import (
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A stage of an adaptive shape has its tasks only for the time being. When everything that it waits for is Done for the first
// time, the machine asks its owner once (Ready), who knows the exact sizes by then and answers with Settle: the stage as it is
// to run, and any other stage that has not been settled and is another one because of it. What was settled stays, whatever
// is computed again later: attempts of a task are attempts of the same work.

// Ready asks for the Settle of a stage. Nothing of the stage has been dispatched.
type Ready struct{ Stage ids.StageID }

func (Ready) action() {}

// Settle says how a stage runs, as the answer to Ready. It must not read a stage with a larger number, and no stage may be
// left waiting for itself.
type Settle struct {
	Stage ids.StageID
	// Changes replace stages that are not settled; none: the stage runs as it was given. A stage without workers has no task
	// and counts as done: its work was given to another one.
	Changes []StageChange
	Now     time.Time
}

func (Settle) event() {}

// A StageChange is what a stage has become.
type StageChange struct {
	Stage ids.StageID
	Shape StageShape
}

// decision is how far a stage is from being settled.
type decision uint8

const (
	open decision = iota
	asked
	settled
)

// ready reports whether the tasks of a stage may be dispatched as far as other stages go, and asks for its Settle when it is
// time to.
func (m *Machine) ready(stage int, actions *[]Action) bool {
	if m.decided[stage] == settled {
		return m.inputsDone(stage)
	}
	shape := &m.shape.Stages[stage]
	if m.decided[stage] == asked || !m.inputsDone(stage) || !m.done(shape.After) {
		return false
	}
	if shape.Adapt {
		m.decided[stage] = asked
		*actions = append(*actions, Ready{Stage: ids.StageID(stage)})
		return false
	}
	m.decided[stage] = settled
	return true
}

// settle takes the owner's answer.
func (m *Machine) settle(e Settle) []Action {
	if e.Stage < 0 || int(e.Stage) >= len(m.stages) || m.decided[e.Stage] != asked {
		return nil
	}
	for _, change := range e.Changes {
		if m.decided[change.Stage] == settled {
			continue
		}
		m.shape.Stages[change.Stage] = change.Shape
		m.stages[change.Stage] = newTasks(change.Stage, change.Shape)
		if len(change.Shape.Workers) == 0 {
			m.decided[change.Stage] = settled
		}
	}
	m.decided[e.Stage] = settled
	return m.proceed(e.Now)
}

func newTasks(stage ids.StageID, shape StageShape) []task {
	tasks := make([]task, len(shape.Workers))
	for t, worker := range shape.Workers {
		tasks[t] = task{stage: stage, index: ids.TaskIndex(t), Task: Task{Worker: worker, Attempt: 1}, highest: 1}
	}
	return tasks
}

func (m *Machine) inputsDone(stage int) bool { return m.done(m.shape.Stages[stage].Inputs) }

// done reports whether all rows of the stages are there to be read.
func (m *Machine) done(stages []ids.StageID) bool {
	for _, stage := range stages {
		if slices.ContainsFunc(m.stages[stage], func(t task) bool { return t.State != Done || t.lost }) {
			return false
		}
	}
	return true
}
