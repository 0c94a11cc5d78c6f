package coordinator

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// ledgerPause is how long no record is written after the store did not answer: queries then end with their coordinator,
	// and do not wait for it each.
	ledgerPause = 5 * time.Second
	// forgetTries and forgetPause say how often the removal of a record is tried: an election takes a second or two. What is
	// left is found by the successor of this coordinator.
	forgetTries = 10
	forgetPause = 3 * time.Second
)

// A promise is that a query outlives its coordinator, once a client knows of it. The fields but writing are guarded by Query.mu.
type promise struct {
	made    bool
	pending bool // a write is about to happen
	// written is the newest mark of a record that was stored; 0 for none.
	written int
	// never: the query cannot be handed over.
	never bool

	writing sync.Mutex // held for a whole write, so that a newer record is never replaced by an older one
	stored  bool       // there may be a record; guarded by writing
}

// stale reports whether a record of a promised query must be written, since more has happened than the last one tells; the
// query's mu is held.
func (p *promise) stale(mark int) bool {
	if p.never || p.pending || mark <= p.written {
		return false
	}
	p.pending = true
	return true
}

// mark grows with what is worth a new record: stages that have finished, endpoints, changes of the plan; mu is held. It is 0
// while there is nothing to hand over.
func (q *Query) mark() int {
	if q.work.plan == nil || q.work.plan.plan == nil || q.machine.Status() != lifecycle.Running {
		return 0
	}
	return 1 + q.machine.StagesDone() + len(q.endpoints) + len(q.notes)
}

// Promise is to be called before a client is told of the query: from then on another coordinator goes on with it should this one
// die. It returns when everything that State told before is safe with the others, or cannot be: the query then ends with its
// coordinator. The error says that this coordinator has fallen itself, so that nothing may be told any more.
func (q *Query) Promise(ctx context.Context) error {
	if q.c.cfg.Ledger == nil {
		return nil
	}
	q.mu.Lock()
	mark := q.mark()
	q.promise.made = true
	wanted := mark > q.promise.written && !q.promise.never
	q.mu.Unlock()
	if wanted {
		ctx, cancel := context.WithTimeout(ctx, q.c.cfg.Limits.RecordWait)
		defer cancel()
		q.c.record(ctx, q)
	}
	if q.c.fallen.Load() {
		return errFallen
	}
	return nil
}

// recordSoon writes a query's record in a goroutine of its own.
func (c *Coordinator) recordSoon(q *Query) {
	started := c.group.run(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, c.cfg.Limits.RecordWait) // a FlightInfo may wait for it to end
		defer cancel()
		c.record(ctx, q)
	})
	if !started {
		q.mu.Lock()
		q.promise.pending = false
		q.mu.Unlock()
	}
}

// record stores what another coordinator needs to go on with a query, as it is now.
func (c *Coordinator) record(ctx context.Context, q *Query) {
	q.promise.writing.Lock()
	defer q.promise.writing.Unlock()
	q.mu.Lock()
	q.promise.pending = false
	mark := q.mark()
	if mark <= q.promise.written || q.promise.never {
		q.mu.Unlock()
		return
	}
	s := q.snapshot()
	q.mu.Unlock()
	if !s.lasting() {
		q.neverRecorded()
		return
	}
	if c.cfg.Now().UnixMilli() < c.ledgerAway.Load() {
		return
	}
	record, err := c.recordOf(q, s)
	if err == nil {
		q.promise.stored = true // a write that was not answered may have happened
		err = c.cfg.Ledger.Put(ctx, record)
	}
	switch {
	case err == nil:
		q.mu.Lock()
		q.promise.written = mark
		q.mu.Unlock()
	case qerr.Is(err, qerr.Fenced):
		c.fall(err)
	case qerr.Is(err, qerr.Resource), qerr.Is(err, qerr.Internal):
		q.neverRecorded()
		c.cfg.Log.Info().Err(err).Str("query", string(q.id)).Msg("the query cannot be handed over: it ends with this coordinator")
	default:
		c.ledgerAway.Store(c.cfg.Now().Add(ledgerPause).UnixMilli())
		c.cfg.Log.Warn().Err(err).Str("query", string(q.id)).Msg("the query's record could not be written: it ends with this coordinator")
	}
}

func (q *Query) neverRecorded() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.promise.never = true
}

// lasting reports whether a query can go on without this coordinator: tickets of the fast path need nobody, and temporary
// tables are here.
func (s *snapshot) lasting() bool {
	if s.placed.direct != nil {
		return false
	}
	for _, stage := range s.placed.plan.Stages {
		for _, scan := range stage.Scans {
			if scan.Table.Format == frontend.Temporary {
				return false
			}
		}
	}
	return true
}

// forgetRecord removes the record of a query that has ended.
func (c *Coordinator) forgetRecord(q *Query) {
	q.mu.Lock()
	made := q.promise.made
	q.promise.never = true
	q.mu.Unlock()
	if c.cfg.Ledger == nil || !made || c.fallen.Load() {
		return
	}
	c.releaseCalls.run(func(ctx context.Context) {
		q.promise.writing.Lock()
		defer q.promise.writing.Unlock()
		if !q.promise.stored {
			return
		}
		for range forgetTries {
			err := c.cfg.Ledger.Delete(ctx, q.id)
			if err == nil || qerr.Is(err, qerr.Fenced) || ctx.Err() != nil {
				return
			}
			select {
			case <-time.After(forgetPause):
			case <-ctx.Done():
				return
			}
		}
		c.cfg.Log.Warn().Str("query", string(q.id)).Msg("the record of an ended query could not be removed")
	})
}

// throughCoordinator reports whether an endpoint can be read only through a coordinator.
func throughCoordinator(e Endpoint) bool {
	return !slices.ContainsFunc(e.Locations, func(l string) bool { return l != reuseConnection })
}
