package soak

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

const (
	workers = 3
	clients = 8
	scale   = 0.01
	parts   = 4
	sample  = 200 // queries, without ARBALEST_SOAK
	tenths  = 10
	// pausesFull are how often in a tenth the processes are looked at; in a run whose growth is not judged, once is enough.
	pausesFull = 3
	// growthMax is what a median may grow after the first tenth.
	growthMax = 0.05
	// judgedFrom is the least number of queries of a run whose growth is judged: a shorter one is all warm-up.
	judgedFrom = 5000
	// triesMax is how often a query is sent that finds the cluster too busy, againAfter later each time; of all queries one in againShare
	// may be.
	triesMax   = 5
	againAfter = 2 * time.Second
	againShare = 100
	// queryLimit is when a query counts as hung.
	queryLimit = time.Minute
)

// TestSoak runs them.
func TestSoak(t *testing.T) {
	total := sample
	if text := os.Getenv("ARBALEST_SOAK"); text != "" {
		var err error
		if total, err = strconv.Atoi(text); err != nil || total < tenths*pausesFull {
			t.Fatalf("ARBALEST_SOAK=%q: want a number of queries, at least %d", text, tenths*pausesFull)
		}
	}
	pauses, judged := 1, total >= judgedFrom
	if judged {
		pauses = pausesFull
	}
	dir, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	s := &soak{t: t, want: ask(t, dir), counts: map[string]int{}}
	s.cluster, err = harness.Launch(t.Context(), harness.Options{Data: []string{dir}, Workers: workers, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cluster.Stop() }) // the worker that was killed is reported too
	held := newHoldings(s.cluster, judged)
	for tenth := range tenths {
		for pause := range pauses {
			from, to := total*(tenth*pauses+pause)/(tenths*pauses), total*(tenth*pauses+pause+1)/(tenths*pauses)
			stop := held.watch(t, tenth)
			s.run(from, to)
			stop()
			if tenth == 0 && pause == 0 {
				s.replaceWorker()
			}
			if err := s.cluster.WaitIdle(t.Context()); err != nil {
				// A worker that was taken as lost may have left a result that nobody reads any more.
				t.Logf("after %d queries: %v\n%s", to, err, s.living())
				if err := s.cluster.WaitExpired(t.Context()); err != nil {
					t.Fatalf("after %d queries: %v\n%s", to, err, s.living())
				}
			}
			held.read(t, tenth)
		}
		t.Logf("after %d queries: %s", total*(tenth+1)/tenths, held.line(tenth))
		if t.Failed() {
			break
		}
	}
	t.Logf("%d queries: %v", total, s.counts)
	t.Logf("medians at idle, by tenth of the run:\n%s", held.table())
	if s.counts["exchange"] < total/2 || s.counts["spill"] < total/10 {
		t.Errorf("of %d queries %d had an exchange and %d spilled; want half and a tenth", total, s.counts["exchange"], s.counts["spill"])
	}
	if most := total/againShare + 1; s.counts["sent again"] > most {
		t.Errorf("%d queries were sent again, want at most %d", s.counts["sent again"], most)
	}
	if judged && !t.Failed() {
		for _, fault := range held.grown(growthMax) {
			t.Error(fault)
		}
	}
}

// ask gives what DuckDB says of the 22 queries.
func ask(t *testing.T, dir string) map[int]*oracle.Rows {
	t.Helper()
	tables, err := harness.Tables(dir)
	if err != nil {
		t.Fatal(err)
	}
	question := oracle.Question{Tables: tables, Out: t.TempDir()}
	for _, q := range tpch.Queries() {
		question.Statements = append(question.Statements, oracle.Statement{Name: q.Name, SQL: q.SQL})
	}
	answers, err := oracle.Ask(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]*oracle.Rows{}
	for _, q := range tpch.Queries() {
		if want[q.Number], err = answers[q.Name].Rows(); err != nil {
			t.Fatal(err)
		}
	}
	return want
}

// A soak is one run.
type soak struct {
	t       *testing.T
	cluster *harness.Cluster
	want    map[int]*oracle.Rows

	mu     sync.Mutex
	counts map[string]int
}

func (s *soak) count(what ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range what {
		s.counts[w]++
	}
}

// run runs queries from to to-1, eight at once. The clients' sessions live as long; so the processes keep nothing of them.
func (s *soak) run(from, to int) {
	var next atomic.Int64
	next.Store(int64(from))
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			session, err := s.session()
			if err != nil {
				s.t.Error(err)
				return
			}
			defer func() { session.Close() }()
			for n := int(next.Add(1)) - 1; n < to && !s.t.Failed(); n = int(next.Add(1)) - 1 {
				gone, err := s.sent(session, n)
				if err != nil {
					s.t.Errorf("query %d: %v", n, err)
				}
				if gone { // a client that left comes back as another one
					session.Close()
					if session, err = s.session(); err != nil {
						s.t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
}

// sent runs the n-th query, and sends it again when the cluster was too busy for it: where processes stand still for seconds, plans
// take longer than they may, and workers are taken as lost.
func (s *soak) sent(session *client.Session, n int) (gone bool, err error) {
	for range triesMax {
		ctx, cancel := context.WithTimeout(s.t.Context(), queryLimit)
		gone, err = s.one(ctx, session, n)
		cancel()
		if err == nil || !again(err) { // a client that is to go away does so only after its first rows
			return gone, err
		}
		s.count("sent again")
		s.t.Logf("query %d is sent again: %v", n, err)
		time.Sleep(againAfter)
	}
	return gone, err
}

// again reports whether a statement can be sent again as it is.
func again(err error) bool {
	fault := grpcerr.FromStatus(err)
	return qerr.KindOf(fault) == qerr.Unavailable || qerr.KindOf(fault) == qerr.Resource && strings.Contains(err.Error(), "too long to plan")
}

func (s *soak) session() (*client.Session, error) {
	return client.Dial(s.t.Context(), s.cluster.Door.Address, client.Options{})
}

// living tells what the coordinator knows of queries that should have ended.
func (s *soak) living() string {
	session, err := s.session()
	if err != nil {
		return err.Error()
	}
	defer session.Close()
	var b strings.Builder
	for _, sql := range []string{"SELECT * FROM sys.queries WHERE ended IS NULL",
		"SELECT * FROM sys.tasks WHERE query_id IN (SELECT query_id FROM sys.queries WHERE ended IS NULL)"} {
		result, err := session.Query(s.t.Context(), sql)
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", sql, err)
			continue
		}
		for _, batch := range result.Batches {
			fmt.Fprintln(&b, batch)
		}
		result.Release()
	}
	for _, p := range s.cluster.Processes() {
		fmt.Fprintln(&b, p.LogTail())
	}
	return b.String()
}

// replaceWorker kills a worker and starts it again.
func (s *soak) replaceWorker() {
	s.cluster.Workers[0].Kill()
	if err := s.cluster.Restart(s.t.Context(), 0); err != nil {
		s.t.Fatal(fmt.Errorf("start the killed worker again: %w", err))
	}
}
