package flightx

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

func TestArenaReusesAndTrims(t *testing.T) {
	var a arena
	b := a.get(3 << 20)
	if b.Len() != 3<<20 || a.used.Load() != 4<<20 {
		t.Fatalf("%d bytes, %d in use", b.Len(), a.used.Load())
	}
	first := &b.Bytes()[0]
	part := memory.SliceBuffer(b, 1<<20, 10)
	b.Release()
	if a.used.Load() == 0 {
		t.Fatal("memory went back under a slice of it")
	}
	part.Release()
	if a.used.Load() != 0 || a.kept != 4<<20 {
		t.Fatalf("%d in use, %d kept", a.used.Load(), a.kept)
	}
	if again := a.get(4 << 20); &again.Bytes()[0] != first {
		t.Error("free memory was not used again")
	} else {
		again.Release()
	}
	a.trim(time.Now().Add(-time.Hour))
	if a.kept != 4<<20 {
		t.Errorf("%d kept though nothing is old", a.kept)
	}
	a.trim(time.Now())
	if a.kept != 0 {
		t.Errorf("%d kept", a.kept)
	}
	held := a.get(3 << 20)
	if a.rest(time.Now()) {
		t.Error("at rest with a buffer in use")
	}
	held.Release()
	if a.rest(time.Now().Add(-time.Hour)) || a.kept != 4<<20 {
		t.Errorf("at rest, with %d kept that were freed just now", a.kept)
	}
	if !a.rest(time.Now()) || a.kept != 0 {
		t.Errorf("not at rest, with %d kept", a.kept)
	}
	small := a.get(100)
	if small.Len() != 100 || a.used.Load() != 0 {
		t.Error("a small buffer was mapped")
	}
}

func TestArenaKeepsNoMoreThanItsLimit(t *testing.T) {
	var a arena
	var all []*memory.Buffer
	for range arenaKeepMax/(64<<20) + 2 {
		all = append(all, a.get(64<<20))
	}
	for _, b := range all {
		b.Release()
	}
	if a.kept != arenaKeepMax {
		t.Errorf("%d kept", a.kept)
	}
	a.trim(time.Now())
}

// TestArenaForgottenBuffers leaves the last reference to the collector, and gives each piece of memory back once only.
func TestArenaForgottenBuffers(t *testing.T) {
	var a arena
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 50 {
				b := a.get(100 << 10)
				b.Bytes()[0] = byte(i)
				if i%2 == 0 {
					b.Release()
				}
			}
		})
	}
	group.Wait()
	for end := time.Now().Add(30 * time.Second); a.used.Load() != 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		runtime.GC()
	}
	if used := a.used.Load(); used != 0 {
		t.Errorf("%d bytes are still in use", used)
	}
	a.trim(time.Now())
}
