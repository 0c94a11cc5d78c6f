package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
)

const (
	// rosterScale is small: what is measured is the number of workers, not of rows.
	rosterScale = 0.01
	// rosterWindow is how long the coordinator is watched with a number of workers that only ping.
	rosterWindow = 10 * time.Second
	// planRounds is how often each statement is planned.
	planRounds = 7
	// rosterWait bounds the wait for workers to be known, or forgotten.
	rosterWait = 2 * time.Minute
)

// rosterPlans are planned with all workers; %d is another number each time, so that nothing is taken from a cache.
var rosterPlans = []string{
	"SELECT count(*) FROM lineitem WHERE l_quantity > %d",
	"SELECT o_custkey, count(*) FROM orders JOIN lineitem ON o_orderkey = l_orderkey WHERE l_partkey > %d GROUP BY o_custkey",
	`SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue FROM customer, orders, lineitem, supplier, nation, region
	 WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey AND c_nationkey = s_nationkey
	 AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'ASIA' AND o_orderkey > %d GROUP BY n_name ORDER BY revenue DESC`,
}

// A reading is what the coordinator spends with a number of workers.
type reading struct {
	workers int
	rss     int64         // bytes
	cpu     time.Duration // a second, for pings
	flap    time.Duration // of processor time, for all workers leaving and coming back at once
	plan    float64       // ms, of the slowest of the plans
	planCPU float64       // ms of processor time of one plan, of all of them
}

// perWorker gives the processor time of a worker's pings.
func (r reading) perWorker() float64 { return ms(r.cpu) / float64(r.workers) }

