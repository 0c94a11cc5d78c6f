package coordinator

import (
	"sync"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestAdmission(t *testing.T) {
	b := newBench(t, 2, func(c *Config) { c.Limits.RunningMax, c.Limits.QueuedMax, c.Limits.QueueWaitMax = 2, 3, time.Minute })
	var queries []*Query
	for range 5 {
		queries = append(queries, b.submit("scan"))
	}
	if _, err := b.trySubmit("scan"); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("one too many gave %v, want Unavailable", err)
	}
	if u := b.c.Usage(); u.Running != 2 || u.Queued != 3 {
		t.Fatalf("usage %+v, want 2 running and 3 queued", u)
	}
	if q := b.submit("SELECT 1"); q.State().Status != Running {
		t.Error("a local statement waits for a place")
	} else {
		q.Cancel(nil)
	}
	// Turns come in order: when the first ends, the third starts.
	b.readAll(queries[0])
	b.ended(queries[0], Finished)
	b.ended(queries[2], Running)
	if s := queries[3].State().Status; s != Queued {
		t.Errorf("the fourth is %s", s)
	}
	// One that is cancelled while it waits makes room in the queue, not among the running.
	queries[3].Cancel(nil)
	if u := b.c.Usage(); u.Running != 2 || u.Queued != 1 {
		t.Errorf("usage %+v, want 2 running and 1 queued", u)
	}
	b.advance(time.Minute)
	if err := queries[4].err(); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("the fifth waited too long, but has %v", err)
	}
	for _, q := range queries {
		q.Cancel(nil)
	}
	b.idle()
}

func TestManySubmitsAtOnce(t *testing.T) {
	const clients = 64
	b := newBench(t, 3, func(c *Config) { c.Limits.RunningMax, c.Limits.QueuedMax = 4, clients })
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			q, err := b.trySubmit("scan")
			if err != nil {
				t.Errorf("submit: %v", err)
				return
			}
			if err := q.Ready(t.Context()); err != nil {
				t.Errorf("ready: %v", err)
				return
			}
			if u := b.c.Usage(); u.Running > 4 {
				t.Errorf("%d run at once", u.Running)
			}
			if i%3 == 0 {
				q.Cancel(nil)
				return
			}
			b.readAll(q)
			select {
			case <-q.done:
			case <-time.After(20 * time.Second):
				t.Error("the query never ended")
			}
		})
	}
	wg.Wait()
	b.idle()
}

func TestLiveQueriesAreBounded(t *testing.T) {
	b := newBench(t, 0, func(c *Config) { c.Limits.LiveMax = 2; c.Limits.EndedMax = 3 })
	first := b.submit("SELECT 1")
	b.submit("SELECT 2")
	if _, err := b.trySubmit("SELECT 3"); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("got %v, want Unavailable", err)
	}
	first.Cancel(nil)
	for range 10 {
		b.submit("SELECT 4").Cancel(nil)
	}
	if _, ok := b.c.Query(first.ID()); ok {
		t.Error("the ring of ended queries never forgets")
	}
	if u := b.c.Usage(); u.Live != 1 || u.Ended != 3 {
		t.Errorf("usage %+v, want 1 live and 3 ended", u)
	}
}

func TestLocalResultsAreBounded(t *testing.T) {
	b := newBench(t, 0, func(c *Config) { c.Limits.LocalBytesMax = 10 })
	first := b.submit("SELECT 1")
	if _, err := b.trySubmit("SELECT 2"); !qerr.Is(err, qerr.Resource) {
		t.Errorf("got %v, want Resource", err)
	}
	b.read(first.State().Endpoints[0], "")
	b.submit("SELECT 3").Cancel(nil)
	b.idle()
}
