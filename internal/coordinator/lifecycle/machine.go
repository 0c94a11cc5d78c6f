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
	stages  [][]task       // by stage and task
	decided []decision     // by stage
	usable  []ids.WorkerID // sorted
	touched []ids.WorkerID // workers that a task may have reached
	placed  int            // root tasks that have an endpoint
	lost    bool           // some output is lost
	read    time.Time      // when the result was placed or touched last
	moved   time.Time      // when something was heard of a task last
	starved time.Time      // since when there is no worker for a task that could run; zero: there is
	alarm   time.Time      // the last one asked for
	started time.Time
	ended   time.Time
	highest float64
	// revealed: clients may know more of the result than this machine (Resume).
	revealed bool
	counts   [outcomeCount]uint64
	// abandoned are attempts that were given up in this step.
	abandoned []Action
}

// Step takes an event and returns what to do. Events that come too late or twice change nothing.
func (m *Machine) Step(event Event) []Action {
	if m.status.Final() {
		return nil
	}
	actions := m.take(event)
	abandoned := m.abandoned
	m.abandoned = nil
	if m.status.Final() { // all of the query is dropped everywhere
		return actions
	}
	return append(abandoned, actions...)
}

func (m *Machine) take(event Event) []Action {
	switch e := event.(type) {
	case Wait:
		m.wait = e
	case Start:
		return m.start(e)
	case Resume:
		return m.resume(e)
	case Settle:
		return m.settle(e)
	case Created:
		return m.created(e)
	case Report:
		return m.report(e)
	case Opened, Sent, Unreadable, ReaderGone:
		return m.reader(e)
	case Renew:
		m.read = e.Now
	case Forget:
		if m.shape.Kept && m.Complete() {
			return []Action{m.end(Finished, nil, e.Now)}
		}
		return m.cancel(Cancel{Cause: qerr.New(qerr.Cancelled, "the result is not wanted any more"), Now: e.Now})
	case Workers:
		m.usable = slices.Sorted(slices.Values(e.Usable))
		return m.proceed(e.Now)
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
	m.begin(e.Shape, e.Now)
	if e.Shape.Direct {
		for t := range m.root() {
			m.assign(&m.root()[t], m.root()[t].Worker, Placed)
		}
	}
	return m.proceed(e.Now)
}

// proceed finds lost outputs somebody to compute them again, dispatches tasks whose inputs are there, places endpoints and
// notices the end. A query that has not started has no task, of which all are done; yet it is not at its end.
func (m *Machine) proceed(now time.Time) []Action {
	if m.status != Running {
		return nil
	}
	if err := m.recompute(now); err != nil {
		return []Action{m.end(Failed, err, now)}
	}
	actions := m.dispatch(now)
	for root := m.root(); m.placed < len(root) && root[m.placed].State >= m.readable(); m.placed++ {
		m.read = now
		actions = append(actions, Place{Task: ids.TaskIndex(m.placed)})
	}
	if all(m.root(), Done) && !m.shape.Kept {
		return append(actions, m.end(Finished, nil, now))
	}
	return actions
}

// readable is the state from which on a root task has an endpoint.
func (m *Machine) readable() TaskState {
	if m.shape.Kept {
		return Done
	}
	return Placed
}

func all(tasks []task, state TaskState) bool {
	return !slices.ContainsFunc(tasks, func(t task) bool { return t.State != state })
}

func (m *Machine) root() []task {
	if len(m.stages) == 0 {
		return nil
	}
	return m.stages[len(m.stages)-1]
}

func (m *Machine) isRoot(stage ids.StageID) bool { return int(stage) == len(m.stages)-1 }

// find returns a task; nil when there is none of that number.
func (m *Machine) find(stage ids.StageID, index ids.TaskIndex) *task {
	if stage < 0 || int(stage) >= len(m.stages) || index < 0 || int(index) >= len(m.stages[stage]) {
		return nil
	}
	return &m.stages[stage][index]
}

func (m *Machine) created(e Created) []Action {
	task := m.find(e.Stage, e.Task)
	if task != nil && task.rival != nil && task.rival.Attempt == e.Attempt {
		if task.rival.Err = e.Err; e.Err != nil {
			m.dropRival(task, OutcomeRefused)
		}
		return nil
	}
	if task == nil || task.Attempt != e.Attempt || task.State != Creating { // its reports were faster than the reply
		return nil
	}
	m.moved = e.Now
	if e.Err != nil {
		return m.refused(e, task)
	}
	task.State = Placed
	if m.isRoot(e.Stage) {
		m.read = e.Now
	}
	return m.proceed(e.Now)
}

func (m *Machine) report(e Report) []Action {
	task := m.find(e.Stage, e.Task)
	switch {
	case task == nil:
		return nil
	case task.rival != nil && task.rival.Attempt == e.Attempt:
		return m.rivalReport(e, task)
	case task.Attempt != e.Attempt:
		return m.former(e, task)
	case task.State == Waiting || task.State >= Done || e.State < task.State:
		return nil
	}
	m.moved = e.Now
	root := m.isRoot(e.Stage)
	if root {
		m.read = e.Now
	}
	if root && task.proxied && e.State == Dropped && (e.Err == nil || qerr.Is(e.Err, qerr.Cancelled)) {
		return nil // its reader is the coordinator, which says itself why it left
	}
	shown := task.SchemaSent
	task.Stats = e.Stats
	task.SchemaSent = task.SchemaSent || shown // what a client has seen stays seen
	switch e.State {
	case Broken:
		return m.failed(e.Stage, e.Task, e.Err, e.Now)
	case Dropped:
		return m.dropped(e, task)
	case Done:
		task.took = e.Now.Sub(task.begun)
		m.dropRival(task, OutcomeOutrun)
		m.count(task, OutcomeFinished)
	}
	task.State = e.State
	if e.State > Placed {
		task.told = nil
	}
	return m.proceed(e.Now)
}

// dropped handles a task that its worker cancelled without being told to: its reader left, or the worker is stopping.
func (m *Machine) dropped(e Report, task *task) []Action {
	if m.isRoot(e.Stage) && (e.Err == nil || qerr.Is(e.Err, qerr.Cancelled)) {
		return m.readerGone(e.Err, e.Now)
	}
	return m.failed(e.Stage, e.Task, qerr.New(qerr.Unavailable, "the worker gave it up; send the statement again"), e.Now)
}

func (m *Machine) cancel(e Cancel) []Action {
	status := Failed
	if qerr.Is(e.Cause, qerr.Cancelled) {
		status = Cancelled
	}
	return []Action{m.end(status, e.Cause, e.Now)}
}

func (m *Machine) fail(err error, now time.Time) []Action { return []Action{m.end(Failed, err, now)} }

// explain makes the error of a query of that of a task.
func explain(op string, err error) error {
	if qerr.Is(err, qerr.FetchFailed) {
		// The producer's worker is gone, or dropped its output. The client can only start again.
		err = &qerr.Error{Kind: qerr.Unavailable, Msg: "an intermediate result was lost; send the statement again", Err: err}
	}
	return qerr.Wrap(qerr.Internal, op, err)
}

func running(stage ids.StageID, index ids.TaskIndex, task *task) string {
	text := fmt.Sprintf("run stage %d task %d on worker %s", stage, index, task.Worker)
	if task.Attempt > 1 {
		text += fmt.Sprintf(" (attempt %d)", task.Attempt)
	}
	return text
}

func (m *Machine) end(status Status, err error, now time.Time) Action {
	m.Progress() // remembered before tasks change
	m.status, m.err, m.ended = status, err, now
	for _, tasks := range m.stages {
		for t := range tasks {
			m.dropRival(&tasks[t], OutcomeCancelled)
			switch task := &tasks[t]; task.State {
			case Creating, Placed, Active:
				m.count(task, OutcomeCancelled)
				fallthrough
			case Waiting:
				task.State = Dropped
			}
		}
	}
	return End{Release: m.touched}
}
