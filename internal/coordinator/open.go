package coordinator

import (
	"context"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Open redeems any ticket of this cluster: results of the coordinator itself, and, as a proxy, those of workers. ctx covers
// the whole stream; the caller closes the reader. A result whose worker is gone is run elsewhere, as long as the caller was
// given nothing of it. Forged and expired tickets are Unauthenticated; a ticket of another user, or of a query or worker that
// is gone, is NotFound or Unavailable; a query that ended otherwise gives its own error.
func (c *Coordinator) Open(ctx context.Context, ticket []byte, subject string) (flightx.Reader, error) {
	t, err := c.cfg.Keys.VerifyTicket(ticket, c.cfg.Now())
	if err != nil {
		return nil, err
	}
	if t.GetSubject() != subject {
		return nil, qerr.New(qerr.NotFound, "there is no such result for this user")
	}
	q, at, err := c.inherited(ctx, t)
	if err != nil {
		return nil, err
	}
	if at != (Place{}) {
		return c.openElsewhere(ctx, at, ticket, subject)
	}
	if q != nil {
		if err := q.err(); err != nil {
			return nil, err
		}
	}
	switch t.GetAudience() {
	case pb.Audience_AUDIENCE_COORDINATOR:
		if q == nil && t.GetTask() != nil && t.GetCoordinatorId() != c.cfg.ID {
			return c.openForeign(ctx, t)
		}
		if life := t.GetCoordinatorId(); q == nil && life != "" && life != c.cfg.ID {
			return nil, errApart
		}
		if q == nil {
			return nil, qerr.New(qerr.NotFound, "query %s is not known to this coordinator any more; send the statement again", t.GetKey().GetQueryId())
		}
		return c.openLocal(ctx, q)
	case pb.Audience_AUDIENCE_RESULT:
		if q == nil || q.State().Status.Final() { // another coordinator's, or a result that is read once more
			r, err := c.openWorker(ctx, place{worker: ids.WorkerID(t.GetWorkerId()), incarnation: ids.Incarnation(t.GetIncarnation()), ticket: ticket}, subject)
			if at, ok := c.ownerAsked(t, err); q == nil && ok && ctx.Err() == nil {
				return c.openElsewhere(ctx, at, ticket, subject)
			}
			return r, err
		}
		return c.openProxy(ctx, q, t, ticket)
	default:
		return nil, qerr.New(qerr.NotFound, "the ticket is not for a client")
	}
}

func (c *Coordinator) openWorker(ctx context.Context, at place, subject string) (flightx.Reader, error) {
	worker, ok := c.cfg.Cluster.Members().Find(at.worker)
	if !ok || worker.Incarnation != at.incarnation {
		return nil, qerr.New(qerr.Unavailable, "worker %s, which holds this result, is gone; send the statement again", at.worker)
	}
	if local, ok := c.cfg.Local[at.worker]; ok {
		return local.Open(ctx, at.ticket, subject)
	}
	return c.cfg.Clients.Open(ctx, worker.Address, worker.TLS, at.ticket)
}
