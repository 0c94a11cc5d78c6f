package plandb

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// interruptEvery is the pause between two interrupts of a call that was left behind: one interrupt may come before the
// call looks for it.
const interruptEvery = 20 * time.Millisecond

// Config of a Pool.
type Config struct {
	// InstancesMax is the number of instances alive at once, those left behind included; default 4. Each takes some 10 MB
	// and, while planning, a core.
	InstancesMax int
}

// A Pool hands out instances. Safe for concurrent use.
type Pool struct {
	slots chan struct{}
	wg    sync.WaitGroup
	once  sync.Once
	done  chan struct{} // closed by Close

	mu     sync.Mutex
	idle   []*Instance // GUARDED_BY mu
	closed bool        // GUARDED_BY mu
}

// NewPool returns an empty pool.
func NewPool(cfg Config) *Pool {
	if cfg.InstancesMax <= 0 {
		cfg.InstancesMax = 4
	}
	return &Pool{slots: make(chan struct{}, cfg.InstancesMax), done: make(chan struct{})}
}

// Get returns an instance for a snapshot version over the given catalogs (the first is the default). It waits for a free
// one until ctx ends. Idle instances of other versions are closed to make room.
func (p *Pool) Get(ctx context.Context, version string, catalogs []string) (*Instance, error) {
	select {
	case p.slots <- struct{}{}:
	case <-p.done:
		return nil, errClosed()
	case <-ctx.Done():
		return nil, qerr.Wrap(qerr.Resource, "wait for a planning database", context.Cause(ctx))
	}
	key := version + "\x00" + strings.Join(catalogs, "\x00")
	in, old, err := p.take(key)
	for _, o := range old {
		o.close()
	}
	if err != nil {
		<-p.slots
		return nil, err
	}
	if in != nil {
		return in, nil
	}
	in, err = open()
	if err == nil {
		if err = in.setup(catalogs); err != nil {
			in.close()
		}
	}
	if err != nil {
		<-p.slots
		return nil, err
	}
	in.version = key
	return in, nil
}

// take finds an idle instance of the version, and the idle ones of other versions, which the caller closes.
func (p *Pool) take(key string) (in *Instance, old []*Instance, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, errClosed()
	}
	for i := len(p.idle) - 1; i >= 0; i-- {
		if o := p.idle[i]; o.version == key {
			p.idle = slices.Delete(p.idle, i, i+1)
			return o, nil, nil
		}
	}
	// Instances of other versions die only when one of this version is missing: an old snapshot still in use by a
	// few sessions does not fight with the new one over a single idle instance.
	old, p.idle = p.idle, nil
	return nil, old, nil
}

// Put gives an instance back for reuse. One that met an internal error is closed instead.
func (p *Pool) Put(in *Instance) {
	defer func() { <-p.slots }()
	p.mu.Lock()
	keep := !p.closed && !in.broken
	if keep {
		p.idle = append(p.idle, in)
	}
	p.mu.Unlock()
	if !keep {
		in.close()
	}
}

// Do runs f over an instance and gives the instance back. When ctx ends before f does, Do returns the context's cause at
// once; f is interrupted, and its instance closed as soon as it comes back, behind the scenes. f must not write to
// anything its caller reads after an error.
func (p *Pool) Do(ctx context.Context, in *Instance, f func() error) error {
	done := make(chan error, 1)
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		done <- f()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	// The slot stays taken until the call is back: see invariant 3.
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		tick := time.NewTicker(interruptEvery)
		defer tick.Stop()
		for {
			select {
			case <-done: //nolint:errcheck // what it came to interests nobody any more
				in.broken = true
				p.Put(in)
				return
			case <-tick.C:
				in.interrupt()
			}
		}
	}()
	return &Abandoned{Cause: context.Cause(ctx)}
}

// Abandoned is Do's error when the context ended first: the instance is gone, the caller must not Put it.
type Abandoned struct{ Cause error }

// Error implements error.
func (a *Abandoned) Error() string { return "left behind: " + a.Cause.Error() }

// Unwrap returns the context's cause.
func (a *Abandoned) Unwrap() error { return a.Cause }

func errClosed() error { return qerr.New(qerr.Unavailable, "the planner is closed") }

// Close closes the idle instances and waits for those in use; idempotent.
func (p *Pool) Close() {
	p.once.Do(func() {
		close(p.done)
		p.mu.Lock()
		idle := p.idle
		p.idle, p.closed = nil, true
		p.mu.Unlock()
		for _, in := range idle {
			in.close()
		}
		p.wg.Wait()
		for range cap(p.slots) { // Every slot taken means that no instance is out.
			p.slots <- struct{}{}
		}
	})
}
