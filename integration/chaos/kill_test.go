//go:build linux

package chaos

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/chaos/relay"
	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

const (
	clients = 8
	// killsSample and killsFull are how often a worker is killed.
	killsSample, killsFull = 6, 200
	// killPauseMax is the longest time between all workers being there and the next kill: some queries fit into it.
	killPauseMax = 1200 * time.Millisecond
	// noticedMax is how long the coordinator may take to notice a loss; noticedSample is for the sample, which says nothing
	// of times as it runs on machines that have other things to do.
	noticedMax, noticedSample = 5 * time.Second, time.Minute
	// killSeed orders victims, pauses and statements, so that a failure can be run again, near enough.
	killSeed   = 20210131
	metricLost = "arbalest_workers_lost_total"
	// starved is in the error of a query whose worker did not speak for seconds. Killed ones are lost by their connections.
	starved = "it was silent for"
)

const (
	// wide is read for long enough that a worker dies in the middle of it; it gives lineitems rows.
	wide      = "SELECT l_orderkey, l_linenumber, l_comment FROM lineitem"
	lineitems = 600_572
)

// A witness remembers which workers have sent which queries' schemas.
type witness struct {
	mu   sync.Mutex
	sent map[string][]int // by query
}

func (w *witness) see(_ context.Context, e relay.Event) error {
	if e.Kind == relay.Schema && !e.After || e.Kind == relay.Report && !e.After && e.Report.GetSchemaSent() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sent[e.Key.GetQueryId()] = append(w.sent[e.Key.GetQueryId()], e.Worker)
	}
	return nil
}

func (w *witness) sentBy(query string) []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent[query])
}

// A death is a kill as the test remembers it.
type death struct {
	worker int
	at     time.Time
}

// TestKillsUnderLoad kills one of three workers at random moments, again and again, while eight clients ask. Every answer is
// right; one fails only if a worker that was killed meanwhile had sent the client its schema.
func TestKillsUnderLoad(t *testing.T) {
	data, want := answers(t, matrixScale)
	r := newRig(t, data, false)
	seen := &witness{sent: map[string][]int{}}
	r.arm(seen.see)
	kills := killsSample
	if full() {
		kills = killsFull
	}
	l := &load{rig: r, witness: seen, want: want, stop: make(chan struct{}), ended: map[string]int{}, begun: make([]time.Time, clients)}
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() { l.client(t, n) })
	}
	var slowest time.Duration
	random := rand.New(rand.NewPCG(killSeed, 0))
	for n := 0; n < kills && !t.Failed(); n++ {
		time.Sleep(time.Duration(random.Int64N(int64(killPauseMax))))
		victim := random.IntN(workers)
		before := lost(t, r)
		l.note(victim)
		start := time.Now()
		if err := killed.make(r, victim); err != nil {
			t.Error(err)
		}
		slowest = max(slowest, noticeLoss(t, r, before, start))
		if err := killed.undo(t.Context(), r, victim); err != nil {
			t.Errorf("after kill %d: %v", n, err)
		}
		// A query meets one death at most: one of many could use up its task's attempts.
		for !l.allBegunSince(start) && !t.Failed() {
			time.Sleep(20 * time.Millisecond)
		}
	}
	close(l.stop)
	all.Wait()
	t.Logf("seed %d: %d kills, noticed within %s; queries: %v", killSeed, kills, slowest.Round(time.Millisecond), l.ended)
	if l.ended["right"] < kills {
		t.Errorf("only %d queries ended well: that was no load", l.ended["right"])
	}
	// A client whose query failed in a worker's last moments is not expected back, but the coordinator cannot know.
	if err := r.cluster.WaitExpired(t.Context()); err != nil {
		t.Error(err)
	}
	if left := files(t, r.cluster.SpillDir()); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
}

// lost reads how many losses of workers the coordinator has noticed.
func lost(t *testing.T, r *rig) float64 {
	t.Helper()
	m, err := r.cluster.Door.Metrics(t.Context())
	must(t, err)
	n, _ := m.Sum(metricLost)
	return n
}

// noticeLoss waits until the coordinator has noticed one more, and says how long that took since the kill.
func noticeLoss(t *testing.T, r *rig, before float64, killed time.Time) time.Duration {
	t.Helper()
	limit := noticedSample
	if full() {
		limit = noticedMax
	}
	for ; ; time.Sleep(20 * time.Millisecond) {
		now := lost(t, r)
		took := time.Since(killed)
		if now > before {
			return took
		}
		if took > limit {
			t.Errorf("a killed worker was not noticed within %s", limit)
			return took
		}
	}
}

