package coordinator

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// An inheritance is a query of a fallen coordinator on its way to this one.
type inheritance struct {
	q      *Query
	record *pb.QueryRecord
	keep   []*pb.TaskKey
}

// succeed takes over the queries of a coordinator that is gone, unless another one does.
func (c *Coordinator) succeed(ctx context.Context, fallen string) error {
	mine, err := c.cfg.Ledger.Succeed(ctx, fallen)
	if qerr.Is(err, qerr.Fenced) {
		c.fall(err)
		return nil
	}
	if err != nil || !mine {
		return err
	}
	began := time.Now()
	c.links.meet(ctx, c.cfg.Limits.SucceedWait)
	records, failed := c.cfg.Ledger.Claim(ctx, fallen)
	var all []*inheritance
	for _, record := range records { // also when not all of them could be claimed
		i, err := c.inherit(record)
		if i != nil {
			all = append(all, i)
		}
		failed = cmp.Or(failed, err)
	}
	request := &pb.SucceedRequest{CoordinatorId: c.cfg.ID, FallenId: fallen}
	for _, i := range all {
		request.Queries = append(request.Queries, &pb.Succession{QueryId: i.record.GetQueryId(), Epoch: i.record.GetEpoch(), Keep: i.keep})
	}
	answers := c.tellSuccession(ctx, request, func(ids.WorkerID) bool { return true })
	for _, i := range all {
		c.resume(i, answers)
	}
	// What happened between the answers and the begin of the queries here reached nobody.
	answered := func(worker ids.WorkerID) bool { return answers[worker] != nil }
	for worker, answer := range c.tellSuccession(ctx, request, answered) {
		for _, event := range answer.GetTasks() {
			if link := c.links.find(worker); link != nil {
				c.taskEvent(link, event)
			}
		}
	}
	c.cfg.Log.Info().Str("fallen", fallen).Int("queries", len(all)).Int("workers", len(answers)).Dur("took", time.Since(began)).Err(failed).
		Msg("succeeded a coordinator")
	if failed != nil {
		return failed
	}
	return c.cfg.Ledger.Settle(ctx, fallen)
}

// tellSuccession tells every worker of some who goes on with what, all at once, and returns the answers of those that gave one in time.
// The others are told on until they answer or are gone; what they have of these queries counts as lost.
func (c *Coordinator) tellSuccession(ctx context.Context, request *pb.SucceedRequest, to func(ids.WorkerID) bool) map[ids.WorkerID]*pb.SucceedReply {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Limits.SucceedWait)
	defer cancel()
	var mu sync.Mutex
	answers := map[ids.WorkerID]*pb.SucceedReply{}
	var calls sync.WaitGroup
	for _, link := range c.links.all() {
		if !to(link.record.ID) {
			continue
		}
		calls.Go(func() {
			answer, err := c.sendSuccession(ctx, link.record, request)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				answers[link.record.ID] = answer
				return
			}
			c.cfg.Log.Warn().Err(err).Str("worker", string(link.record.ID)).Msg("a worker does not answer who succeeds a coordinator; telling it on")
			c.releaseCalls.run(func(ctx context.Context) { c.tellOn(ctx, link, request) })
		})
	}
	calls.Wait()
	return answers
}

// tellOn tells a worker of a succession until it answers: by then nothing of the fallen one is wanted there.
func (c *Coordinator) tellOn(ctx context.Context, link *link, request *pb.SucceedRequest) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Limits.ReleaseTimeout)
	defer cancel()
	late := &pb.SucceedRequest{CoordinatorId: request.GetCoordinatorId(), FallenId: request.GetFallenId()}
	for _, q := range request.GetQueries() {
		late.Queries = append(late.Queries, &pb.Succession{QueryId: q.GetQueryId(), Epoch: q.GetEpoch()})
	}
	for pause := createPause; ; pause = min(2*pause, c.cfg.Limits.CallTimeout) {
		select {
		case <-time.After(pause):
		case <-link.gone:
			return
		case <-ctx.Done():
			return
		}
		call, done := context.WithTimeout(ctx, c.cfg.Limits.CallTimeout)
		_, err := c.sendSuccession(call, link.record, late)
		done()
		if err == nil {
			return
		}
	}
}

func (c *Coordinator) sendSuccession(ctx context.Context, worker member.Record, request *pb.SucceedRequest) (*pb.SucceedReply, error) {
	client, err := c.tasks(worker)
	if err != nil {
		return nil, err
	}
	answer, err := client.Succeed(ctx, &pb.SucceedRequest{Incarnation: string(worker.Incarnation), CoordinatorId: request.GetCoordinatorId(),
		FallenId: request.GetFallenId(), Queries: request.GetQueries()})
	return answer, grpcerr.FromStatus(err)
}

// resume lets a query go on with what its record and the workers say is left of it.
func (c *Coordinator) resume(i *inheritance, answers map[ids.WorkerID]*pb.SucceedReply) {
	q, now := i.q, c.cfg.Now()
	usable := c.links.usableOrWait(nil)
	known := map[ids.WorkerID]member.Record{}
	for _, link := range c.links.all() { // those that only drain have outputs too
		if _, answered := answers[link.record.ID]; answered {
			known[link.record.ID] = link.record
		}
	}
	event := lifecycle.Resume{Given: attemptsOf(i.record.GetEpoch()), Revealed: i.record.GetRevealed(), Now: now}
	for id := range known {
		event.Touched = append(event.Touched, id)
	}
	placed, shape, err := c.restore(q, i.record, usable)
	var givenUp []lifecycle.Abandon
	if err == nil {
		event.Shape = shape
		event.Tasks, givenUp, err = left(i.record, known, answers)
	}
	for _, w := range usable {
		known[w.ID] = w
	}
	if err != nil {
		q.Cancel(err)
	}
	var begun effects
	q.mu.Lock()
	if q.machine.Status() == lifecycle.Queued { // else it was cancelled
		q.work.plan, q.work.workers, q.ordered, q.stages = placed, known, i.record.GetOrdered(), len(placed.plan.Stages)
		q.admitted = now
		begun = q.apply(event) // at once: who has workers has started
	}
	q.mu.Unlock()
	for _, a := range givenUp {
		c.abandon(q, a, known[a.Worker])
	}
	begun.run(q)
	if q.State().Status.Final() { // perhaps before the workers could be told by its end
		for id := range known {
			c.release(known[id], q.id, q.err())
		}
		return
	}
	for _, w := range known {
		if !c.links.isUp(w) {
			q.lose(w, "its control stream broke")
		}
	}
}
