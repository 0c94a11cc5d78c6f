package coordinator

import (
	"context"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A place is where an attempt of a root task can be read.
type place struct {
	worker      ids.WorkerID
	incarnation ids.Incarnation
	attempt     ids.Attempt
	ticket      []byte
}

// claim says that the taker is being given rows of an attempt, all that is left when all is set. It reports false when the
// query has given the attempt up: then nothing of it may be given out.
func (q *Query) claim(task ids.TaskIndex, attempt ids.Attempt, all bool) bool {
	q.mu.Lock()
	effects := q.apply(lifecycle.Sent{Task: task, Attempt: attempt, All: all, Now: q.c.cfg.Now()})
	current, ok := q.machine.RootTask(task)
	held := q.machine.Status().Final() || ok && current.Attempt == attempt
	q.mu.Unlock()
	effects.run(q)
	return held
}

// moved reports whether a root task is past an attempt.
func (q *Query) moved(task ids.TaskIndex, attempt ids.Attempt) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	current, ok := q.machine.RootTask(task)
	return ok && current.Attempt != attempt
}

// placeOf waits until an attempt of a root task other than the given one can be read, and says where. It ends with the query,
// which bounds the wait, or with ctx.
func (q *Query) placeOf(ctx context.Context, task ids.TaskIndex, not ids.Attempt, t *pb.Ticket, signed []byte) (place, error) {
	for {
		q.mu.Lock()
		if err := q.machine.Err(); err != nil {
			q.mu.Unlock()
			return place{}, err
		}
		current, ok := q.machine.RootTask(task)
		waits := q.machine.Status() == lifecycle.Queued // it is being taken over from another coordinator
		if !waits && (!ok || q.work.plan == nil) {
			q.mu.Unlock()
			return place{}, qerr.New(qerr.NotFound, "the result of query %s was read already; send the statement again", q.id)
		}
		if !waits && current.Attempt != not && current.State >= lifecycle.Placed {
			at, err := q.placeNow(task, current, t, signed)
			q.mu.Unlock()
			return at, err
		}
		if q.changed == nil {
			q.changed = make(chan struct{})
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return place{}, qerr.Wrap(qerr.Cancelled, "wait for the result", context.Cause(ctx))
		}
	}
}

// placeNow says where the current attempt is; q.mu is held. The client's own ticket serves unless the task has moved.
func (q *Query) placeNow(task ids.TaskIndex, current lifecycle.Task, t *pb.Ticket, signed []byte) (place, error) {
	worker := q.work.workers[current.Worker]
	at := place{worker: worker.ID, incarnation: worker.Incarnation, attempt: current.Attempt, ticket: signed}
	if ids.Attempt(t.GetKey().GetAttempt()) == current.Attempt && t.GetWorkerId() == string(worker.ID) && t.GetIncarnation() == string(worker.Incarnation) {
		return at, nil
	}
	var err error
	at.ticket, err = q.c.resultTicket(q, q.work.plan, task, current.Attempt, worker)
	return at, err
}
