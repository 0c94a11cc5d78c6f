package coordinator

import (
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// reuseConnection tells a client to read a ticket where it asked for it. A location of its own, so that clients which can
// reach no worker have a way through the coordinator.
const reuseConnection = "arrow-flight-reuse-connection://?"

// sign completes and signs a ticket for a worker.
func (c *Coordinator) sign(q *Query, t *pb.Ticket, worker member.Record) ([]byte, error) {
	t.WorkerId, t.Incarnation, t.Address = string(worker.ID), string(worker.Incarnation), worker.Address
	t.Subject, t.CoordinatorId = q.user, c.cfg.ID
	t.ExpiresUnixMs = c.cfg.Now().Add(c.cfg.Limits.TicketTTL).UnixMilli()
	return c.cfg.Keys.SignTicket(t)
}

// place appends the endpoint of a root task; q.mu is held.
func (q *Query) place(task ids.TaskIndex) error {
	var endpoint Endpoint
	var err error
	if q.work.local != nil {
		endpoint, err = q.c.localEndpoint(q)
	} else {
		endpoint, err = q.c.workerEndpoint(q, q.work.plan, task)
	}
	if err != nil {
		return err
	}
	q.endpoints = append(q.endpoints, endpoint)
	return nil
}

func (c *Coordinator) workerEndpoint(q *Query, placed *placedPlan, task ids.TaskIndex) (Endpoint, error) {
	root, _ := q.machine.RootTask(task)
	worker := q.work.workers[root.Worker]
	ticket, err := c.resultTicket(q, placed, task, root.Attempt, worker)
	if err != nil {
		return Endpoint{}, err
	}
	endpoint := Endpoint{Ticket: ticket, Locations: c.locations(q.endpoints, worker), Rows: -1, Bytes: -1}
	if placed.kept {
		endpoint.Rows, endpoint.Bytes = int64(root.Rows), int64(root.Bytes)
	}
	return endpoint, nil
}

// resultTicket is the ticket of an attempt of a root task.
func (c *Coordinator) resultTicket(q *Query, placed *placedPlan, task ids.TaskIndex, attempt ids.Attempt, worker member.Record) ([]byte, error) {
	t := &pb.Ticket{Audience: pb.Audience_AUDIENCE_RESULT, Key: keyOf(q.id, placed.plan.Root().ID, task, attempt)}
	if placed.direct != nil {
		t.Task = placed.direct[task]
		if attempt > 1 {
			t.Task, _ = proto.Clone(t.Task).(*pb.TaskSpec)
			t.Task.Key = t.GetKey()
		}
	}
	return c.sign(q, t, worker)
}

// locations says where a worker's result can be read, given the endpoints placed before it.
func (c *Coordinator) locations(before []Endpoint, worker member.Record) []string {
	_, embedded := c.cfg.Local[worker.ID]
	if embedded || c.cfg.ProxyResults || worker.Advertised == "" {
		return nil
	}
	scheme := "grpc+tcp://"
	if worker.TLS {
		scheme = "grpc+tls://"
	}
	location := scheme + worker.Advertised
	distinct := map[string]struct{}{reuseConnection: {}}
	for _, e := range before {
		for _, l := range e.Locations {
			distinct[l] = struct{}{}
		}
	}
	if _, known := distinct[location]; !known && len(distinct) >= c.cfg.Limits.LocationsMax {
		return []string{reuseConnection}
	}
	return []string{location, reuseConnection}
}
