package fleet

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/integration/harness"
)

// clients is how many run queries while everything is restarted.
const clients = 8

// rollingQueries are one of every way of a query: dispatched stages, and tickets that run when they are read.
var rollingQueries = []string{
	orderTotals,
	"SELECT count(*) FROM lineitem WHERE l_quantity > 10",
	"SELECT l_orderkey, l_partkey, l_comment FROM lineitem WHERE l_suppkey % 3 = 0",
}

// A rider is a client that knows the addresses of all coordinators, and sends a statement to the next one when it is told to come
// back later.
type rider struct {
	doors   []string
	at      int
	session *client.Session
	retries *atomic.Int64
}

// run gives the rows of a query. It tries again only where the status says so and nothing was promised yet: while it connects, and
// when a statement is refused. From then on every error is a lost query.
func (r *rider) run(ctx context.Context, sql string) (int64, error) {
	for {
		rows, again, err := r.try(ctx, sql)
		if err == nil || !again || ctx.Err() != nil {
			return rows, err
		}
		r.retries.Add(1)
		r.leave()
		r.at = (r.at + 1) % len(r.doors)
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond): // a client that is told to come back does not do so at once
		}
	}
}

func (r *rider) try(ctx context.Context, sql string) (rows int64, again bool, err error) {
	if r.session == nil {
		session, err := client.Dial(ctx, r.doors[r.at], client.Options{})
		if err != nil {
			return 0, status.Code(err) == codes.Unavailable, err
		}
		r.session = session
		if err := session.Exec(ctx, "SET arbalest.distributed = 'always'"); err != nil {
			return 0, status.Code(err) == codes.Unavailable, fmt.Errorf("SET: %w", err)
		}
	}
	info, err := r.session.SQL.Execute(ctx, sql)
	if err != nil {
		return 0, status.Code(err) == codes.Unavailable, fmt.Errorf("submit: %w", err)
	}
	result, err := r.session.Read(ctx, info)
	if err != nil {
		return 0, false, fmt.Errorf("read query %s: %w", info.GetAppMetadata(), err)
	}
	defer result.Release()
	if count, ok := result.Batches[0].Column(0).(*array.Int64); ok && result.Rows() == 1 {
		return count.Value(0), false, nil
	}
	return result.Rows(), false, nil
}

func (r *rider) leave() {
	if r.session != nil {
		_ = r.session.Close() // it may be broken already
		r.session = nil
	}
}

// Every worker and every coordinator is restarted, one after the other, as an update does it: by SIGTERM and a new process.
// Clients that go to another coordinator when they are refused see nothing of it.
func TestRollingRestart(t *testing.T) {
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	const workers, coordinators = 3, 2
	servers := etcdtest.Start(t, 1)
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: workers, Standby: coordinators - 1, Memory: "1GB", Flags: patientLease, Meet: []string{
		"--cluster", "etcd://" + strings.Join(servers.Endpoints(), ",") + "/rolling", "--cluster-key", keyFile(t)}})
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	doors := []string{cluster.Door.Address, cluster.Standby[0].Address}

	want := make([]int64, len(rollingQueries))
	var retries, done atomic.Int64
	first := &rider{doors: doors, retries: &retries}
	defer first.leave()
	for i, sql := range rollingQueries {
		if want[i], err = first.run(ctx, sql); err != nil || want[i] == 0 {
			t.Fatalf("%s: %d, %v", sql, want[i], err)
		}
	}

	load, stop := context.WithCancel(ctx)
	var riders sync.WaitGroup
	for i := range clients {
		riders.Go(func() {
			r := &rider{doors: doors, at: i % len(doors), retries: &retries}
			defer r.leave()
			for n := i; load.Err() == nil; n++ {
				q := n % len(rollingQueries)
				got, err := r.run(ctx, rollingQueries[q]) // the last query is read to its end
				if err != nil || got != want[q] {
					t.Errorf("client %d lost %q: %d, %v; want %d", i, rollingQueries[q], got, err, want[q])
					return
				}
				done.Add(1)
			}
		})
	}
	defer riders.Wait()
	defer stop()
	restart := func(what string, p *harness.Process, again func() error) {
		t.Helper()
		before := done.Load()
		begin := time.Now()
		if err := p.Signal(syscall.SIGTERM); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		select {
		case <-p.Ended():
		case <-ctx.Done():
			t.Fatalf("%s did not end", what)
		}
		drained := time.Since(begin)
		if log := p.LogTail(); strings.Contains(log, "drain ended early") {
			t.Errorf("%s did not finish what it had:\n%s", what, log)
		}
		if err := again(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for done.Load() < before+clients { // some queries with everything there, before the next
			select {
			case <-ctx.Done():
				t.Fatalf("after %s: %d queries", what, done.Load()-before)
			case <-time.After(10 * time.Millisecond):
			}
		}
		t.Logf("%s: ended %s after SIGTERM, %d queries meanwhile and after", what, drained.Round(time.Millisecond), done.Load()-before)
	}
	for i := range workers {
		restart(fmt.Sprintf("worker %d", i+1), cluster.Workers[i], func() error { return cluster.Restart(ctx, i) })
	}
	for i := range coordinators {
		p := cluster.Door
		if i > 0 {
			p = cluster.Standby[i-1]
		}
		restart(fmt.Sprintf("coordinator %d", i+1), p, func() error { return cluster.Reopen(ctx, i) })
	}
	stop()
	riders.Wait()
	t.Logf("%d queries of %d clients, %d times sent elsewhere", done.Load(), clients, retries.Load())
	if err := cluster.WaitOrphaned(ctx); err != nil {
		t.Error(err)
	}
}
