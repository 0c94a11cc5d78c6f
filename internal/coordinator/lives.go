package coordinator

import (
	"context"
	"slices"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// livesInterval is how often records without a living owner are looked for: those of coordinators that this one never saw
	// listed, since all of them were away.
	livesInterval = 15 * time.Second
	// succeedPause is between two tries to succeed a coordinator.
	succeedPause = 500 * time.Millisecond
	// fallsTold bounds the fallen coordinators that a worker is told of when it is watched.
	fallsTold = 256
)

// errFallen is what a coordinator answers whose queries another one has taken over.
var errFallen = qerr.New(qerr.Unavailable, "this coordinator was taken for dead, and another one goes on with its queries; poll them there, or send the statement again")

// followLives watches the other coordinators, succeeds those that are gone, and notices the own fall.
func (c *Coordinator) followLives(ctx context.Context) {
	known, gone := map[string]bool{}, map[string]bool{}
	swept := time.Time{}
	for ctx.Err() == nil {
		version, lives := c.cfg.Ledger.Lives()
		if _, fell := lives.Fallen[c.cfg.ID]; fell {
			c.fall(errFallen)
			return
		}
		for id := range known {
			if _, live := lives.Live[id]; !live {
				gone[id] = true
			}
		}
		clear(known)
		for id := range lives.Live {
			known[id] = true
		}
		for id, f := range lives.Fallen {
			if _, live := lives.Live[f.Successor]; !f.Done && (!live || f.Successor == c.cfg.ID) {
				gone[id] = true // its successor fell before it was done
			}
		}
		if time.Since(swept) >= livesInterval {
			if owners, err := c.cfg.Ledger.Owners(ctx); err == nil {
				swept = time.Now()
				for _, id := range owners {
					if !known[id] && id != c.cfg.ID {
						gone[id] = true
					}
				}
			}
		}
		delete(gone, c.cfg.ID)
		wait := livesInterval
		if c.registry.isClosed() { // it is going itself: another one's, or the next one's to find
			clear(gone)
		}
		for id := range gone {
			if err := c.succeed(ctx, id); err != nil {
				c.cfg.Log.Warn().Err(err).Str("coordinator", id).Msg("could not succeed a coordinator that is gone; trying again")
				wait = succeedPause
				continue
			}
			delete(gone, id)
		}
		waiting, cancel := context.WithTimeout(ctx, wait)
		if err := c.cfg.Ledger.WaitLives(waiting, version); err != nil && waiting.Err() == nil {
			cancel()
			return // the membership is closed
		}
		cancel()
	}
}

// fall is the end of this life: its queries are another one's. It refuses everything, and tells the workers nothing.
func (c *Coordinator) fall(why error) {
	if c.fallen.Swap(true) {
		return
	}
	c.cfg.Log.Error().Err(why).Str("coordinator", c.cfg.ID).Msg("another coordinator has taken over the queries of this one")
	c.registry.close()
	for _, q := range c.registry.live() {
		q.Cancel(errFallen)
	}
	c.group.run(func(context.Context) { c.cfg.Fallen(errFallen) })
}

// Fallen reports whether another coordinator has taken over.
func (c *Coordinator) Fallen() bool { return c.fallen.Load() }

// settledFalls are the fallen coordinators of which nobody wants anything any more.
func (c *Coordinator) settledFalls() (ids []string) {
	if c.cfg.Ledger == nil {
		return nil
	}
	_, lives := c.cfg.Ledger.Lives()
	for id, f := range lives.Fallen {
		if f.Done && len(ids) < fallsTold {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
