package lifecycle

import (
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

const (
	// backoffMin is the pause before the first attempt after a failure, doubled for each further one up to backoffMax: a
	// fault that passes by itself does so within seconds, and a client must not wait minutes for one that does not.
	backoffMin = 200 * time.Millisecond
	backoffMax = 10 * time.Second
	// pastMax bounds the ended attempts that are remembered of one task, for listings.
	pastMax = 8
)

// task is a task with what is remembered over its attempts. The embedded Task is the current attempt.
type task struct {
	Task
	stage    ids.StageID
	index    ids.TaskIndex
	highest  ids.Attempt // the largest attempt number given out
	failures int         // attempts that count against Shape.Attempts
	past     []Task      // ended attempts, oldest first
	avoid    []ids.WorkerID
	// notBefore is when the next attempt may be dispatched.
	notBefore time.Time
	// faulted: it failed with Internal once. alone: with Resource, and has to run without another task of the query beside it.
	faulted, alone bool
	// used: a consumer that still counts was told to read an attempt of it. Rows that changed since would mix.
	used bool

	// told is what its reader was told at its worker when an attempt failed, and since when nobody has come for the next one;
	// nil for none.
	told error

	// rival is a second attempt that runs beside the current one, since rivalBegun; nil for none. speculated: there was one.
	rival      *Task
	rivalBegun time.Time
	speculated bool

	// The rest is of the current attempt.

	// begun is when it was given to its worker, took how long it ran until it was Done.
	begun time.Time
	took  time.Duration

	// lost: it is Done, but its output is gone, for the reason why.
	lost bool
	why  error
	// gone: so is the worker that had it, and whoever is fetching it waits in vain.
	gone bool
	// proxied: the coordinator reads it for the client, which has rows (sent) or all of them (drained).
	proxied, sent, drained bool
}

// shown reports whether a client may have seen the begin of the task's stream, after which it cannot run elsewhere unseen.
func (t *task) shown() bool { return t.sent || t.SchemaSent && !t.proxied }

// hasRead reports whether the task is known to be past its inputs, which workers fetch whole before they start the engine.
func (t *task) hasRead() bool {
	return t.State == Done || t.State == Active && (t.InputsRead || t.Rows > 0 || t.Bytes > 0 || t.Progress > 0 || t.SchemaSent || t.sent)
}

// next ends the current attempt in a state and begins another one, which waits until notBefore; a rival takes its place at
// once.
func (t *task) next(ended TaskState, notBefore time.Time) {
	if t.rival != nil {
		t.promote(ended)
		return
	}
	t.remember(ended)
	t.highest++
	t.Task = Task{Attempt: t.highest}
	t.notBefore = notBefore
	t.lost, t.why, t.gone, t.proxied, t.sent, t.drained = false, nil, false, false, false, false
}

func (t *task) remember(ended TaskState) { t.rememberAs(t.Task, ended) }

func (t *task) rememberAs(past Task, ended TaskState) {
	past.State = ended
	past.PartitionRows, past.PartitionBytes = nil, nil
	if len(t.past) == pastMax {
		t.past = slices.Delete(t.past, 0, 1)
	}
	t.past = append(t.past, past)
}

// shun has later attempts prefer other workers than the current one.
func (t *task) shun() {
	if t.Worker != "" && !slices.Contains(t.avoid, t.Worker) {
		t.avoid = append(t.avoid, t.Worker)
	}
}

// backoff is the pause after so many failures.
func backoff(failures int) time.Duration {
	pause := backoffMin
	for range failures - 1 {
		pause = min(2*pause, backoffMax)
	}
	return pause
}
