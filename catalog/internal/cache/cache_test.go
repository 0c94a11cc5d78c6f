package cache

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func size(s string) int64 { return int64(len(s)) }

func constant(s string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s, nil }
}

func never(t *testing.T) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		t.Error("loaded although kept")
		return "", nil
	}
}

func TestLeastRecentlyUsedGoesFirst(t *testing.T) {
	ctx := context.Background()
	c := New[int, string](10, size)
	defer c.Close()
	c.Get(ctx, 1, constant("aaaa"))
	c.Get(ctx, 2, constant("bbbb"))
	c.Get(ctx, 1, never(t)) // 2 is the older one now
	c.Get(ctx, 3, constant("cccc"))
	c.Get(ctx, 1, never(t))
	c.Get(ctx, 3, never(t))
	if n, bytes := c.Usage(); n != 2 || bytes != 8 {
		t.Errorf("%d values, %d bytes", n, bytes)
	}
	again := 0
	c.Get(ctx, 2, func(context.Context) (string, error) { again++; return "bbbb", nil })
	if again != 1 {
		t.Error("2 should have gone")
	}
}

func TestOneOversizedValueStays(t *testing.T) {
	ctx := context.Background()
	c := New[int, string](3, size)
	defer c.Close()
	c.Get(ctx, 1, constant("a"))
	c.Get(ctx, 2, constant("longer than that"))
	c.Get(ctx, 2, never(t))
	if n, _ := c.Usage(); n != 1 {
		t.Errorf("%d values", n)
	}
}

func TestErrorsAreNotKept(t *testing.T) {
	ctx, boom := context.Background(), errors.New("boom")
	c := New[int, string](10, size)
	defer c.Close()
	if _, err := c.Get(ctx, 1, func(context.Context) (string, error) { return "", boom }); err != boom {
		t.Errorf("got %v", err)
	}
	if got, err := c.Get(ctx, 1, constant("a")); got != "a" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestConcurrentGetsShareOneLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int, string](10, size)
		defer c.Close()
		release, loads := make(chan struct{}), 0
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				got, err := c.Get(context.Background(), 1, func(context.Context) (string, error) {
					loads++
					<-release
					return "a", nil
				})
				if got != "a" || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if loads != 1 {
			t.Errorf("%d loads", loads)
		}
	})
}

// TestLeavingWaiters: one that leaves does not end the load for the other; the last one does, and later callers start anew.
func TestLeavingWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int, string](10, size)
		defer c.Close()
		ended := make(chan error, 1)
		load := func(ctx context.Context) (string, error) {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return "", ctx.Err()
		}
		first, leaveFirst := context.WithCancel(context.Background())
		second, leaveSecond := context.WithCancel(context.Background())
		results := make(chan error, 2)
		go func() { _, err := c.Get(first, 1, load); results <- err }()
		synctest.Wait()
		go func() { _, err := c.Get(second, 1, load); results <- err }()
		synctest.Wait()
		leaveFirst()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("first: %v", err)
		}
		synctest.Wait()
		if len(ended) != 0 {
			t.Fatal("the load ended with a waiter left")
		}
		leaveSecond()
		<-results
		<-ended
		if got, err := c.Get(context.Background(), 1, constant("b")); got != "b" || err != nil {
			t.Errorf("afterwards: %q, %v", got, err)
		}
	})
}

func TestCloseEndsLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int, string](10, size)
		result := make(chan error, 1)
		go func() {
			_, err := c.Get(context.Background(), 1, func(ctx context.Context) (string, error) {
				<-ctx.Done()
				return "", context.Cause(ctx)
			})
			result <- err
		}()
		synctest.Wait()
		c.Close()
		if err := <-result; err != ErrClosed {
			t.Errorf("got %v", err)
		}
		if _, err := c.Get(context.Background(), 1, constant("a")); err != ErrClosed {
			t.Errorf("after Close: %v", err)
		}
		c.Close()
	})
}

func TestPanicIsAnError(t *testing.T) {
	c := New[int, string](10, size)
	defer c.Close()
	_, err := c.Get(context.Background(), 1, func(context.Context) (string, error) { panic("ouch") })
	if !qerr.Is(err, qerr.Internal) || !strings.Contains(err.Error(), "ouch") {
		t.Errorf("got %v", err)
	}
}
