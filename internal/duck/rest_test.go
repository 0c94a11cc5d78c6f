package duck

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/duck/buffers"
)

// groups is a query of some ten buffers that DuckDB would remember after its end.
const groups = "SELECT count(*) AS n FROM (SELECT i % 50000 AS k, count(*) FROM range(100000) AS r(i) GROUP BY k)"

// runGroups runs it some times, and says what went wrong.
func runGroups(ctx context.Context, e *Engine, times int) error {
	for range times {
		s, err := e.Stream(ctx, Job{SQL: groups})
		if err != nil {
			return err
		}
		b, err := s.Next(ctx)
		if err != nil {
			return errors.Join(err, s.Close())
		}
		got := b.Column(0).ValueStr(0)
		b.Release()
		if err := s.Close(); err != nil || got != "50000" {
			return fmt.Errorf("%s groups, want 50000: %w", got, err)
		}
	}
	return nil
}

// TestRestFrees: what DuckDB remembers of finished jobs grows with their number, and a rest frees it.
func TestRestFrees(t *testing.T) {
	if buffers.InUse() == 0 {
		t.Skip("the C library does not tell what is in use")
	}
	const (
		jobs     = 300
		bytesMin = 512 // of a job: some three buffers of more than ten
	)
	e := openEngine(t, nil)
	if err := runGroups(t.Context(), e, jobs); err != nil {
		t.Fatal(err)
	}
	if !e.Rest() {
		t.Fatal("an idle engine cannot rest")
	}
	base := buffers.InUse()
	if err := runGroups(t.Context(), e, jobs); err != nil {
		t.Fatal(err)
	}
	grown := buffers.InUse() - base
	e.Rest()
	left := buffers.InUse() - base
	t.Logf("%d jobs: %d bytes more in use, after a rest %d", jobs, grown, left)
	if grown < jobs*bytesMin {
		t.Fatalf("%d jobs left %d bytes: the test sees nothing of what DuckDB remembers", jobs, grown)
	}
	if left > grown/4 {
		t.Errorf("of %d bytes a rest leaves %d", grown, left)
	}
}

// TestRestLeavesRunningJobsAlone: an engine with an open stream does not rest, one that is closed has nothing to free, and jobs that
// begin while it rests are right.
func TestRestLeavesRunningJobsAlone(t *testing.T) {
	e := openEngine(t, nil)
	s, err := e.Stream(t.Context(), Job{SQL: groups})
	if err != nil {
		t.Fatal(err)
	}
	if e.Rest() {
		t.Error("the engine rests while a stream is open")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !e.Rest() {
		t.Error("the engine does not rest though its stream is closed")
	}
	var all sync.WaitGroup
	stop := make(chan struct{})
	all.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				e.Rest()
			}
		}
	})
	var jobs sync.WaitGroup
	for range 3 {
		jobs.Go(func() {
			if err := runGroups(t.Context(), e, 10); err != nil {
				t.Error(err)
			}
		})
	}
	jobs.Wait()
	close(stop)
	all.Wait()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if !e.Rest() {
		t.Error("a closed engine has something in use")
	}
}

// TestGiveBackReturnsArenas: what many threads have held, each in an arena of the C library, goes back to the system.
func TestGiveBackReturnsArenas(t *testing.T) {
	if buffers.InUse() == 0 {
		t.Skip("the C library does not tell what is in use")
	}
	const (
		streams = 8
		many    = "SELECT repeat('x', 100) || i AS v FROM range(200000) AS r(i)"
		heldMin = 150 << 20
		leftMax = 12 << 20
	)
	e := openEngine(t, nil)
	hold := func(streams int, sql string) (peak int64) {
		var all sync.WaitGroup
		var mu sync.Mutex
		var batches []arrow.RecordBatch
		for range streams {
			all.Go(func() {
				s, err := e.Stream(t.Context(), Job{SQL: sql})
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close() //nolint:errcheck // It only reads.
				for b, err := s.Next(t.Context()); err == nil; b, err = s.Next(t.Context()) {
					mu.Lock()
					batches = append(batches, b)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		peak = residentBytes(t)
		for _, b := range batches {
			b.Release()
		}
		return peak
	}
	giveBack := func() int64 {
		e.Rest()
		debug.FreeOSMemory()
		GiveBack()
		return residentBytes(t)
	}
	hold(1, many)
	base := giveBack()
	// A large block that is freed raises the size up to which the C library keeps an arena's free end.
	hold(1, "SELECT repeat('x', 30_000_000) AS v")
	held := hold(streams, many) - base
	left := giveBack() - base
	t.Logf("held %d KiB, left %d KiB above %d KiB", held>>10, left>>10, base>>10)
	if held < heldMin || left > leftMax {
		t.Errorf("of %d MiB that were held %d stay", held>>20, left>>20)
	}
}
