package coordinator

import (
	"context"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// releases knows which ends of queries are being told to which workers.
type releases struct {
	mu sync.Mutex
	// underWay says of each whether it must be told once more: something may have reached the worker after the call that
	// is under way.
	underWay map[releaseKey]bool
}

type releaseKey struct {
	worker ids.WorkerID
	query  ids.QueryID
}

// begin reports whether the caller is to tell; otherwise who tells already does so once more.
func (r *releases) begin(key releaseKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.underWay[key]; ok {
		r.underWay[key] = true
		return false
	}
	if r.underWay == nil {
		r.underWay = map[releaseKey]bool{}
	}
	r.underWay[key] = false
	return true
}

// isUnderWay reports whether the worker is being told.
func (r *releases) isUnderWay(key releaseKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.underWay[key]
	return ok
}

// told reports whether the worker must be told once more.
func (r *releases) told(key releaseKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	again := r.underWay[key]
	if again {
		r.underWay[key] = false
	} else {
		delete(r.underWay, key)
	}
	return again
}

func (r *releases) giveUp(key releaseKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.underWay, key)
}

func (r *releases) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.underWay)
}

// release tells a worker that a query has ended and why (nil: it was read). It is tried until the worker answered, for
// ReleaseTimeout at most; a worker that is away is told when it comes back.
func (c *Coordinator) release(worker member.Record, query ids.QueryID, why error) {
	if c.fallen.Load() { // it is another one's to end, and workers would refuse
		return
	}
	link, key := c.links.find(worker.ID), releaseKey{worker.ID, query}
	if link == nil {
		c.owe(worker, query, why)
		return
	}
	if link.record.Incarnation != worker.Incarnation { // gone with all it held
		return
	}
	if !c.releases.begin(key) {
		return
	}
	if !c.releaseCalls.run(func(ctx context.Context) { c.tellEnd(ctx, link, key, why) }) {
		c.releases.giveUp(key)
	}
}

func (c *Coordinator) tellEnd(ctx context.Context, link *link, key releaseKey, why error) {
	calls, cancel := context.WithTimeout(ctx, c.cfg.Limits.ReleaseTimeout)
	defer cancel()
	away := false
	defer func() {
		c.releases.giveUp(key)
		if away {
			c.owe(link.record, key.query, why)
		}
	}()
	for pause := createPause; ; pause = min(2*pause, c.cfg.Limits.CallTimeout) {
		err := c.releaseOnce(calls, link.record, key.query, why)
		if qerr.Is(err, qerr.Fenced) && c.fallen.Load() {
			return
		}
		if err == nil {
			if c.releases.told(key) {
				continue
			}
			return
		}
		c.cfg.Log.Warn().Err(err).Str("worker", string(key.worker)).Str("query", string(key.query)).Msg("could not tell a query's end; trying again")
		select {
		case <-time.After(pause):
		case <-link.gone:
			away = true
			return
		case <-calls.Done():
			away = ctx.Err() == nil
			return
		}
	}
}

func (c *Coordinator) releaseOnce(ctx context.Context, worker member.Record, query ids.QueryID, why error) error {
	return c.sendRelease(ctx, worker, &pb.ReleaseRequest{QueryId: string(query), Cause: grpcerr.ToProto(why)})
}

func (c *Coordinator) sendRelease(ctx context.Context, worker member.Record, request *pb.ReleaseRequest) error {
	client, err := c.tasks(worker)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Limits.CallTimeout)
	defer cancel()
	request.CoordinatorId = c.cfg.ID
	_, err = client.Release(ctx, request)
	return grpcerr.FromStatus(err)
}
