package coordinator

import (
	"context"
	"sync"
	"time"
)

// A group owns goroutines: it hands them its context, and waits for all of them at the end.
type group struct {
	ctx    context.Context // the group's life, not a request's
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

func newGroup() *group {
	g := &group{}
	g.ctx, g.cancel = context.WithCancelCause(context.Background())
	return g
}

// run starts f; false when the group is closed, then f never runs.
func (g *group) run(f func(ctx context.Context)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.wg.Go(func() { f(g.ctx) })
	return true
}

// close ends the context with the cause and waits.
func (g *group) close(cause error) {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.cancel(cause)
	g.wg.Wait()
}

// drain waits for all goroutines, and ends their context with the cause if that takes longer than the timeout.
func (g *group) drain(timeout time.Duration, cause error) {
	timer := time.AfterFunc(timeout, func() { g.cancel(cause) })
	defer timer.Stop()
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.wg.Wait()
	g.cancel(cause)
}
