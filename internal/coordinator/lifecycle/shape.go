package lifecycle

import (
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A Shape is the plan and its assignment as the machine sees them: stages, producers first, the last one the root.
type Shape struct {
	Stages []StageShape
	// Direct says that the root's tasks travel in their tickets. Only for a single stage.
	Direct bool
	// Proxied says that every result is read through the coordinator, which knows the attempt that counts.
	Proxied bool
	// Shared says that another coordinator may go on with the query, which does not know what clients have.
	Shared bool
	// Kept says that the root's tasks run at once and keep what they yield, for readers that come as often as they like: an
	// endpoint is placed when its task is Done, and the query finishes when ResultTTL has passed since, or since the last Renew.
	Kept bool
	// Usable are the workers that may be given tasks; nil stands for those of Stages.
	Usable []ids.WorkerID
	// Attempts is how often a task is tried before the query fails; 0 counts as 1.
	Attempts int
	// Slots is how many tasks of the query a worker is given at once; 0 for any number. Results that wait for their readers
	// need none.
	Slots int
	// SpeculateAfter is how long a task runs at least before it gets a rival; 0 for never.
	SpeculateAfter time.Duration
	// Deadline ends the query; zero for none.
	Deadline time.Time
	// ResultTTL is how long a placed result waits for its reader while none is reading; 0 of a kept one: for ever.
	ResultTTL time.Duration
	// FallbackMax is how long an attempt of a result waits for its reader, once it is placed, when the reader was told at its
	// worker that the attempt before failed: a client that goes on elsewhere does so at once. 0 for as long as others.
	FallbackMax time.Duration
	// WorkerWaitMax is how long tasks wait while there is no worker to give them to.
	WorkerWaitMax time.Duration
	// StallMax is how long tasks may run without anything being heard of any of them; 0 for ever.
	StallMax time.Duration
}

// A StageShape is one stage.
type StageShape struct {
	// Inputs are the stages it reads, all with smaller numbers.
	Inputs []ids.StageID
	// Workers says where each task runs first. The empty id is the coordinator itself.
	Workers []ids.WorkerID
	// After are further stages that must be Done before the stage is settled, though it does not read them. No stage may
	// wait for itself by way of Inputs and After.
	After []ids.StageID
	// Adapt says that the owner decides, by Ready and Settle, how the stage runs.
	Adapt bool
	// Indeterminate says that running a task again may give other rows.
	Indeterminate bool
}

// A Task is one attempt of a task, for listings and for writing down the inputs of its consumers.
type Task struct {
	// Worker is where it runs; while it waits, where it is meant to, empty when that is open.
	Worker  ids.WorkerID
	Attempt ids.Attempt
	State   TaskState
	// Err is why the attempt ended without its rows.
	Err error
	Stats
	outcome   Outcome // what it is counted as, once it has ended
	abandoned bool    // its worker was told to end it
}

// Stats are what a worker tells of a task.
type Stats struct {
	Rows, Bytes, SpillBytes uint64
	// PartitionRows and PartitionBytes are exact once the task is Done, for kept outputs.
	PartitionRows, PartitionBytes []uint64
	// Summaries are those of the output columns that the spec asked for, as far as they could be told, once it is Done.
	Summaries map[int]table.Summary
	Elapsed   time.Duration
	// Progress is the engine's, 0 … 1.
	Progress float64
	// InputsRead says that the task has fetched all its inputs.
	InputsRead bool
	// SchemaSent says that a reader has the schema.
	SchemaSent bool
}
