package lifecycle

import (
	"fmt"
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Machine is the state of one query. The zero Machine is a queued one. It is not safe for concurrent use.
type Machine struct {
	status  Status
	err     error
	wait    Wait
	shape   Shape
	stages  [][]Task // by stage and task
	placed  int      // root tasks that have an endpoint
	read    time.Time
	started time.Time
	ended   time.Time
	highest float64
}

// Step takes an event and returns what to do. Events that come too late or twice change nothing.
func (m *Machine) Step(event Event) []Action {
	if m.status.Final() {
		return nil
	}
	switch e := event.(type) {
	case Wait:
		m.wait = e
	case Start:
		return m.start(e)
	case Created:
		return m.created(e)
	case Report:
		return m.report(e)
	case WorkerLost:
		return m.workerLost(e)
	case Cancel:
		return m.cancel(e)
	case Tick:
		return m.tick(e.Now)
	}
	return nil
}

func (m *Machine) start(e Start) []Action {
	if m.status != Queued {
		return nil
	}
	m.status, m.shape, m.started, m.read = Running, e.Shape, e.Now, e.Now
	m.stages = make([][]Task, len(e.Shape.Stages))
	for s, stage := range e.Shape.Stages {
		m.stages[s] = make([]Task, len(stage.Workers))
		for t, worker := range stage.Workers {
			m.stages[s][t] = Task{Worker: worker, Attempt: 1}
		}
	}
	if e.Shape.Direct {
		for t := range m.root() {
			m.root()[t].State = Placed
		}
	}
	return m.proceed(e.Now)
}

// proceed dispatches stages whose inputs are done, places endpoints and notices the end.
func (m *Machine) proceed(now time.Time) []Action {
	var actions []Action
	for s := range m.stages {
		if m.stages[s][0].State != Waiting || !m.inputsDone(s) {
			continue
		}
		for t := range m.stages[s] {
			task := &m.stages[s][t]
			task.State = Creating
			actions = append(actions, Dispatch{Stage: ids.StageID(s), Task: ids.TaskIndex(t), Attempt: task.Attempt})
		}
	}
	for root := m.root(); m.placed < len(root) && root[m.placed].State >= Placed; m.placed++ {
		m.read = now
		actions = append(actions, Place{Task: ids.TaskIndex(m.placed)})
	}
	if all(m.root(), Done) {
		return append(actions, m.end(Finished, nil, now))
	}
	return actions
}

func (m *Machine) inputsDone(stage int) bool {
	for _, input := range m.shape.Stages[stage].Inputs {
		if !all(m.stages[input], Done) {
			return false
		}
	}
	return true
}

func all(tasks []Task, state TaskState) bool {
	return !slices.ContainsFunc(tasks, func(t Task) bool { return t.State != state })
}

func (m *Machine) root() []Task {
	if len(m.stages) == 0 {
		return nil
	}
	return m.stages[len(m.stages)-1]
}

func (m *Machine) isRoot(stage ids.StageID) bool { return int(stage) == len(m.stages)-1 }

// find returns the task if the event's attempt is the current one.
func (m *Machine) find(stage ids.StageID, index ids.TaskIndex, attempt ids.Attempt) *Task {
	if stage < 0 || int(stage) >= len(m.stages) || index < 0 || int(index) >= len(m.stages[stage]) {
		return nil
	}
	task := &m.stages[stage][index]
	if task.Attempt != attempt {
		return nil
	}
	return task
}

func (m *Machine) created(e Created) []Action {
	task := m.find(e.Stage, e.Task, e.Attempt)
	if task == nil || task.State != Creating { // its reports were faster than the reply
		return nil
	}
	if e.Err != nil {
		task.State = Broken
		return m.fail(fmt.Sprintf("dispatch stage %d task %d to worker %s", e.Stage, e.Task, task.Worker), e.Err, e.Now)
	}
	task.State = Placed
	return m.proceed(e.Now)
}

func (m *Machine) report(e Report) []Action {
	task := m.find(e.Stage, e.Task, e.Attempt)
	if task == nil || task.State >= Done || e.State < task.State {
		return nil
	}
	task.State, task.Stats = e.State, e.Stats
	if m.isRoot(e.Stage) {
		m.read = e.Now
	}
	switch e.State {
	case Broken:
		return m.fail(fmt.Sprintf("run stage %d task %d on worker %s", e.Stage, e.Task, task.Worker), e.Err, e.Now)
	case Dropped:
		if m.isRoot(e.Stage) {
			err := e.Err
			if err == nil {
				err = qerr.New(qerr.Cancelled, "the reader closed the result's stream before its end")
			}
			return []Action{m.end(Cancelled, err, e.Now)}
		}
		return m.fail("", qerr.New(qerr.Unavailable, "worker %s gave up stage %d task %d; send the statement again", task.Worker, e.Stage, e.Task), e.Now)
	}
	return m.proceed(e.Now)
}

// workerLost fails the query if it still needs something of the worker: a task that is not done, or an output whose
// consumers are not.
func (m *Machine) workerLost(e WorkerLost) []Action {
	for s, tasks := range m.stages {
		for t := range tasks {
			task := &tasks[t]
			if task.Worker != e.Worker || task.State == Done && !m.needed(ids.StageID(s)) {
				continue
			}
			return m.fail("", qerr.New(qerr.Unavailable,
				"worker %s was lost (%s) with stage %d task %d of this query; send the statement again", e.Worker, e.Reason, s, t), e.Now)
		}
	}
	return nil
}

// needed reports whether a consumer of the stage has still to read it.
func (m *Machine) needed(stage ids.StageID) bool {
	for s, shape := range m.shape.Stages {
		if slices.Contains(shape.Inputs, stage) && !all(m.stages[s], Done) {
			return true
		}
	}
	return false
}

func (m *Machine) cancel(e Cancel) []Action {
	status := Failed
	if qerr.Is(e.Cause, qerr.Cancelled) {
		status = Cancelled
	}
	return []Action{m.end(status, e.Cause, e.Now)}
}

func (m *Machine) fail(op string, err error, now time.Time) []Action {
	if err == nil {
		err = qerr.New(qerr.Internal, "the worker gave no reason")
	}
	if qerr.Is(err, qerr.FetchFailed) {
		// The producer's worker is gone, or dropped its output. The client can only start again.
		err = &qerr.Error{Kind: qerr.Unavailable, Msg: "an intermediate result was lost; send the statement again", Err: err}
	}
	if op != "" {
		err = qerr.Wrap(qerr.Internal, op, err)
	}
	return []Action{m.end(Failed, err, now)}
}

func (m *Machine) tick(now time.Time) []Action {
	if m.status == Queued {
		if !m.wait.Until.IsZero() && !now.Before(m.wait.Until) {
			return m.fail("", m.wait.Err, now)
		}
		return nil
	}
	if d := m.shape.Deadline; !d.IsZero() && !now.Before(d) {
		return m.fail("", qerr.New(qerr.Deadline, "the query ran for %s, its limit (arbalest.query_timeout)", d.Sub(m.started)), now)
	}
	if m.unread() && now.Sub(m.read) >= m.shape.ResultTTL {
		return []Action{m.end(Expired, qerr.New(qerr.Deadline, "nobody read the result within %s", m.shape.ResultTTL), now)}
	}
	return nil
}

// unread reports whether results are placed, some unread, and none being read.
func (m *Machine) unread() bool {
	root := m.root()
	return m.placed == len(root) &&
		slices.ContainsFunc(root, func(t Task) bool { return t.State == Placed }) &&
		!slices.ContainsFunc(root, func(t Task) bool { return t.State == Active })
}

func (m *Machine) end(status Status, err error, now time.Time) Action {
	m.Progress() // remembered before tasks change
	m.status, m.err, m.ended = status, err, now
	var release []ids.WorkerID
	for _, tasks := range m.stages {
		for t := range tasks {
			task := &tasks[t]
			if task.State != Waiting && task.Worker != "" && !slices.Contains(release, task.Worker) {
				release = append(release, task.Worker)
			}
			if task.State < Done {
				task.State = Dropped
			}
		}
	}
	slices.Sort(release)
	return End{Release: release}
}
