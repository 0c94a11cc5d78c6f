package lifecycle

import (
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A Kind says how a task's output leaves the worker.
type Kind uint8

const (
	// Kept tasks run at once; their output is kept for other workers.
	Kept Kind = iota
	// Result tasks wait until a client redeems their ticket, and stream to it.
	Result
	// Direct tasks come in a client's ticket, and stream to it.
	Direct
)

// A State is where a task is in its life.
type State uint8

// The states.
const (
	Placed State = iota + 1
	Running
	Finished
	Failed
	Cancelled
)

var stateNames = map[State]string{Placed: "placed", Running: "running", Finished: "finished", Failed: "failed", Cancelled: "cancelled"}

// States lists all states in order.
func States() []State { return []State{Placed, Running, Finished, Failed, Cancelled} }

// String gives the state's name, as it stands in metrics and logs.
func (s State) String() string { return stateNames[s] }

// Ended reports whether nothing more happens in the state.
func (s State) Ended() bool { return s >= Finished }

// An ID names one run of a task. Run is 0 but for direct tasks, which may run several times, even at once.
type ID struct {
	Key ids.TaskKey
	Run uint64
}

// A Task is what the state machine needs to know of a new task.
type Task struct {
	Key  ids.TaskKey
	Kind Kind
	// Owner is the coordinator that created it; empty when it did not say.
	Owner string
	// Deadline is when the task must have ended; zero = the registry's AgeMax from now.
	Deadline time.Time
	// Pinned says that a kept output does not go with the deadline, but stays until its query is released; AgeMax at most.
	Pinned bool
	// Lasting says that a kept output stays as long as a session likes, and is nothing to wait for: rows of a temporary table.
	Lasting bool
}

// An Outcome is how a run ended, as the worker saw it.
type Outcome struct {
	Rows, Bytes uint64
	// PartitionRows and PartitionBytes are of a kept output.
	PartitionRows, PartitionBytes []uint64
	SpillBytes                    uint64
	// Summaries are of those columns of a kept output that the task's spec asked for.
	Summaries map[int]table.Summary
	// Err is nil for a run that came to its end; an error of kind Cancelled makes the task CANCELLED, others FAILED.
	Err error
}

// An Event tells watchers what became of a task. A later event of a key replaces an earlier one.
type Event struct {
	Key   ids.TaskKey
	State State
	Outcome
	Elapsed    time.Duration
	Progress   float64
	SchemaSent bool
	// InputsRead says that the run has fetched its exchange inputs.
	InputsRead bool
	// Proxied says that the reader of a result is, or was, a coordinator.
	Proxied bool
}

// An Interrupt asks the worker to end a run; it reports back by Finish.
type Interrupt struct {
	ID    ID
	Cause error
}

// Actions are what the worker has to do after calls to the registry.
type Actions struct {
	Events    []Event
	Interrupt []Interrupt
	// Drop names kept outputs to free.
	Drop []ids.TaskKey
}

// entry is one task in the registry.
type entry struct {
	id       ID
	kind     Kind
	state    State
	deadline time.Time
	// pinned is how long the output of a Pinned task stays at most; zero for other tasks.
	pinned  time.Time
	lasting bool
	// late is what it ends with at the deadline.
	late       error
	started    time.Time
	outcome    Outcome
	elapsed    time.Duration
	progress   float64
	schemaSent bool
	inputsRead bool
	proxied    bool
	owner      string
	// interrupted: the worker was asked to end the run. released: the entry goes when it has.
	interrupted, released bool
	// changed: counters moved since Changed told them.
	changed bool
}

func (e *entry) event(now time.Time) Event {
	elapsed := e.elapsed
	if e.state == Running {
		elapsed = now.Sub(e.started)
	}
	return Event{Key: e.id.Key, State: e.state, Outcome: e.outcome, Elapsed: elapsed, Progress: e.progress, SchemaSent: e.schemaSent,
		InputsRead: e.inputsRead, Proxied: e.proxied}
}