// A load is what the clients share.
type load struct {
	rig     *rig
	witness *witness
	want    map[int]*oracle.Rows
	stop    chan struct{}

	mu     sync.Mutex
	deaths []death
	ended  map[string]int
	begun  []time.Time // by client: when its query of the moment began
}

func (l *load) begin(client int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun[client] = time.Now()
}

// allBegunSince reports whether every client's query has begun after a moment.
func (l *load) allBegunSince(moment time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !slices.ContainsFunc(l.begun, func(b time.Time) bool { return b.Before(moment) })
}

func (l *load) note(worker int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaths = append(l.deaths, death{worker, time.Now()})
}

func (l *load) count(how string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended[how]++
}

// diedSince lists the workers that were killed after a moment.
func (l *load) diedSince(moment time.Time) (workers []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.deaths {
		if !d.at.Before(moment) {
			workers = append(workers, d.worker)
		}
	}
	return workers
}

// client asks until it is told to stop.
func (l *load) client(t *testing.T, number int) {
	random := rand.New(rand.NewPCG(killSeed, uint64(1+number)))
	session, err := client.Dial(t.Context(), l.rig.cluster.Door.Address, client.Options{Keepalive: keepalive})
	if err != nil {
		t.Error(err)
		return
	}
	defer session.Close()
	if number%2 == 0 {
		if err := session.Exec(t.Context(), "SET arbalest.distributed = 'always'"); err != nil {
			t.Error(err)
			return
		}
	}
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		l.begin(number)
		if n := 1 + random.IntN(24); n <= 22 {
			l.one(t, session, tpch.Queries()[n-1], l.want[n])
		} else {
			l.one(t, session, tpch.Query{Name: "wide", SQL: wide}, nil)
		}
	}
}

// one runs a query and judges its end.
func (l *load) one(t *testing.T, session *client.Session, q tpch.Query, want *oracle.Rows) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), queryLimit)
	defer cancel()
	id, end := "", ending{}
	info, err := session.SQL.Execute(ctx, q.SQL)
	if err == nil {
		id = string(info.GetAppMetadata())
		var result *client.Result
		if result, err = session.Read(ctx, info); err == nil {
			if want != nil {
				end.rows, end.parts = oracle.FromBatches(result.Schema, result.Batches), result.Parts
			} else if result.Rows() != lineitems {
				err = fmt.Errorf("%d rows, want %d", result.Rows(), lineitems)
			}
			result.Release()
		}
	}
	switch {
	case err == nil && want == nil:
		l.count("right")
	case err == nil:
		if err := oracle.Compare(want, end.rows, tpch.OrderBy[q.Number]...); err != nil {
			t.Errorf("%s (%s): %v\nread %+v\n%s", q.Name, id, err, end.parts, remembered(t, session, id))
			return
		}
		l.count("right")
	default:
		died, sent := l.diedSince(start), l.witness.sentBy(id)
		excused := slices.ContainsFunc(died, func(w int) bool { return slices.Contains(sent, w) })
		kind := qerr.KindOf(grpcerr.FromStatus(err))
		if kind == qerr.Unavailable && !full() && strings.Contains(err.Error(), starved) {
			l.count("failed, on a worker that the machine gave no time")
			return
		}
		if kind != qerr.Unavailable || !excused {
			t.Errorf("%s (%s) failed after %s with %s: %v; killed meanwhile: workers %v, and its schema was sent by %v",
				q.Name, id, time.Since(start).Round(time.Millisecond), kind, err, died, sent)
			return
		}
		l.count("failed, with rows of a killed worker already at the client")
	}
}

// remembered is what the coordinator remembers of a query: how it was adapted, and its attempts.
func remembered(t *testing.T, session *client.Session, id string) string {
	var b strings.Builder
	for _, sql := range []string{
		"SELECT state, stages, tasks, error, adapted FROM sys.queries WHERE query_id = '" + id + "'",
		"SELECT * FROM sys.tasks WHERE query_id = '" + id + "' ORDER BY ALL",
	} {
		result, err := session.Query(t.Context(), sql)
		if err != nil {
			fmt.Fprintln(&b, err)
			continue
		}
		for _, row := range oracle.FromBatches(result.Schema, result.Batches).Cells {
			fmt.Fprintln(&b, row)
		}
		result.Release()
	}
	return b.String()
}

// files lists what lies in a folder and below, folders excepted.
func files(t *testing.T, dir string) (left []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			left = append(left, path)
		}
		return err
	}))
	return left
}
