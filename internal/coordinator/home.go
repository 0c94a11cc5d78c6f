package coordinator

import (
	"context"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Home finds where the sessions are that a life of a coordinator began: here, or at the place. It waits while that life's queries are
// being taken over. Without a ledger nobody knows of the sessions of others, so that those are over: Unauthenticated.
func (c *Coordinator) Home(ctx context.Context, life string) (here bool, at Place, err error) {
	if life == c.cfg.ID {
		if c.fallen.Load() {
			return false, Place{}, errFallen
		}
		return true, Place{}, nil
	}
	if c.cfg.Ledger == nil || life == "" {
		return false, Place{}, qerr.New(qerr.Unauthenticated,
			"the session is one of another coordinator, or of this one before it was started again, and its options are gone; connect again")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, successionWait, errLost)
	defer cancel()
	for {
		version, lives := c.cfg.Ledger.Lives()
		owner, _ := ownerOf(lives, life)
		at, live := lives.Live[owner]
		_, fell := lives.Fallen[life]
		switch {
		case c.fallen.Load():
			return false, Place{}, errFallen
		case owner == c.cfg.ID:
			return true, Place{}, nil
		case live:
			return false, Place{Life: at.ID, Address: at.Address, TLS: at.TLS}, nil
		case !fell:
			// It is gone, perhaps for so long that nobody here has known it: from now on its sessions are somebody's.
			if _, err := c.cfg.Ledger.Succeed(ctx, life); err != nil {
				return false, Place{}, qerr.Wrap(qerr.Unavailable, "find the session's coordinator", err)
			}
		}
		if err := c.cfg.Ledger.WaitLives(ctx, version); err != nil {
			return false, Place{}, qerr.Wrap(qerr.Unavailable, "find the session's coordinator", err)
		}
	}
}

// errSucceeded ends calls to a coordinator that is gone.
var errSucceeded = qerr.New(qerr.Unavailable, "the session's coordinator is gone; another one goes on with the session, so send the statement again")

// While is ctx for as long as another coordinator lives: one that hangs answers nothing, and closes no connection. stop ends what
// watches it.
func (c *Coordinator) While(ctx context.Context, at Place) (while context.Context, stop func()) {
	while, cancel := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		for while.Err() == nil {
			version, lives := c.cfg.Ledger.Lives()
			if _, live := lives.Live[at.Life]; !live {
				cancel(errSucceeded)
			} else if c.cfg.Ledger.WaitLives(while, version) != nil {
				return
			}
		}
	})
	return while, func() { cancel(nil); watch.Wait() }
}
