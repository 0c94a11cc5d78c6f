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

// errGivenUp is what readers of an attempt are told that another one has taken the place of.
var errGivenUp = qerr.New(qerr.Unavailable, "another attempt of the task has taken this one's place; read through the coordinator, or send the statement again")

// abandon has a worker end an attempt that was given up. It is tried a few times: what a worker in reach does not hear of is
// dropped with the query, and one that comes back after it was lost is told again (lifecycle.Machine).
func (c *Coordinator) abandon(q *Query, a lifecycle.Abandon, worker member.Record) {
	request := &pb.CancelRequest{Key: keyOf(q.id, a.Stage, a.Task, a.Attempt), Cause: grpcerr.ToProto(errGivenUp), CoordinatorId: c.cfg.ID}
	c.releaseCalls.run(func(ctx context.Context) {
		for try := 1; ; try++ {
			err := c.abandonOnce(ctx, worker, request)
			if err == nil {
				return
			}
			if try == createTries {
				c.cfg.Log.Warn().Err(err).Str("worker", string(worker.ID)).Str("query", string(q.id)).Msg("could not tell a worker that a task's attempt was given up")
				return
			}
			select {
			case <-time.After(createPause):
			case <-q.done:
				return
			case <-ctx.Done():
				return
			}
		}
	})
}

func (c *Coordinator) abandonOnce(ctx context.Context, worker member.Record, request *pb.CancelRequest) error {
	client, err := c.tasks(worker)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Limits.CallTimeout)
	defer cancel()
	_, err = client.Cancel(ctx, request)
	return grpcerr.FromStatus(err)
}
