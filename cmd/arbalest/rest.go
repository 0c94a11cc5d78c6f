package main

import (
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
)

const (
	// restEvery is how often a process looks whether it rests: with less than restShare of a core since it looked last.
	restEvery = 250 * time.Millisecond
	restShare = 0.1
	// restAfter is the processor time after which there is enough to give back for it to be worth some milliseconds.
	restAfter = 100 * time.Millisecond
	// deepRest is how often in a row a process is found quiet before it gives back once more, and before restLittle is enough: small
	// work, a look at its metrics among it, leaves a few megabytes, and nobody is about to need them again.
	deepRest   = 4
	restLittle = 10 * time.Millisecond
)

// rest lets the process free what it keeps of finished work, and return memory to the system that was freed and kept for later, once
// it has worked and then has nothing to do: three allocators (Go's, the C library's, the engine's) would otherwise each keep the most
// that they ever needed.
func (n *node) rest() {
	n.onRest(flightx.Rest)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(restEvery)
		defer tick.Stop()
		r := newRester(processorTime, n.free, func() {
			debug.FreeOSMemory()
			duck.GiveBack()
		})
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				r.look()
			}
		}
	}()
	n.onClose(func() error { close(stop); <-done; return nil })
}

// parts are the functions by which parts of a process free what they keep of finished work. Each leaves alone what is in use, and
// reports whether nothing was.
type parts struct {
	mu  sync.Mutex
	all []func() bool // GUARDED_BY mu
}

// onRest registers a part. It may still be asked after it was closed.
func (n *node) onRest(f func() bool) {
	n.parts.mu.Lock()
	defer n.parts.mu.Unlock()
	n.parts.all = append(n.parts.all, f)
}

// free asks all parts, and reports whether none had anything in use.
func (n *node) free() (whole bool) {
	n.parts.mu.Lock()
	defer n.parts.mu.Unlock()
	whole = true
	for _, f := range n.parts.all {
		whole = f() && whole
	}
	return whole
}

// A rester decides when a process rests.
type rester struct {
	used     func() time.Duration // processor time so far
	free     func() bool          // see node.free
	giveBack func()

	last   time.Duration // used when it looked last
	rested time.Duration // used when it gave back last
	whole  bool          // nothing was in use when parts were asked last
	early  bool          // it gave back last before it had been quiet for long
	quiet  int           // how often in a row it was found quiet
}

func newRester(used func() time.Duration, free func() bool, giveBack func()) *rester {
	now := used()
	return &rester{used: used, free: free, giveBack: giveBack, last: now, rested: now, whole: true}
}

// look is called every restEvery. A part that was in use, by a client that reads slowly perhaps, is asked again each time that the
// process is quiet, and what it freed goes back then. What was given back at once is given back again after deepRest: pools of Go let go
// of their values, and cleanups of what a collection found have run, only by the next one; connections have closed meanwhile.
func (r *rester) look() {
	now := r.used()
	if now-r.last < time.Duration(restShare*float64(restEvery)) {
		r.quiet++
	} else {
		r.quiet = 0
	}
	deep := r.quiet >= deepRest
	worked := now-r.rested > restAfter || deep && (r.early || now-r.rested > restLittle)
	if r.quiet > 0 && (worked || !r.whole) {
		if r.whole = r.free(); r.whole || worked {
			r.giveBack()
			now = r.used()
			r.rested, r.early = now, !deep
		}
	}
	r.last = now
}

// processorTime is what the process has used so far; 0 when the system does not say.
func processorTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
