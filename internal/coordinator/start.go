package coordinator

import (
	"time"

	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/adapt"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/schedule"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// A placedPlan is a statement on its way to the workers: what the frontend gave, then the plan and where each task goes.
// It is not changed after the query's Start event: what is adapted while the query runs makes another one.
type placedPlan struct {
	statement  distplan.Statement
	plan       *distplan.Plan
	assignment *schedule.Assignment
	deadline   time.Time
	// kept says that the root's tasks keep what they yield, to be read as often as clients like.
	kept bool
	// choices are the workers that tasks were dealt to, in that order; notes say what has changed since the start.
	choices []schedule.Worker
	notes   []adapt.Note
	// summarize are, by stage, the columns of its output whose values its tasks tell when they have finished.
	summarize map[ids.StageID][]uint32
	// direct are the root's tasks when they travel in their tickets.
	direct []*pb.TaskSpec
	// works are, by stage and task, what the query's record says is to be done; nil for a plan that was made here. Such a plan
	// has no more of its stages than their inputs.
	works [][]*pb.TaskSpec
}

// start builds the plan for the workers there are now and lets the query run. Without a worker the query waits for one.
func (c *Coordinator) start(q *Query) {
	q.mu.Lock()
	work, final := q.work.plan, q.machine.Status() != lifecycle.Queued
	if q.admitted.IsZero() {
		q.admitted = c.cfg.Now()
	}
	admitted := q.admitted
	q.mu.Unlock()
	if final || work == nil {
		return
	}
	workers := c.links.usableOrWait(q)
	now := c.cfg.Now()
	if len(workers) == 0 {
		limit := c.cfg.Limits.WorkerWaitMax
		q.step(lifecycle.Wait{Until: admitted.Add(limit), Err: qerr.New(qerr.Unavailable, "no worker to run the query on: waited %s for one to join", limit)})
		if q.State().Status.Final() { // ended before it was noted as waiting
			c.links.forget(q)
		}
		return
	}
	placed := &placedPlan{statement: work.statement, kept: q.spool || q.rows}
	known := make(map[ids.WorkerID]member.Record, len(workers))
	for _, w := range workers {
		known[w.ID] = w
	}
	var err error
	placed.plan, placed.assignment, placed.choices, err = c.build(work.statement, q.settings, workers)
	if err != nil {
		q.Cancel(qerr.Wrap(qerr.Internal, "plan stages", err))
		return
	}
	placed.deadline = q.deadline(now)
	if err := c.packDirect(q, placed); err != nil {
		q.Cancel(qerr.Wrap(qerr.Internal, "write down tasks", err))
		return
	}
	shape := c.shapeOf(q, placed)
	shape.Slots = slotsOf(workers)
	for _, w := range workers {
		shape.Usable = append(shape.Usable, w.ID)
	}

	q.mu.Lock()
	if q.machine.Status() != lifecycle.Queued { // cancelled while it was planned, or started by another call
		q.mu.Unlock()
		return
	}
	q.work.plan, q.work.workers, q.ordered, q.stages = placed, known, placed.plan.Ordered, len(placed.plan.Stages)
	begun := q.apply(lifecycle.Start{Shape: shape, Now: now}) // at once: who has workers has started
	q.mu.Unlock()
	c.metrics.started(shape, now.Sub(q.submitted))
	begun.run(q)
	// A worker that was lost between the choice and Start has told its loss to the queries of that time, which this was
	// not one of.
	for _, w := range workers {
		if !c.links.isUp(w) {
			q.lose(w, "its control stream broke")
		}
	}
}

// deadline is when a query that starts now runs out of its time; zero for never.
func (q *Query) deadline(now time.Time) time.Time {
	if limit := q.settings.QueryTimeout(); limit > 0 {
		return now.Add(limit)
	}
	return time.Time{}
}

// build makes the plan of a statement for the workers, and assigns its tasks.
func (c *Coordinator) build(st distplan.Statement, values settings.Values, workers []member.Record) (*distplan.Plan, *schedule.Assignment, []schedule.Worker, error) {
	plan, err := distplan.Build(st, distplan.Options{
		Workers:      max(len(workers), 1),
		Partitions:   values.Partitions(),
		Distributed:  distplan.Mode(values.Distributed()),
		JoinStrategy: distplan.JoinStrategy(values.JoinStrategy()),
		SmallBytes:   c.cfg.SmallBytes,

		OrderedEndpoints: values.OrderedEndpoints(),
	})
	if err != nil || len(workers) == 0 {
		return plan, nil, nil, err
	}
	// Plans of one task would all go to the first worker: they take turns. Others keep the order, so that a worker reads
	// the same part of a table each time, which its page cache likes.
	first := 0
	if len(plan.Stages) == 1 && plan.Root().Spread == distplan.SpreadSingle {
		first = int(c.turn.Add(1) % uint64(len(workers)))
	}
	choices := make([]schedule.Worker, len(workers))
	for i := range workers {
		w := workers[(first+i)%len(workers)]
		choices[i] = schedule.Worker{ID: w.ID, Threads: max(w.Threads, 1)}
	}
	assignment, err := schedule.Assign(plan, choices)
	return plan, assignment, choices, err
}

// packDirect writes down the root's tasks when the plan has one stage and each of them fits into a ticket.
func (c *Coordinator) packDirect(q *Query, placed *placedPlan) error {
	if len(placed.plan.Stages) != 1 || placed.kept {
		return nil
	}
	var specs []*pb.TaskSpec
	for t := range placed.assignment.Stages[0] {
		spec, err := c.taskSpec(q, dispatch{Dispatch: lifecycle.Dispatch{Task: ids.TaskIndex(t), Attempt: 1}, placed: placed})
		if err != nil {
			return err
		}
		if size(spec) > c.cfg.Limits.TicketTaskBytesMax {
			return nil
		}
		specs = append(specs, spec)
	}
	placed.direct = specs
	return nil
}

// shapeOf is the plan as the state machine sees it.
func (c *Coordinator) shapeOf(q *Query, placed *placedPlan) lifecycle.Shape {
	limits := &c.cfg.Limits
	shape := lifecycle.Shape{
		Direct: placed.direct != nil, Proxied: c.cfg.ProxyResults, Shared: c.cfg.Ledger != nil, Attempts: q.settings.TaskAttempts(),
		Deadline: placed.deadline, ResultTTL: limits.ResultTTL, FallbackMax: limits.FallbackMax, WorkerWaitMax: limits.WorkerWaitMax, StallMax: limits.StallMax,
		SpeculateAfter: limits.SpeculateAfter,
	}
	if placed.kept {
		shape.Kept, shape.ResultTTL = true, limits.SpoolTTL
		if q.rows {
			shape.ResultTTL = 0 // until its table goes
		}
	}
	for s := range placed.plan.Stages {
		shape.Stages = append(shape.Stages, placed.stageShape(ids.StageID(s)))
	}
	adaptive(placed, q.settings, &shape)
	return shape
}

func (p *placedPlan) stageShape(stage ids.StageID) lifecycle.StageShape {
	shape := lifecycle.StageShape{Indeterminate: p.plan.Stages[stage].Indeterminate}
	for _, input := range p.plan.Stages[stage].Inputs {
		shape.Inputs = append(shape.Inputs, input.From)
	}
	for _, task := range p.assignment.Stages[stage] {
		shape.Workers = append(shape.Workers, task.Worker)
	}
	return shape
}

const (
	// slotsMin and slotsOfThread say how many tasks of one query a worker runs at once. Tasks of one thread's worth of work
	// leave threads idle where they wait for a disk, and each has its own memory: enough of them, not all of a wide plan.
	slotsMin      = 4
	slotsOfThread = 2
)

// slotsOf is how many tasks of a query each worker gets at once.
func slotsOf(workers []member.Record) int {
	threads := 0
	for i, w := range workers {
		if n := w.Threads; i == 0 || n < threads {
			threads = n
		}
	}
	return max(slotsMin, slotsOfThread*threads)
}