// roster measures a real coordinator with simulated workers: in quarters they join, then ping, leave and come back in another life,
// all at once; at the end all leave. One real worker is there before, and in the minority after.
func roster(ctx context.Context, o options) (figures []figure, err error) {
	data, err := harness.TPCH(ctx, rosterScale, fileParts)
	if err != nil {
		return nil, err
	}
	// The collector's slack would hide what is in use.
	cluster, err := harness.Launch(ctx, harness.Options{Data: []string{data}, Workers: 1, Env: []string{"GOGC=25"}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	session, err := client.Dial(ctx, cluster.Door.Address, client.Options{MessageBytesMax: 64 << 20})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if err := session.Exec(ctx, "SET arbalest.distributed = 'always'"); err != nil {
		return nil, err
	}
	crowd, err := newCrowd(ctx, cluster.Door, session)
	if err != nil {
		return nil, err
	}
	defer crowd.close()

	var before harness.Footprint // once it has planned: planners stay
	var readings []reading
	for _, n := range []int{0, o.members / 4, o.members / 2, o.members} {
		r, err := crowd.measure(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("%d workers: %w", n, err)
		}
		if o.verbose {
			fmt.Printf("%5d workers: %6.1f MiB, %6.2f ms of processor time a second, %8.1f ms for one flap of all, plan %.1f ms (%.1f ms of processor time)\n",
				n, float64(r.rss)/(1<<20), ms(r.cpu), ms(r.flap), r.plan, r.planCPU)
		}
		readings = append(readings, r)
		if n == 0 {
			if before, err = cluster.Door.Footprint(ctx); err != nil {
				return nil, err
			}
		}
	}
	if err := crowd.resize(ctx, 0); err != nil {
		return nil, err
	}
	left, err := crowd.left(ctx, before)
	if err != nil {
		return nil, err
	}
	return rosterFigures(readings, left), nil
}

// rosterFigures compares readings with 0, a quarter, half and all of the workers.
func rosterFigures(r []reading, left float64) []figure {
	none, quarter, half, all := r[0], r[1], r[2], r[3]
	firstHalf, secondHalf := float64(half.rss-none.rss)/float64(half.workers), float64(all.rss-half.rss)/float64(all.workers-half.workers)
	title := fmt.Sprintf("%d workers: ", all.workers)
	return []figure{
		{Name: title + "the slowest plan over them", Value: all.plan, Limit: 100, Unit: "ms", Baseline: fmt.Sprintf("over one worker %.1f ms, over %d %.1f ms", none.plan, half.workers, half.plan)},
		{Name: "its processor time", Value: all.planCPU, Limit: 100, Unit: "ms", Baseline: fmt.Sprintf("over one worker %.1f ms; mean of all statements", none.planCPU)},
		{Name: title + "the coordinator's memory for each", Value: float64(all.rss-none.rss) / float64(all.workers) / 1024, Unit: "KiB", Baseline: "resident memory, above that without them"},
		{Name: "memory of the second half's worker", Value: secondHalf / firstHalf, Limit: 1.5, Unit: "×", Baseline: "of the first half's"},
		{Name: title + "processor time for each, a second", Value: all.perWorker(), Unit: "ms", Baseline: "pings of a second, of both sides"},
		{Name: "that with all workers", Value: all.perWorker() / quarter.perWorker(), Limit: 1.5, Unit: "×", Baseline: fmt.Sprintf("with %d", quarter.workers)},
		{Name: title + "processor time of a flap of each", Value: ms(all.flap) / float64(all.workers), Unit: "ms", Baseline: "all leave and come back at once"},
		{Name: "that with all workers", Value: ms(all.flap) / float64(all.workers) / (ms(quarter.flap) / float64(quarter.workers)), Limit: 1.5, Unit: "×", Baseline: fmt.Sprintf("with %d", quarter.workers)},
		{Name: "goroutines left when all have gone", Value: left, Limit: 10, Unit: "", Baseline: "before they came"},
	}
}

// measure makes the crowd n large and watches the coordinator.
func (c *crowd) measure(ctx context.Context, n int) (reading, error) {
	r := reading{workers: n}
	if err := c.resize(ctx, n); err != nil {
		return r, err
	}
	begin, err := c.door.CPU()
	if err != nil {
		return r, err
	}
	if err := c.flap(ctx); err != nil {
		return r, err
	}
	flapped, err := c.door.CPU()
	if err != nil {
		return r, err
	}
	r.flap = flapped - begin
	for end := time.Now().Add(rosterWindow); time.Now().Before(end); {
		rss, err := c.door.RSS()
		if err != nil {
			return r, err
		}
		if r.rss == 0 || rss < r.rss {
			r.rss = rss
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(rosterWindow / 20):
		}
	}
	pinged, err := c.door.CPU()
	if err != nil {
		return r, err
	}
	r.cpu = (pinged - flapped) / (rosterWindow / time.Second)

	start := time.Now()
	for _, sql := range rosterPlans {
		took, err := c.plan(ctx, sql)
		if err != nil {
			return r, err
		}
		r.plan = max(r.plan, took)
	}
	planned, err := c.door.CPU()
	pings := time.Duration(time.Since(start).Seconds() * float64(r.cpu)) // went on meanwhile
	r.planCPU = ms(planned-pinged-pings) / float64(planRounds*len(rosterPlans))
	return r, err
}

// left is how many goroutines more than before the coordinator has once its connections to those who left are closed.
func (c *crowd) left(ctx context.Context, before harness.Footprint) (float64, error) {
	least := 0.0
	for i := range 20 {
		now, err := c.door.Footprint(ctx)
		if err != nil {
			return 0, err
		}
		if more := now.Goroutines - before.Goroutines; i == 0 || more < least {
			least = more
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(rosterWindow / 20):
		}
	}
	return least, nil
}

// plan is the median time of planning a statement, with its way to the client.
func (c *crowd) plan(ctx context.Context, sql string) (float64, error) {
	var times []float64
	for range planRounds {
		c.literal++
		result, err := c.session.Query(ctx, "EXPLAIN "+fmt.Sprintf(sql, c.literal))
		if err != nil {
			return 0, err
		}
		times = append(times, ms(result.Elapsed))
		result.Release()
	}
	return median(times), nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
