package main

import (
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/arbalest-sql/arbalest/internal/duck"
)

const (
	// restEvery is how often a process looks whether it rests: with less than restShare of a core since it looked last.
	restEvery = 250 * time.Millisecond
	restShare = 0.1
	// restAfter is the processor time after which there is enough to give back for it to be worth some milliseconds.
	restAfter = 100 * time.Millisecond
)

// rest returns memory to the system that was freed and kept for later, once the process has worked and then has nothing to do: three
// allocators (Go's, the C library's, the engine's) would otherwise each keep the most that they ever needed.
func (n *node) rest() {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(restEvery)
		defer tick.Stop()
		last := processorTime()
		rested := last
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			now := processorTime()
			if quiet := now-last < time.Duration(restShare*float64(restEvery)); quiet && now-rested > restAfter {
				debug.FreeOSMemory()
				duck.GiveBack()
				now = processorTime()
				rested = now
			}
			last = now
		}
	}()
	n.onClose(func() error { close(stop); <-done; return nil })
}

// processorTime is what the process has used so far; 0 when the system does not say.
func processorTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
