package lifecycle

import (
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

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

// TaskState is where one task is.
type TaskState uint8

// The task states. The last three are final.
const (
	// Waiting tasks have producers that are not done.
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
	// Dropped tasks were cancelled.
	Dropped
)

var taskStateNames = [...]string{"waiting", "creating", "placed", "running", "finished", "failed", "cancelled"}

// String gives the state as sys.tasks shows it.
func (s TaskState) String() string { return taskStateNames[s] }

// A Shape is the plan and its assignment as the machine sees them: stages, producers first, the last one the root.
type Shape struct {
	Stages []StageShape
	// Direct says that the root's tasks travel in their tickets. Only for a single stage.
	Direct bool
	// Deadline ends the query; zero for none.
	Deadline time.Time
	// ResultTTL is how long a placed result waits for its reader while none is reading.
	ResultTTL time.Duration
}

// A StageShape is one stage.
type StageShape struct {
	// Inputs are the stages it reads, all with smaller numbers.
	Inputs []ids.StageID
	// Workers says where each task runs. The empty id is the coordinator itself.
	Workers []ids.WorkerID
}

// A Task is the state of one task, for listings and for writing down the inputs of its consumers.
type Task struct {
	Worker  ids.WorkerID
	Attempt ids.Attempt
	State   TaskState
	Stats
}

// Stats are what a worker tells of a task.
type Stats struct {
	Rows, Bytes, SpillBytes uint64
	// PartitionRows and PartitionBytes are exact once the task is Done, for kept outputs.
	PartitionRows, PartitionBytes []uint64
	Elapsed                       time.Duration
	// Progress is the engine's, 0 … 1.
	Progress float64
	// SchemaSent says that a reader has the schema.
	SchemaSent bool
}
