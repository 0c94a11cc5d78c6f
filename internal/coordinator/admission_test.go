package coordinator

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

func TestAdmission(t *testing.T) {
	b := newBench(t, 2, func(c *Config) { c.Limits.RunningMax, c.Limits.QueuedMax, c.Limits.QueueWaitMax = 2, 3, time.Minute })
	var queries []*Query
	for range 5 {
		queries = append(queries, b.submit("scan"))
	}
	_, err := b.trySubmit("scan")
	var refused *qerr.Error
	if !errors.As(err, &refused) || refused.Kind != qerr.Unavailable || refused.RetryAfter < time.Second {
		t.Errorf("one too many gave %v, want Unavailable with a hint when to come back", err)
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

// Groups share the places by weight; a query that waits can be killed, and is in sys.queries with its group.
func TestResourceGroups(t *testing.T) {
	b := newBench(t, 1, func(c *Config) {
		c.Limits.RunningMax = 2
		c.Groups = map[string]ResourceGroup{"etl": {Users: []string{"ann"}}, "all": {}}
	})
	in := func(user, group string) func(*Request) {
		return func(r *Request) {
			r.User = user
			if group != "" {
				r.Settings, _ = r.Settings.Set(settings.ResourceGroup, group)
			}
		}
	}
	var anns []*Query
	for range 4 {
		anns = append(anns, b.submit("scan", in("ann", "")))
	}
	bob, etl, all := b.submit("scan", in("bob", "bob")), b.submit("scan", in("ann", "etl")), b.submit("scan", in("bob", "all"))
	for _, group := range []string{"etl", "none"} {
		if _, err := b.trySubmit("scan", in("bob", group)); !qerr.Is(err, qerr.User) || !strings.Contains(err.Error(), "all") {
			t.Errorf("bob in group %s: %v", group, err)
		}
	}
	b.advance(time.Second)
	shown := 0
	queries, err := b.c.SystemTable("queries")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range queries.Inline {
		if group, queued := row[len(row)-2], row[len(row)-1]; row[0] == text(string(etl.ID())) && group == "'etl'" && queued == "1000.000::DOUBLE" && row[3] == "'queued'" {
			shown++
		}
	}
	if shown != 1 {
		t.Errorf("sys.queries has %v", queries.Inline)
	}
	want := `
# HELP arbalest_admission_queries Distributed queries that run or wait for a place, by resource group; users without a group of theirs are one.
# TYPE arbalest_admission_queries gauge
arbalest_admission_queries{group="(users)",state="queued"} 3
arbalest_admission_queries{group="(users)",state="running"} 2
arbalest_admission_queries{group="all",state="queued"} 1
arbalest_admission_queries{group="all",state="running"} 0
arbalest_admission_queries{group="etl",state="queued"} 1
arbalest_admission_queries{group="etl",state="running"} 0
`
	if err := testutil.CollectAndCompare(b.c.Metrics(), strings.NewReader(want), "arbalest_admission_queries"); err != nil {
		t.Error(err)
	}
	if err := b.c.kill(b.c.newQuery(Request{}), Request{}, all.ID()); err != nil || all.State().Status != Cancelled {
		t.Errorf("KILL of one that waits: %v; it is %s", err, all.State().Status)
	}
	anns[0].Cancel(nil)
	b.ended(bob, Running)
	anns[1].Cancel(nil)
	b.eventually("somebody else has a place", func() bool { return anns[2].State().Status == Running || etl.State().Status == Running })
	for _, q := range append(anns, bob, etl) {
		q.Cancel(nil)
	}
	for _, q := range b.c.registry.live() {
		q.Cancel(nil)
	}
	b.idle()
}
