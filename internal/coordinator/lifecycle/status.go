package lifecycle

// Status is where a query is in its life.
type Status uint8

// The statuses. The last four are final.
const (
	// Queued queries wait for admission or for a worker.
	Queued Status = iota
	// Running queries have tasks.
	Running
	// Finished queries were read to the end.
	Finished
	// Failed queries ended by an error.
	Failed
	// Cancelled queries were ended on purpose.
	Cancelled
	// Expired queries had a result that nobody read in time.
	Expired
)

var statusNames = [...]string{"queued", "running", "finished", "failed", "cancelled", "expired"}

// String gives the status as sys.queries shows it.
func (s Status) String() string { return statusNames[s] }

// Statuses lists all of them.
func Statuses() []Status { return []Status{Queued, Running, Finished, Failed, Cancelled, Expired} }

// Final reports whether the query has ended.
func (s Status) Final() bool { return s > Running }

// TaskState is where one attempt of a task is.
type TaskState uint8

// The task states. The last three are final.
const (
	// Waiting tasks have producers that are not done, or wait for their next attempt.
	Waiting TaskState = iota
	// Creating tasks are being sent to their worker.
	Creating
	// Placed tasks are known to their worker; a result task waits for its reader.
	Placed
	// Active tasks run.
	Active
	// Done tasks gave all their rows.
	Done
	// Broken tasks failed.
	Broken
	// Dropped tasks were cancelled, or their attempt was given up for another one.
	Dropped
)

var taskStateNames = [...]string{"waiting", "creating", "placed", "running", "finished", "failed", "cancelled"}

// String gives the state as sys.tasks shows it.
func (s TaskState) String() string { return taskStateNames[s] }

// An Outcome is how an attempt of a task ended, for counting.
type Outcome uint8

// The outcomes. Each attempt that was dispatched, or placed in a ticket, has exactly one at the query's end.
const (
	// OutcomeFinished attempts gave all their rows, which nobody had to compute again.
	OutcomeFinished Outcome = iota
	// OutcomeFailed attempts ended with an error of their own, a failed fetch included.
	OutcomeFailed
	// OutcomeLost attempts ran on a worker that was lost, or their output could no longer be read while it was needed.
	OutcomeLost
	// OutcomeRefused attempts were not taken by their worker.
	OutcomeRefused
	// OutcomeRestarted attempts were given up since an attempt that they read was.
	OutcomeRestarted
	// OutcomeOutrun attempts were given up since another one of the same task was faster.
	OutcomeOutrun
	// OutcomeCancelled attempts were there when the query ended.
	OutcomeCancelled
	outcomeCount
)

var outcomeNames = [outcomeCount]string{"finished", "failed", "lost", "refused", "restarted", "outrun", "cancelled"}

// String gives the outcome as the metrics' label.
func (o Outcome) String() string { return outcomeNames[o] }

// Outcomes lists all of them.
func Outcomes() []Outcome {
	all := make([]Outcome, outcomeCount)
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}
