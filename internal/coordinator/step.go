package coordinator

import (
	"context"
	"time"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
)

// step feeds the state machine and does what it says.
func (q *Query) step(event lifecycle.Event) {
	q.mu.Lock()
	effects := q.apply(event)
	q.mu.Unlock()
	effects.run(q)
}

// effects are what is to be done after some steps, without the query's lock.
type effects struct {
	dispatches []dispatch
	abandons   []abandoned
	alarm      time.Time
	ended      bool
	settled    bool // nothing of the query runs any more, though it has not ended: its result is kept
	record     bool // another coordinator is to know what has changed
	release    []ids.WorkerID
	hooks      []func()
}

// A dispatch is a task to be sent to a worker, with what is written into it: the workers as the query knows them, and the
// attempts that it reads.
type dispatch struct {
	lifecycle.Dispatch
	placed  *placedPlan
	workers map[ids.WorkerID]member.Record
	states  [][]lifecycle.Task
}

// abandoned is an attempt that was given up, and where it is.
type abandoned struct {
	lifecycle.Abandon
	worker member.Record
}

// apply feeds the state machine; q.mu is held. The caller runs the effects after it gave the lock back.
func (q *Query) apply(events ...lifecycle.Event) effects {
	var e effects
	for _, event := range events {
		q.act(q.machine.Step(event), &e)
	}
	if !q.completed && q.machine.Complete() {
		q.completed = true
		close(q.ready)
		e.settled = q.work.plan != nil && q.work.plan.kept && !q.machine.Status().Final()
	}
	e.record = !e.ended && q.promise.made && q.promise.stale(q.mark())
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
	return e
}

func (q *Query) act(actions []lifecycle.Action, e *effects) {
	var states [][]lifecycle.Task
	for _, action := range actions {
		switch a := action.(type) {
		case lifecycle.Dispatch:
			if states == nil {
				states = q.machine.Stages()
			}
			e.dispatches = append(e.dispatches, dispatch{a, q.work.plan, q.work.workers, states})
		case lifecycle.Abandon:
			if worker, ok := q.work.workers[a.Worker]; ok {
				e.abandons = append(e.abandons, abandoned{a, worker})
			}
		case lifecycle.Ready:
			q.act(q.machine.Step(q.settleStage(a.Stage)), e)
			states = nil // there are other tasks now
		case lifecycle.Place:
			if err := q.place(a.Task); err != nil && !e.ended {
				// Placing fails only by a bug (a ticket that cannot be signed); the machine ends the query as for any error.
				q.act(q.machine.Step(lifecycle.Cancel{Cause: err, Now: q.c.cfg.Now()}), e)
			}
		case lifecycle.Alarm:
			e.alarm = a.At
		case lifecycle.End:
			e.ended, e.release = true, a.Release
			for _, hook := range q.onEnd {
				e.hooks = append(e.hooks, hook)
			}
			q.onEnd = nil
		}
	}
}

func (e *effects) run(q *Query) {
	if e.ended {
		for _, hook := range e.hooks {
			hook()
		}
		q.c.ended(q, e.release)
		return
	}
	if e.settled {
		q.c.settle(q)
	}
	if e.record {
		q.c.recordSoon(q)
	}
	for _, a := range e.abandons {
		q.c.abandon(q, a.Abandon, a.worker)
	}
	for _, d := range e.dispatches {
		q.c.dispatch(q, d)
	}
	if !e.alarm.IsZero() {
		q.c.wakeAt(q, e.alarm)
	}
}

// wakeAt tells the query the time when it asked for.
func (c *Coordinator) wakeAt(q *Query, at time.Time) {
	c.group.run(func(ctx context.Context) {
		timer := time.NewTimer(at.Sub(c.cfg.Now()))
		defer timer.Stop()
		select {
		case <-timer.C:
			q.step(lifecycle.Tick{Now: c.cfg.Now()})
		case <-q.done:
		case <-ctx.Done():
		}
	})
}
