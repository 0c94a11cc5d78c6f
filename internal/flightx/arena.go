package flightx

import (
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sys/unix"
)

const (
	// Bodies from arenaBytesMin on live outside of the Go heap: on it they would double under the collector, and each would be
	// cleared before it is overwritten. Smaller ones are not worth a mapping.
	arenaBytesMin = 64 << 10
	// arenaKeepMax bounds what is kept for reuse when it is free, and arenaKeepFor how long: the system clears each page of a new
	// mapping, which costs more than the copy into it, and the next query's exchange is seldom far. What is kept is lent back to
	// the system meanwhile, which takes it when memory is short.
	arenaKeepMax = 1 << 30
	arenaKeepFor = 5 * time.Second
	// arenaRestFor is how long when the process rests.
	arenaRestFor = 500 * time.Millisecond
)

// bodies is where the bodies of received messages live.
var bodies arena

// An arena gives out memory mapped from the system, in sizes of powers of two; pages that are not touched cost nothing.
type arena struct {
	mu       sync.Mutex
	free     [bits.UintSize][]freed // guarded by mu; by class, the oldest first
	kept     int64                  // guarded by mu: bytes in free
	trimming bool                   // guarded by mu: a timer will look at free

	used atomic.Int64 // bytes given out
}

// freed is memory to be given out again.
type freed struct {
	whole []byte
	since time.Time
}

// get gives a buffer of some size whose content is anything. It goes back with its last reference.
func (a *arena) get(size int) *memory.Buffer {
	if size < arenaBytesMin {
		return memory.NewBufferBytes(make([]byte, size))
	}
	class := bits.Len(uint(size - 1))
	whole := a.take(class)
	if whole == nil {
		// The system has no mapping left, or no memory; the Go heap fails in its own way.
		return memory.NewBufferBytes(make([]byte, size))
	}
	a.used.Add(int64(len(whole)))
	r := &rented{arena: a, class: class, whole: whole}
	l := &lease{r}
	// Whoever forgets a reference leaves it to the collector, as with memory of the Go heap.
	runtime.AddCleanup(l, (*rented).give, r)
	return memory.NewBufferWithAllocator(whole[:size:size], l)
}

// rented is memory that goes back once.
type rented struct {
	arena *arena
	class int
	whole []byte
	given atomic.Bool
}

func (r *rented) give() {
	if !r.given.Swap(true) {
		r.arena.put(r.class, r.whole)
	}
}

// A lease is the allocator of one buffer. It only frees.
type lease struct{ rented *rented }

// Allocate implements memory.Allocator; it is never called, as the buffer does not grow.
func (l *lease) Allocate(int) []byte { return nil }

// Reallocate implements memory.Allocator; see Allocate.
func (l *lease) Reallocate(int, []byte) []byte { return nil }

// Free implements memory.Allocator.
func (l *lease) Free([]byte) { l.rented.give() }

// take gives memory of a class: what was freed last, or a new mapping.
func (a *arena) take(class int) []byte {
	a.mu.Lock()
	if list := a.free[class]; len(list) > 0 {
		whole := list[len(list)-1].whole
		list[len(list)-1] = freed{}
		a.free[class] = list[:len(list)-1]
		a.kept -= int64(len(whole))
		a.mu.Unlock()
		return whole
	}
	a.mu.Unlock()
	whole, err := unix.Mmap(-1, 0, 1<<class, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return whole
}

func (a *arena) put(class int, whole []byte) {
	a.used.Add(-int64(len(whole)))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept+int64(len(whole)) > arenaKeepMax {
		unmap(whole)
		return
	}
	lendBack(whole)
	a.free[class] = append(a.free[class], freed{whole, time.Now()})
	a.kept += int64(len(whole))
	if !a.trimming {
		a.trimming = true
		time.AfterFunc(arenaKeepFor, func() { a.trim(time.Now().Add(-arenaKeepFor)) })
	}
}

// trim drops what has been free since some time, and comes again as long as something is kept.
func (a *arena) trim(since time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop(since)
	a.trimming = a.kept > 0
	if a.trimming {
		time.AfterFunc(arenaKeepFor, func() { a.trim(time.Now().Add(-arenaKeepFor)) })
	}
}

// Rest frees what is kept for messages to come, and reports whether no message is held: for when there is nothing else to do.
func Rest() bool { return bodies.rest(time.Now().Add(-arenaRestFor)) }

func (a *arena) rest(since time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop(since)
	return a.kept == 0 && a.used.Load() == 0
}

// drop unmaps what has been free since some time. It needs mu held.
func (a *arena) drop(since time.Time) {
	for class, list := range a.free {
		n := 0
		for n < len(list) && !list[n].since.After(since) {
			unmap(list[n].whole)
			a.kept -= int64(len(list[n].whole))
			n++
		}
		a.free[class] = append(list[:0], list[n:]...)
		clear(list[len(list)-n:])
	}
}

func unmap(b []byte) { _ = unix.Munmap(b) } // fails for wrong arguments only
