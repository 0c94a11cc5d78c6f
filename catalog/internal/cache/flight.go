package cache

import (
	"context"
	"errors"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// ErrClosed is what waiters get when the owner of a load has been closed.
var ErrClosed = errors.New("closed")

// A Group runs functions by key, each once for all who ask while it runs. The zero value is not usable; see NewGroup.
type Group[K comparable, V any] struct {
	mu     sync.Mutex
	calls  map[K]*call[V]
	closed bool
	wg     sync.WaitGroup
}

type call[V any] struct {
	waiters int
	cancel  context.CancelCauseFunc
	done    chan struct{}
	value   V
	err     error
}

// NewGroup returns an empty group, to be closed by its owner.
func NewGroup[K comparable, V any]() *Group[K, V] {
	return &Group[K, V]{calls: map[K]*call[V]{}}
}

// Do returns what run returned: this call's, or that of a run for the key that is under way. run gets a context that
// carries the values of the first caller's but ends only when every waiter has gone or the group is closed.
func (g *Group[K, V]) Do(ctx context.Context, key K, run func(context.Context) (V, error)) (V, error) {
	var none V
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return none, ErrClosed
	}
	c := g.calls[key]
	if c == nil {
		runCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		c = &call[V]{cancel: cancel, done: make(chan struct{})}
		g.calls[key] = c
		g.wg.Go(func() { g.run(runCtx, key, c, run) })
	}
	c.waiters++
	g.mu.Unlock()

	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		g.leave(key, c)
		return none, context.Cause(ctx)
	}
}

func (g *Group[K, V]) run(ctx context.Context, key K, c *call[V], run func(context.Context) (V, error)) {
	defer c.cancel(nil)
	c.value, c.err = guarded(ctx, run)
	g.mu.Lock()
	g.forget(key, c)
	g.mu.Unlock()
	close(c.done)
}

// guarded turns a panic into an error: this goroutine has no caller that could, and the process serves others.
func guarded[V any](ctx context.Context, run func(context.Context) (V, error)) (value V, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = qerr.New(qerr.Internal, "panic: %v", cause)
		}
	}()
	return run(ctx)
}

// leave counts a waiter out, and ends a run that nobody waits for. Later callers start a new one.
func (g *Group[K, V]) leave(key K, c *call[V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.waiters--; c.waiters == 0 {
		c.cancel(context.Canceled)
		g.forget(key, c)
	}
}

// forget removes the call unless another one took its place; mu is held.
func (g *Group[K, V]) forget(key K, c *call[V]) {
	if g.calls[key] == c {
		delete(g.calls, key)
	}
}

// Close ends all runs and waits for them; Do fails with ErrClosed from then on. Closing twice is harmless.
func (g *Group[K, V]) Close() {
	g.mu.Lock()
	g.closed = true
	for _, c := range g.calls {
		c.cancel(ErrClosed)
	}
	g.mu.Unlock()
	g.wg.Wait()
}
