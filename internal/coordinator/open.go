package coordinator

import (
	"context"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Open redeems any ticket of this cluster: results of the coordinator itself, and, as a proxy, those of workers. ctx covers
// the whole stream; the caller closes the reader. Forged and expired tickets are Unauthenticated; a ticket of another user,
// or of a query or worker that is gone, is NotFound or Unavailable; a query that ended otherwise gives its own error.
func (c *Coordinator) Open(ctx context.Context, ticket []byte, subject string) (flightx.Reader, error) {
	t, err := c.cfg.Keys.VerifyTicket(ticket, c.cfg.Now())
	if err != nil {
		return nil, err
	}
	if t.GetSubject() != subject {
		return nil, qerr.New(qerr.NotFound, "there is no such result for this user")
	}
	q, _ := c.registry.find(ids.QueryID(t.GetKey().GetQueryId()))
	if q != nil {
		if err := q.err(); err != nil {
			return nil, err
		}
	}
	switch t.GetAudience() {
	case pb.Audience_AUDIENCE_COORDINATOR:
		if q == nil {
			return nil, qerr.New(qerr.NotFound, "query %s is not known to this coordinator any more; send the statement again", t.GetKey().GetQueryId())
		}
		return c.openLocal(ctx, q)
	case pb.Audience_AUDIENCE_RESULT:
		return c.openWorker(ctx, t, ticket, subject)
	default:
		return nil, qerr.New(qerr.NotFound, "the ticket is not for a client")
	}
}

func (c *Coordinator) openWorker(ctx context.Context, t *pb.Ticket, ticket []byte, subject string) (flightx.Reader, error) {
	id := ids.WorkerID(t.GetWorkerId())
	worker, ok := c.cfg.Cluster.Members().Find(id)
	if !ok || string(worker.Incarnation) != t.GetIncarnation() {
		return nil, qerr.New(qerr.Unavailable, "worker %s, which holds this result, is gone; send the statement again", id)
	}
	if local, ok := c.cfg.Local[id]; ok {
		return local.Open(ctx, ticket, subject)
	}
	return c.cfg.Clients.Open(ctx, worker.Address, worker.TLS, ticket)
}
