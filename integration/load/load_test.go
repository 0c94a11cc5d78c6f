package load

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

const (
	workers   = 3
	clients   = 16
	queries   = 200
	scale     = 0.02
	parts     = 6
	seed      = 20210131 // of the order of statements and of who leaves early; fixed, so that a failure can be run again
	runLimit  = 8 * time.Minute
	wideRows  = "SELECT * FROM lineitem ORDER BY l_orderkey, l_linenumber"
	tooMuch   = "SELECT a.l_comment || b.l_comment AS c FROM lineitem AS a, lineitem AS b"
	warmUpRun = 24
)

// A statement of the mix.
type statement struct {
	name  string
	sql   string
	order []int
	want  *oracle.Rows // nil: only ever left early
}

// A leaving is how a client goes away before the end of its result.
type leaving int

const (
	stays leaving = iota
	cancelsCall
	disconnects
	cancelsQuery
	cancelsBeforeReading
	ways
)

func (l leaving) String() string {
	return [...]string{"stays", "cancels its call", "disconnects", "cancels the query", "cancels before reading"}[l]
}

// TestManyClients runs 200 statements from 16 clients against three workers; every third client leaves midway.
func TestManyClients(t *testing.T) {
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	mix := statements(t, data)
	dir := t.TempDir()
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: workers, Dir: dir})
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()

	// Pools and connections between the processes grow with the first load; what is held after that may not grow again.
	run(ctx, t, cluster, mix, warmUpRun)
	if err := cluster.WaitIdle(ctx); err != nil {
		t.Fatalf("after the warm-up: %v", err)
	}
	before, err := cluster.Footprints(ctx)
	if err != nil {
		t.Fatal(err)
	}

	counts := run(ctx, t, cluster, mix, queries)
	t.Logf("seed %d: %v", seed, counts)
	if early := queries - counts[stays]; early < queries/3 {
		t.Errorf("only %d of %d left early", early, queries)
	}
	if err := cluster.WaitIdle(ctx); err != nil {
		t.Error(err)
	}
	if err := cluster.WaitFootprint(ctx, before); err != nil {
		t.Error(err)
	}
	if left := spilled(t, filepath.Join(dir, "spill")); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
}

// spilled lists the files under the folder of spill directories; the directories themselves stay as long as the workers.
func spilled(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// run starts the clients, each with a session of its own for each statement, and counts how they ended.
func run(ctx context.Context, t *testing.T, cluster *harness.Cluster, mix []statement, total int) map[leaving]int {
	t.Helper()
	var next atomic.Int64
	var mu sync.Mutex
	counts := map[leaving]int{}
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for n := int(next.Add(1)); n <= total; n = int(next.Add(1)) {
				way, s := pick(n, mix)
				if err := one(ctx, cluster, s, way, n%2 == 0); err != nil {
					t.Errorf("statement %d, %s, the client %s: %v", n, s.name, way, err)
				}
				mu.Lock()
				counts[way]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return counts
}

// pick gives the n-th statement and how its client behaves: a third leave early, by every way in turn.
func pick(n int, mix []statement) (leaving, statement) {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	if n%3 != 0 {
		for {
			if s := mix[random.IntN(len(mix))]; s.want != nil {
				return stays, s
			}
		}
	}
	way := leaving(1 + n/3%int(ways-1))
	// Half of those leave the endless statement, so that there surely is something to interrupt.
	if random.IntN(2) == 0 {
		return way, mix[len(mix)-1]
	}
	return way, mix[random.IntN(len(mix))]
}

// one runs one statement in a session of its own; distributed forces it onto all workers.
func one(ctx context.Context, cluster *harness.Cluster, s statement, way leaving, distributed bool) (err error) {
	session, err := client.Dial(ctx, cluster.Door.Address, client.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if distributed {
		if err := session.Exec(ctx, "SET arbalest.distributed = 'always'"); err != nil {
			return err
		}
	}
	if way != stays {
		return leave(ctx, session, s, way)
	}
	result, err := session.Query(ctx, s.sql)
	if err != nil {
		return err
	}
	defer result.Release()
	return oracle.Compare(s.want, oracle.FromBatches(result.Schema, result.Batches), s.order...)
}

// leave starts a statement and goes away after its first batch. Only a fault that comes before is a fault.
func leave(ctx context.Context, session *client.Session, s statement, way leaving) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	info, err := session.SQL.Execute(ctx, s.sql)
	if err != nil {
		return err
	}
	if way == cancelsBeforeReading {
		return cancelQuery(ctx, session, info)
	}
	var part client.Part
	err = session.ReadEndpoint(ctx, info.GetEndpoint()[0], &part, nil, func(arrow.RecordBatch) error {
		switch way {
		case cancelsCall:
			cancel()
		case disconnects:
			return errors.Join(errLeft, session.Close())
		case cancelsQuery:
			if err := cancelQuery(ctx, session, info); err != nil {
				return err
			}
		}
		return errLeft
	})
	if err == nil || errors.Is(err, errLeft) { // a result without rows has no batch to leave at
		return nil
	}
	return fmt.Errorf("before the first batch: %w", err)
}

var errLeft = errors.New("the client left")

// cancelQuery sends CancelFlightInfo.
func cancelQuery(ctx context.Context, session *client.Session, info *flight.FlightInfo) error {
	_, err := session.SQL.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: info})
	return err
}

// statements gives the mix with the oracle's answers: TPC-H, wide rows in order, small reads, and one without an end.
func statements(t *testing.T, data string) []statement {
	t.Helper()
	var mix []statement
	for _, q := range tpch.Queries() {
		mix = append(mix, statement{name: q.Name, sql: q.SQL, order: tpch.OrderBy[q.Number]})
	}
	mix = append(mix, statement{name: "wide", sql: wideRows, order: []int{0, 3}},
		statement{name: "nations", sql: "SELECT n_name FROM nation"},
		statement{name: "constant", sql: "SELECT 42 AS answer"},
		statement{name: "groups", sql: "SELECT l_suppkey, count(*) AS n FROM lineitem GROUP BY l_suppkey"})
	tables, err := harness.Tables(data)
	if err != nil {
		t.Fatal(err)
	}
	question := oracle.Question{Tables: tables, Out: t.TempDir()}
	for _, s := range mix {
		question.Statements = append(question.Statements, oracle.Statement{Name: s.name, SQL: s.sql})
	}
	answers, err := oracle.Ask(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range mix {
		if mix[i].want, err = answers[s.name].Rows(); err != nil {
			t.Fatalf("the oracle refuses %s: %v", s.name, err)
		}
	}
	return append(mix, statement{name: "endless", sql: tooMuch})
}
