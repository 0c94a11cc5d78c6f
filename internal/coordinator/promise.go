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
	// promisePause is after how long a client should ask again that cannot be told.
	promisePause = time.Second
	// forgetTries and forgetPause say how often the removal of a record is tried: an election takes a second or two. What is
	// left is found by the successor of this coordinator.
	forgetTries = 10
	forgetPause = 3 * time.Second
)

// A promise is that a query outlives its coordinator, once a client knows of it. The fields but writing are guarded by Query.mu.
type promise struct {
	made    bool
	pending bool // a write is about to happen
	// written is what the newest record that was stored tells.
	written mark
	// least is one more than the fewest endpoints that a record which may be stored tells of; 0 when there can be none. A write
	// that was not answered may have happened.
	least int
	// never: the query cannot be handed over.
	never bool

	writing sync.Mutex // held for a whole write, so that a newer record is never replaced by an older one
}

// A mark is what of a query is worth a new record: stages that have finished, or whose output was lost again, endpoints, changes of the
// plan. The zero value is that of a query that cannot be handed over, as it does not run.
type mark struct {
	runs                     bool
	stages, endpoints, notes int
}

// mark is the query's now; mu is held.
func (q *Query) mark() mark {
	if q.work.plan == nil || q.work.plan.plan == nil || q.machine.Status() != lifecycle.Running {
		return mark{}
	}
	return mark{true, q.machine.StagesDone(), len(q.endpoints), len(q.notes)}
}

// wants reports whether the stored record does not tell this; the query's mu is held.
func (p *promise) wants(now mark) bool { return now.runs && now != p.written && !p.never }

// stale is wants for who will write in a while; the query's mu is held.
func (p *promise) stale(now mark) bool {
	if p.pending || !p.wants(now) {
		return false
	}
	p.pending = true
	return true
}

// Promise is to be called before a client is told of the query: from then on another coordinator goes on with it should this one
// die. It returns when everything that State told before is safe with the others, or cannot be: the query then ends with its
// coordinator. An error says that the client may not be told: another coordinator has taken over, or would go on with less than the
// client knew, as an older record is stored and can be neither replaced nor removed.
func (q *Query) Promise(ctx context.Context) error {
	if q.c.cfg.Ledger == nil {
		return nil
	}
	q.mu.Lock()
	q.promise.made = true
	wanted, endpoints := q.promise.wants(q.mark()), len(q.endpoints)
	q.mu.Unlock()
	if wanted {
		// A write is not broken off by a client that goes away: it would count as the store's fault.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.c.cfg.Limits.RecordWait)
		defer cancel()
		q.c.record(ctx, q)
	}
	if q.c.fallen.Load() {
		return errFallen
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if least := q.promise.least; least > 0 && least <= endpoints {
		return &qerr.Error{Kind: qerr.Unavailable, RetryAfter: promisePause,
			Msg: "what has become of the query cannot be written down for other coordinators at the moment; ask for it again"}
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
	now := q.mark()
	if !q.promise.wants(now) {
		q.mu.Unlock()
		return
	}
	s, before := q.snapshot(), q.promise.least
	q.promise.never = !s.lasting()
	away := c.cfg.Now().UnixMilli() < c.ledgerAway.Load()
	if before == 0 && !q.promise.never && !away {
		q.promise.least = now.endpoints + 1
	}
	q.mu.Unlock()
	if !s.lasting() || away {
		return
	}
	record, err := c.recordOf(q, s)
	if err == nil {
		err = c.cfg.Ledger.Put(ctx, record)
	}
	if qerr.Is(err, qerr.Resource) || qerr.Is(err, qerr.Internal) { // nothing was written
		c.cfg.Log.Info().Err(err).Str("query", string(q.id)).Msg("the query cannot be handed over: it ends with this coordinator")
		if before > 0 {
			err = c.cfg.Ledger.Delete(ctx, q.id)
		} else {
			err = nil
		}
		if err == nil {
			q.recorded(mark{}, 0)
			return
		}
	}
	switch {
	case err == nil:
		q.recorded(now, now.endpoints+1)
	case qerr.Is(err, qerr.Fenced):
		c.fall(err)
	default:
		c.ledgerAway.Store(c.cfg.Now().Add(ledgerPause).UnixMilli())
		c.cfg.Log.Warn().Err(err).Str("query", string(q.id)).Msg("the query's record could not be written: it ends with this coordinator")
	}
}

// recorded notes what the stored record tells; the zero mark says that there is none, and never will be.
func (q *Query) recorded(written mark, least int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.promise.written, q.promise.least, q.promise.never = written, least, q.promise.never || !written.runs
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
		q.mu.Lock()
		stored := q.promise.least > 0
		q.mu.Unlock()
		if !stored {
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
