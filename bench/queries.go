package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

const (
	// nodeLimit is what one node may take, as a multiple of DuckDB's time with as many threads; clusterLimit and worstLimit are
	// for a cluster of as many threads, over all queries and for each.
	nodeLimit    = 1.15
	clusterLimit = 1.5
	worstLimit   = 3
	// A second worker, each pinned to a core of its own, must make queries speedupMin times as fast; where other work hides that,
	// two must not use more than overheadMax times the processor time of one.
	speedupMin  = 1.7
	overheadMax = 1.15
	// clusterSize is the number of workers, of one thread each, and of the baseline's threads.
	clusterSize = 2
)

// queries compares the 22 TPC-H queries on one node with DuckDB in-process.
func queries(ctx context.Context, o options) (figures []figure, err error) {
	data, err := harness.TPCH(ctx, o.scale, fileParts)
	if err != nil {
		return nil, err
	}
	ours, err := openDoor(ctx, harness.Options{Data: []string{data}, Embedded: true, Workers: 1, Threads: o.threads, Memory: o.memory})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ours.close()) }()
	duck, err := startDuck(ctx, data, o.threads)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, duck.close()) }()
	r, err := race(ctx, o, duck, ours)
	if err != nil {
		return nil, err
	}
	return []figure{{Name: fmt.Sprintf("%s, scale %v", r.title, o.scale), Value: r.geomean(1, 0, costs.ms), Limit: nodeLimit, Unit: "×",
		Baseline: fmt.Sprintf("DuckDB in-process, %d threads, geometric mean", o.threads)}}, nil
}

// cluster compares a coordinator and two workers of one thread each with DuckDB in-process with two threads.
func cluster(ctx context.Context, o options) (figures []figure, err error) {
	data, err := harness.TPCH(ctx, o.clusterScale, fileParts)
	if err != nil {
		return nil, err
	}
	ours, err := openDoor(ctx, harness.Options{Data: []string{data}, Workers: clusterSize, Threads: 1, Memory: o.memory})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ours.close()) }()
	duck, err := startDuck(ctx, data, clusterSize)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, duck.close()) }()
	r, err := race(ctx, o, duck, ours)
	if err != nil {
		return nil, err
	}
	worst, name := r.worst(1, 0, costs.ms)
	baseline := fmt.Sprintf("DuckDB in-process, %d threads", clusterSize)
	return []figure{
		{Name: fmt.Sprintf("%s, scale %v, %d workers of 1 thread", r.title, o.clusterScale, clusterSize), Value: r.geomean(1, 0, costs.ms),
			Limit: clusterLimit, Unit: "×", Baseline: baseline + ", geometric mean"},
		{Name: "the slowest of them, " + name, Value: worst, Limit: worstLimit, Unit: "×", Baseline: baseline + ", each query"},
		{Name: "their processor time in the workers", Value: r.geomean(1, 0, costs.cpu), Unit: "×", Baseline: baseline + ", geometric mean"},
	}, nil
}

// speedup compares two workers with one, each pinned to a core.
func speedup(ctx context.Context, o options) (figures []figure, err error) {
	data, err := harness.TPCH(ctx, o.clusterScale, fileParts)
	if err != nil {
		return nil, err
	}
	var sizes []contender
	for size := 1; size <= clusterSize; size++ {
		d, err := openDoor(ctx, harness.Options{Data: []string{data}, Workers: size, Threads: 1, Memory: o.memory})
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, d.close()) }()
		for core, w := range d.cluster.Workers {
			if err := w.Pin(core); err != nil {
				return nil, err
			}
		}
		sizes = append(sizes, d)
	}
	r, err := race(ctx, o, sizes...)
	if err != nil {
		return nil, err
	}
	baseline := fmt.Sprintf("one worker, geometric mean at scale %v, each pinned to a core", o.clusterScale)
	return []figure{
		{Name: r.title + ": speed of two workers", Value: r.geomean(0, 1, costs.ms), Limit: speedupMin, AtLeast: true, Unit: "×", Baseline: baseline},
		{Name: r.title + ": processor time of two workers", Value: r.total(1, costs.cpu) / r.total(0, costs.cpu), Limit: overheadMax, Unit: "×",
			Baseline: "one worker, sum; counts where other work hides the speed"},
	}, nil
}

// results of a race: for each query the costs in each contender.
type results struct {
	title string
	names []string
	costs [][]costs
}

// race runs the chosen queries in all contenders.
func race(ctx context.Context, o options, all ...contender) (*results, error) {
	chosen, err := chosenQueries(o.queries)
	if err != nil {
		return nil, err
	}
	r := &results{title: fmt.Sprintf("%d TPC-H queries", len(chosen))}
	for _, q := range chosen {
		c, err := duel(ctx, q.Name, q.SQL, o.rounds, all...)
		if err != nil {
			return nil, err
		}
		r.names, r.costs = append(r.names, q.Name), append(r.costs, c)
		if o.verbose {
			fmt.Printf("%s", q.Name)
			for i := range all {
				fmt.Printf("  %8.1f ms, CPU %8.1f ms", c[i].ms(), c[i].cpu())
			}
			fmt.Printf("  ×%.2f, CPU ×%.2f\n", c[1].ms()/c[0].ms(), c[1].cpu()/c[0].cpu())
		}
	}
	return r, nil
}

// chosenQueries reads a list like "1,3,18"; empty = all.
func chosenQueries(list string) ([]tpch.Query, error) {
	all := tpch.Queries()
	if list == "" {
		return all, nil
	}
	var chosen []tpch.Query
	for _, text := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(text), "q"))
		if err != nil || n < 1 || n > len(all) {
			return nil, fmt.Errorf("-queries %q: there are 1 to %d", list, len(all))
		}
		chosen = append(chosen, all[n-1])
	}
	return chosen, nil
}

// geomean is the geometric mean over all queries of one contender's cost ÷ another's.
func (r *results) geomean(of, by int, cost func(costs) float64) float64 {
	var logs float64
	for _, c := range r.costs {
		logs += math.Log(cost(c[of]) / cost(c[by]))
	}
	return math.Exp(logs / float64(len(r.costs)))
}

// worst gives the largest ratio and its query.
func (r *results) worst(of, by int, cost func(costs) float64) (ratio float64, name string) {
	for i, c := range r.costs {
		if x := cost(c[of]) / cost(c[by]); x > ratio {
			ratio, name = x, r.names[i]
		}
	}
	return ratio, name
}

func (r *results) total(of int, cost func(costs) float64) (sum float64) {
	for _, c := range r.costs {
		sum += cost(c[of])
	}
	return sum
}
