package coordinator

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// settle is called once a kept result is complete. Its query gives its place to others, and the workers drop what the stages
// below the root have kept; should a worker miss that, the query's end says it again.
func (c *Coordinator) settle(q *Query) {
	c.leave(q)
	if q.rows {
		c.registry.rest(q)
	}
	q.mu.Lock()
	if q.work.plan == nil {
		q.mu.Unlock()
		return
	}
	root := q.work.plan.plan.Root().ID
	workers := map[ids.WorkerID]struct{}{}
	for _, stage := range q.machine.Stages()[:root] {
		for _, task := range stage {
			workers[task.Worker] = struct{}{}
		}
	}
	q.mu.Unlock()
	for id := range workers {
		link := c.links.find(id)
		if link == nil {
			continue
		}
		c.group.run(func(ctx context.Context) {
			request := &pb.ReleaseRequest{QueryId: string(q.id), KeepStage: proto.Uint32(uint32(root))}
			if err := c.sendRelease(ctx, link.record, request); err != nil {
				c.cfg.Log.Debug().Err(err).Str("worker", string(id)).Msg("could not have intermediate results dropped early")
			}
		})
	}
}

// Renew gives the whole result that a ticket belongs to another SpoolTTL, and returns the endpoint with a fresh ticket. Only
// spooled results have a time to extend: others are refused as User errors. A result that has ended gives its error, or NotFound.
func (c *Coordinator) Renew(ticket []byte, subject string) (Endpoint, error) {
	t, err := c.cfg.Keys.VerifyTicket(ticket, c.cfg.Now())
	if err != nil {
		return Endpoint{}, err
	}
	q, known := c.registry.find(ids.QueryID(t.GetKey().GetQueryId()))
	if !known || t.GetSubject() != subject {
		return Endpoint{}, qerr.New(qerr.NotFound, "there is no such result for this user, or it has expired")
	}
	q.step(lifecycle.Renew{Now: c.cfg.Now()})
	q.mu.Lock()
	defer q.mu.Unlock()
	expires := q.machine.Expires()
	switch index := ids.TaskIndex(t.GetKey().GetTask()); {
	case q.machine.Err() != nil:
		return Endpoint{}, q.machine.Err()
	case q.machine.Status().Final():
		return Endpoint{}, qerr.New(qerr.NotFound, "the result of query %s was read, or has expired; send the statement again", q.id)
	case !expires.IsZero() && q.work.local != nil:
		endpoint, err := c.localEndpoint(q)
		endpoint.Expires = expires
		return endpoint, err
	case expires.IsZero() || q.work.plan == nil:
		return Endpoint{}, qerr.New(qerr.User, "this result is read once, and has no expiration to extend; "+
			"SET arbalest.results = 'spool' makes results that can be read again")
	case int(index) >= len(q.endpoints):
		return Endpoint{}, qerr.New(qerr.NotFound, "query %s has no such endpoint", q.id)
	default:
		endpoint := q.endpoints[index]
		root, _ := q.machine.RootTask(index)
		endpoint.Ticket, err = c.resultTicket(q, q.work.plan, index, root.Attempt, q.work.workers[root.Worker])
		endpoint.Expires = expires
		return endpoint, err
	}
}
