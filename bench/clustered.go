package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
)

// clusteredQueries bring lineitem and orders together, or lineitem and itself, by the key by which the files lie.
const clusteredQueries = "3,4,12,18,21"

// clustered compares, on one cluster of one-thread workers, plans that join by the ranges of a sorted key with plans that
// exchange both sides: what clustered scans save. Both read the same files.
func clustered(ctx context.Context, o options) (figures []figure, err error) {
	data, err := harness.TPCH(ctx, o.clusterScale, fileParts)
	if err != nil {
		return nil, err
	}
	auto, err := openDoor(ctx, harness.Options{Data: []string{data}, Workers: clusterSize, Threads: 1, Memory: o.memory})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, auto.close()) }()
	exchange := *auto
	if exchange.session, err = client.Dial(ctx, auto.cluster.Door.Address, client.Options{}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, exchange.session.Close()) }()
	if err := exchange.session.Exec(ctx, "SET arbalest.join_strategy = 'exchange'"); err != nil {
		return nil, err
	}
	if o.queries == "" {
		o.queries = clusteredQueries
	}
	r, err := race(ctx, o, &exchange, auto)
	if err != nil {
		return nil, err
	}
	worst, name := r.worst(1, 0, costs.cpu)
	baseline := fmt.Sprintf("the same with arbalest.join_strategy = exchange, scale %v, %d workers of 1 thread", o.clusterScale, clusterSize)
	return []figure{
		{Name: r.title + " as planned: processor time", Value: r.geomean(1, 0, costs.cpu), Limit: 1, Unit: "×", Baseline: baseline + ", geometric mean"},
		{Name: "the worst of them, " + name, Value: worst, Limit: 1, Unit: "×", Baseline: baseline},
	}, nil
}
