package lifecycle

import (
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// An Event is something that happened to a query. The set is closed: the types of this file.
type Event interface{ event() }

// Wait says what a queued query waits for: if it is still waiting at Until, it fails with Err.
type Wait struct {
	Until time.Time
	Err   error
}

// Start gives the query its plan and lets it run.
type Start struct {
	Shape Shape
	Now   time.Time
}

// Created is the outcome of a Dispatch action.
type Created struct {
	Stage   ids.StageID
	Task    ids.TaskIndex
	Attempt ids.Attempt
	Err     error
	Now     time.Time
}

// Report is what a worker says of a task: State is Placed, Active, Done, Broken or Dropped.
type Report struct {
	Stage   ids.StageID
	Task    ids.TaskIndex
	Attempt ids.Attempt
	State   TaskState
	Stats   Stats
	Err     error
	Now     time.Time
}

// Opened says that the coordinator itself reads a root task for a client. From then on the coordinator tells what the
// client has (Sent) and when it went away (ReaderGone), not the task's worker.
type Opened struct {
	Task    ids.TaskIndex
	Attempt ids.Attempt
	Now     time.Time
}

// Sent says that the client is being given rows of a root task that the coordinator reads; All that it has all of them.
type Sent struct {
	Task    ids.TaskIndex
	Attempt ids.Attempt
	All     bool
	Now     time.Time
}

// Unreadable says that the coordinator could not read a root task for a client, who has nothing of it yet or only a part
// (see Sent).
type Unreadable struct {
	Task    ids.TaskIndex
	Attempt ids.Attempt
	Err     error
	Now     time.Time
}

// ReaderGone says that a client whose result the coordinator reads went away before its end.
type ReaderGone struct {
	Task ids.TaskIndex
	Now  time.Time
}

// Renew says that somebody wants a kept result for longer.
type Renew struct{ Now time.Time }

// Forget says that nobody wants a kept result any more.
type Forget struct{ Now time.Time }

// Workers says which workers may be given tasks from now on. One that is missing keeps what it has: it may be draining.
type Workers struct {
	Usable []ids.WorkerID
	Now    time.Time
}

// WorkerLost says that a worker is gone with all it held.
type WorkerLost struct {
	Worker ids.WorkerID
	Reason string
	Now    time.Time
}

// Cancel ends the query on purpose. A cause of kind Cancelled makes it Cancelled, another one Failed.
type Cancel struct {
	Cause error
	Now   time.Time
}

// Tick lets time pass.
type Tick struct{ Now time.Time }

func (Wait) event()       {}
func (Start) event()      {}
func (Created) event()    {}
func (Report) event()     {}
func (Opened) event()     {}
func (Sent) event()       {}
func (Unreadable) event() {}
func (ReaderGone) event() {}
func (Renew) event()      {}
func (Forget) event()     {}
func (Workers) event()    {}
func (WorkerLost) event() {}
func (Cancel) event()     {}
func (Tick) event()       {}

// An Action is something that the owner of the machine must do, in order. The set is closed: the types of this file.
type Action interface{ action() }

// Dispatch sends a task to a worker and answers with Created. The attempts that it reads are those of the machine's state
// right after the step.
type Dispatch struct {
	Stage   ids.StageID
	Task    ids.TaskIndex
	Attempt ids.Attempt
	Worker  ids.WorkerID
}

// Abandon has a worker end an attempt that was given up: whatever it still does or keeps is of no use.
type Abandon struct {
	Stage   ids.StageID
	Task    ids.TaskIndex
	Attempt ids.Attempt
	Worker  ids.WorkerID
}

// Place appends the endpoint of a root task.
type Place struct{ Task ids.TaskIndex }

// Alarm wants a Tick at a time.
type Alarm struct{ At time.Time }

// End says that the query has ended: give its place away, and have Release drop what they hold of it.
type End struct{ Release []ids.WorkerID }

func (Dispatch) action() {}
func (Abandon) action()  {}
func (Place) action()    {}
func (Alarm) action()    {}
func (End) action()      {}
