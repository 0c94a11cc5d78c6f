package coordinator

import (
	"context"
	"time"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

const (
	// createPause is between two tries to hand a task to a worker that did not answer; Create may be sent twice.
	createPause = 200 * time.Millisecond
	// createTries bounds them: a connection that broke is back by then, and another worker may take the task otherwise.
	createTries = 4
)

// dispatch sends a task to its worker in a goroutine of its own, and tells the query the outcome.
func (c *Coordinator) dispatch(q *Query, d dispatch) {
	worker := d.workers[d.Worker]
	started := c.group.run(func(ctx context.Context) {
		spec, err := c.taskSpec(q, d)
		if err == nil {
			err = c.create(ctx, q, worker, spec)
		}
		if qerr.Is(err, qerr.Fenced) { // that life of the worker is over, or this coordinator's, which it has still to hear of
			err = &qerr.Error{Kind: qerr.Unavailable, Msg: "the worker refuses it; send the statement again", Worker: worker.ID, Err: err}
		}
		q.step(lifecycle.Created{Stage: d.Stage, Task: d.Task, Attempt: d.Attempt, Err: err, Now: c.cfg.Now()})
		if q.State().Status.Final() {
			// The query's end may have been told before this task arrived.
			c.release(worker, q.id, q.err())
		}
	})
	if !started {
		q.Cancel(errStopping)
	}
}

// create hands a task to one life of a worker, trying again a few times when the worker cannot be reached, as long as the
// query goes on.
func (c *Coordinator) create(ctx context.Context, q *Query, worker member.Record, spec *pb.TaskSpec) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Limits.CallTimeout)
	defer cancel()
	for try := 1; ; try++ {
		client, err := c.tasks(worker)
		if err != nil {
			return err
		}
		_, err = client.Create(ctx, &pb.CreateRequest{Task: spec, Incarnation: string(worker.Incarnation)})
		if err = grpcerr.FromStatus(err); qerr.Is(err, qerr.Cancelled) && ctx.Err() == nil {
			// Nobody cancelled the call: connections to a lost worker are closed.
			err = &qerr.Error{Kind: qerr.Unavailable, Msg: "the connection was closed", Worker: worker.ID, Err: err}
		}
		if !qerr.Is(err, qerr.Unavailable) || try == createTries {
			return err
		}
		select {
		case <-time.After(createPause):
		case <-q.done:
			return err
		case <-ctx.Done():
			return err
		}
	}
}

// tasks is the control service of a worker.
func (c *Coordinator) tasks(worker member.Record) (pb.TasksClient, error) {
	conn, err := c.cfg.Clients.Conn(worker.Address, worker.TLS)
	if err != nil {
		return nil, qerr.Wrap(qerr.Unavailable, "reach worker "+string(worker.ID), err)
	}
	return pb.NewTasksClient(conn), nil
}
