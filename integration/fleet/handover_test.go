package fleet

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

const (
	// killsSample is how often the fixed sample kills a coordinator; ARBALEST_KILLS says otherwise.
	killsSample = 1
	// hangEvery is with which of the kills another coordinator is stopped, to find out when it goes on that it counts as dead.
	hangEvery = 2
	// coordinators is how many there are.
	coordinators = 3
	// patrons is how many clients keep the cluster busy.
	patrons = 4
	// takeoverMax is within what another coordinator goes on, as far as the machine is not too busy to tell: the long run holds it.
	takeoverMax = 10 * time.Second
)

// TestOwnersDie kills coordinators, without warning and at random moments, while clients run TPC-H queries at all of them. With
// every second one another coordinator stands still for longer than its lease: it is taken for dead, and when it goes on it finds that
// out and ends. No client loses a query that it was told of, every answer is DuckDB's, and no worker does anything for the dead once
// their successor has spoken.
func TestOwnersDie(t *testing.T) {
	kills, err := strconv.Atoi(cmp.Or(os.Getenv("ARBALEST_KILLS"), strconv.Itoa(killsSample)))
	if err != nil {
		t.Fatal(err)
	}
	limit, err := time.ParseDuration(cmp.Or(os.Getenv("ARBALEST_KILLS_FOR"), "24h")) // no kill is begun after that
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	if os.Getenv("ARBALEST_KILLS_PROXY") != "" {
		flags = []string{"--proxy-results"}
	}
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("ARBALEST_SEED"), "1"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	factor, err := strconv.ParseFloat(cmp.Or(os.Getenv("ARBALEST_KILLS_SCALE"), "0.01"), 64)
	if err != nil {
		t.Fatal(err)
	}
	data, err := harness.TPCH(t.Context(), factor, parts)
	if err != nil {
		t.Fatal(err)
	}
	queries := append(tpch.Queries(), longQueries()...)
	answers := ask(t, data, queries)
	servers := etcdtest.Start(t, 3)
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: 3, Standby: coordinators - 1, Memory: "1GB",
		Flags: flags, WorkFlags: []string{"--log-level", "debug"}, Meet: []string{
			"--cluster", "etcd://" + strings.Join(servers.Endpoints(), ",") + "/owners", "--cluster-key", keyFile(t)}})
	ctx, cancel := context.WithTimeout(t.Context(), testLimit+time.Duration(kills)*time.Minute)
	defer cancel()
	processes := func() []*harness.Process { return append([]*harness.Process{cluster.Door}, cluster.Standby...) }
	var doors []string
	for _, p := range processes() {
		doors = append(doors, p.Address)
	}

	counts, enough := &tally{}, make(chan struct{})
	var load sync.WaitGroup
	for i := range patrons {
		p := &patron{doors: doors, at: i % len(doors), zone: fmt.Sprintf("Etc/GMT+%d", i+1), rng: rand.New(rand.NewPCG(seed, uint64(i))), tally: counts} //nolint:gosec // repeatable
		load.Go(func() {
			if err := p.load(ctx, enough, queries, answers); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	halt := sync.OnceFunc(func() { close(enough); load.Wait() })
	defer halt()

	rng := rand.New(rand.NewPCG(seed, 100)) //nolint:gosec // repeatable
	// One that the machine kept from its lease is dead to the others, and ends; as a supervisor does, this starts it again.
	fell := 0
	revive := func() {
		for i, p := range processes() {
			select {
			case <-p.Ended():
				if log := p.LogTail(); !strings.Contains(log, "taken for dead") {
					t.Errorf("%s has ended:\n%s", p.Name, log)
				}
				p.Kill() // so that its end is no fault
				fell++
				if err := cluster.Reopen(ctx, i); err != nil {
					t.Fatal(err)
				}
			default:
			}
		}
	}
	settled, hung := 0, 0
	var longest time.Duration
	until := time.Now().Add(limit)
	for n := range kills {
		if t.Failed() || time.Now().After(until) {
			break
		}
		before := counts.finished.Load()
		await(ctx, t, "queries finish", func() bool { revive(); return counts.finished.Load() >= before+patrons || t.Failed() })
		time.Sleep(time.Duration(rng.IntN(500)) * time.Millisecond) // the moment is random; nothing waits for it
		victim := rng.IntN(len(doors))
		if busy := [][coordinators]int64{at(&counts.polling), at(&counts.reading), {}}[n%3]; n%3 < 2 { // someone's who waits for it
			await(ctx, t, "a client is told of a query", func() bool {
				revive()
				busy = [][coordinators]int64{at(&counts.polling), at(&counts.reading), {}}[n%3]
				victim = slices.Index(busy[:], slices.Max(busy[:]))
				return busy[victim] > 0 || t.Failed()
			})
		}
		t.Logf("kill %d: coordinator %d while %d clients submit, %d poll and %d read there", n+1, victim+1, counts.submitting[victim].Load(),
			counts.polling[victim].Load(), counts.reading[victim].Load())
		revive()
		known, began := succeeded(t, processes()), time.Now()
		falls := []int{victim}
		processes()[victim].Kill()
		if flags == nil && n%hangEvery == 0 { // rows that it only passes on would be gone with it (decision 25)
			if other := (victim + 1 + rng.IntN(coordinators-1)) % coordinators; stop(processes()[other]) {
				falls = append(falls, other)
			}
		}
		await(ctx, t, "another coordinator goes on", func() bool { return succeeded(t, processes()) >= known+len(falls) })
		settled++
		longest = max(longest, time.Since(began))
		for _, i := range falls[1:] {
			goOn(ctx, t, processes()[i])
			hung++
		}
		for _, i := range falls {
			if err := cluster.Reopen(ctx, i); err != nil {
				t.Fatal(err)
			}
		}
	}
	halt()
	revive()
	t.Logf("%d kills, %d stood still, %d more taken for dead: %d queries finished, %d sent again, %d polled on at another coordinator, %d endpoints read again; taken over within %s",
		settled, hung, fell, counts.finished.Load(), counts.resent.Load(), counts.carried.Load(), counts.reread.Load(), longest.Round(time.Millisecond))
	if kills > killsSample && longest > takeoverMax {
		t.Errorf("another coordinator went on after %s, want %s", longest, takeoverMax)
	}
	endAll(ctx, t, doors)
	handovers := 0
	for _, w := range cluster.Workers {
		history, err := historyOf(w.LogPath)
		if err != nil {
			t.Fatal(err)
		}
		faults, n := checkHistory(history)
		for _, fault := range faults {
			t.Errorf("%s: %s", w.Name, fault)
		}
		var left []string
		for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
			if history, err = historyOf(w.LogPath); err != nil {
				t.Fatal(err)
			}
			if left = running(history); len(left) == 0 {
				break
			}
		}
		if len(left) > 0 {
			t.Errorf("%s still runs for the dead: %v", w.Name, left)
			text, _ := os.ReadFile(w.LogPath) // it was there just now
			for line := range strings.Lines(string(text)) {
				if strings.Contains(line, left[0][:strings.Index(left[0], "/")]) {
					t.Log(strings.TrimSpace(line))
				}
			}
		}
		handovers += n
	}
	t.Logf("%d times a worker was told of a query's next owner", handovers)
}

// stop has a coordinator stand still; false when it has ended, as the machine kept it from its lease.
func stop(p *harness.Process) bool { return p.Signal(syscall.SIGSTOP) == nil }

// goOn lets a coordinator go on that counts as dead: it notices, and ends.
func goOn(ctx context.Context, t *testing.T, p *harness.Process) {
	t.Helper()
	_ = p.Signal(syscall.SIGCONT) // it may have ended before it was stopped
	select {
	case <-p.Ended():
	case <-ctx.Done():
		t.Fatalf("%s has fallen, and goes on", p.Name)
	}
	if log := p.LogTail(); !strings.Contains(log, "another coordinator has taken over") {
		t.Errorf("%s does not say why it ended:\n%s", p.Name, log)
	}
	p.Kill() // so that its end is no fault
}

// longQueries take a second or two, so that clients poll, and have more rows than one batch.
func longQueries() []tpch.Query {
	return []tpch.Query{
		{Number: 101, Name: "pairs", SQL: "SELECT a.l_returnflag, count(*) AS n, sum(a.l_quantity * b.l_discount) AS s FROM lineitem a JOIN lineitem b ON a.l_suppkey = b.l_suppkey GROUP BY ALL"},
		{Number: 102, Name: "rows", SQL: "SELECT o_orderkey, l_linenumber, l_partkey, l_quantity FROM orders JOIN lineitem ON o_orderkey = l_orderkey WHERE l_quantity < 10"},
	}
}

func at(counts *[coordinators]atomic.Int64) (now [coordinators]int64) {
	for i := range counts {
		now[i] = counts[i].Load()
	}
	return now
}

// ask has DuckDB answer the queries.
func ask(t *testing.T, data string, queries []tpch.Query) map[string]oracle.Answer {
	t.Helper()
	tables, err := harness.Tables(data)
	if err != nil {
		t.Fatal(err)
	}
	question := oracle.Question{Tables: tables, Out: t.TempDir()}
	for _, q := range queries {
		question.Statements = append(question.Statements, oracle.Statement{Name: q.Name, SQL: q.SQL})
	}
	answers, err := oracle.Ask(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

func await(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// succeeded counts the coordinators that others say they have succeeded.
func succeeded(t *testing.T, all []*harness.Process) (n int) {
	t.Helper()
	for _, p := range all {
		text, err := os.ReadFile(p.LogPath)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(text), `"message":"succeeded a coordinator"`)
	}
	return n
}

// endAll ends the queries that nobody reads: those whose coordinator died after it had written their records and before its
// client heard of them, which otherwise wait a minute for a reader.
func endAll(ctx context.Context, t *testing.T, doors []string) {
	t.Helper()
	for _, door := range doors {
		s, err := client.Dial(ctx, door, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		r, err := s.Query(ctx, "SELECT query_id FROM sys.queries WHERE state IN ('queued', 'running')")
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range r.Batches {
			for i := range int(b.NumRows()) {
				_ = s.Exec(ctx, "KILL '"+b.Column(0).ValueStr(i)+"'") // it may have ended; the asking statement has
			}
		}
		r.Release()
	}
}
