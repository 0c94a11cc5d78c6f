package distplan_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	smallWorkers = 40
	smallFiles   = 4 * smallWorkers
	// growth is by how much workers and files grow together; linear planning takes growth times the processor time, and
	// quadratic growth².
	growth = 32
	// growthMax is what is let pass.
	growthMax = 2 * growth
	// growthRounds are measured, and the fastest counts: what else the machine does only adds.
	growthRounds = 5
)

// TestPlanningGrowsLinearly: planning for more workers over as many more files takes about as many times the processor time.
// It compares the program with itself, and processor time of one thread, so that it does not matter how fast or how busy
// the machine is.
func TestPlanningGrowsLinearly(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			small, large := s.ready(t, smallFiles, smallWorkers), s.ready(t, smallFiles*growth, smallWorkers*growth)
			before, after := time.Duration(1<<62), time.Duration(1<<62)
			for range growthRounds {
				before = min(before, processorTime(t, func() { small.plan(t) }))
				after = min(after, processorTime(t, func() { large.plan(t) }))
			}
			t.Logf("%.1f times, for %d times the workers and files", float64(after)/float64(before), growth)
			if after > growthMax*before {
				t.Errorf("%v for %d workers, %v for %d times as many workers and files", before, smallWorkers, after, growth)
			}
		})
	}
}

// manyFiles is the largest table that planning is held to.
const manyFiles = 10_000

// BenchmarkPlanWorkers plans over ten thousand files for ever more workers: build is distplan alone, all also assigns. It
// tells processor time too, which other work on a machine hardly changes.
func BenchmarkPlanWorkers(b *testing.B) {
	for _, s := range shapes {
		for _, workers := range []int{10, 100, 1000} {
			p := s.ready(b, manyFiles, workers)
			for name, f := range map[string]func(){"build": func() { p.build(b) }, "all": func() { p.plan(b) }} {
				b.Run(fmt.Sprintf("%s/workers=%d/%s", s.name, workers, name), func(b *testing.B) {
					var used time.Duration
					for b.Loop() {
						used += processorTime(b, f)
					}
					b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms/op")
				})
			}
		}
	}
}

// processorTime is what the calling thread spent on f.
func processorTime(tb testing.TB, f func()) time.Duration {
	tb.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used := func() time.Duration {
		var at unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
			tb.Fatal(err)
		}
		return time.Duration(at.Nano())
	}
	start := used()
	f()
	return used() - start
}
