package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/duck"
)

// scatterThreads are the engines that take turns.
var scatterThreads = []int{1, 2}

// scatter prints {"scan1": […], "scatter1": […], "scan2": …}: for engines of one and two threads the scan of all columns (their
// max, which reads every value and makes next to nothing of it), and the scan whose rows are scattered into partitions.
func scatter(ctx context.Context, data string, rounds int) error {
	columns, from := lineitem(data)
	scanSQL := "SELECT max(" + strings.Join(names(columns), "), max(") + ")" + from
	scatterSQL := partitioned(columns, from)
	var engines []*duck.Engine
	for _, threads := range scatterThreads {
		e, err := openEngine(data, threads)
		if err != nil {
			return err
		}
		defer e.Close()
		engines = append(engines, e)
	}
	results := map[string][]cost{}
	for round := range rounds + 1 { // the first warms the page cache
		for i, e := range engines {
			for _, one := range []struct {
				name string
				run  func() error
			}{
				{"scan", func() error { return drain(ctx, e, scanSQL) }},
				{"scatter", func() error {
					job := duck.Job{SQL: scatterSQL, Columns: columns}
					// What a worker does with them comes on top; here they are dropped, so that memory is reused as it is there.
					return e.PartitionTo(ctx, job, partitions, func(_ int, batch arrow.RecordBatch, _ int64) error {
						batch.Release()
						return nil
					})
				}},
			} {
				c, err := measure(one.run)
				if err != nil {
					return err
				}
				if round > 0 {
					name := one.name + strconv.Itoa(scatterThreads[i])
					results[name] = append(results[name], c)
				}
			}
		}
	}
	return print(results)
}

// drain runs a statement and drops its rows.
func drain(ctx context.Context, e *duck.Engine, sql string) error {
	s, err := e.Stream(ctx, duck.Job{SQL: sql})
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		batch, err := s.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		batch.Release()
	}
}
