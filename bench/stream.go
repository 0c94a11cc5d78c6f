package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/arbalest-sql/arbalest/integration/client"
)

const (
	// streamRounds is how often the stream is read for the share of the first batch.
	streamRounds = 3
	wholeTable   = "SELECT * FROM lineitem"
)

// streams measures the whole of lineitem: the share of the first batch, and the server's memory above idle.
func streams(ctx context.Context, o options) ([]figure, error) {
	figures, err := stream(ctx, o, o.scale)
	if err != nil || o.large == 0 {
		return figures, err
	}
	more, err := stream(ctx, o, o.large)
	return append(figures, more...), err
}

func stream(ctx context.Context, o options, scale float64) (figures []figure, err error) {
	cluster, _, err := serve(ctx, o, scale)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	session, err := client.Dial(ctx, cluster.Door.Address, client.Options{})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	if err := session.Exec(ctx, "SELECT 1"); err != nil {
		return nil, err
	}
	idle, err := cluster.Door.RSS()
	if err != nil {
		return nil, err
	}
	if err := cluster.Door.ResetPeakRSS(); err != nil {
		return nil, err
	}
	var shares []float64
	for range streamRounds {
		first, whole, rows, err := readWhole(ctx, session)
		if err != nil {
			return nil, err
		}
		if o.verbose {
			fmt.Printf("lineitem at scale %v: %d rows in %v, the first batch after %v\n", scale, rows, whole, first)
		}
		shares = append(shares, 100*float64(first)/float64(whole))
	}
	peak, err := cluster.Door.PeakRSS()
	if err != nil {
		return nil, err
	}
	return []figure{
		{Name: fmt.Sprintf("first batch of lineitem, scale %v", scale), Value: median(shares), Limit: 5, Unit: "%", Baseline: "the whole stream's time"},
		{Name: fmt.Sprintf("memory of that stream, scale %v", scale), Value: float64(peak-idle) / 1e6, Limit: 300, Unit: "MB", Baseline: "the idle server"},
	}, nil
}

// readWhole reads all endpoints one after the other and drops the batches.
func readWhole(ctx context.Context, session *client.Session) (first, whole time.Duration, rows int64, err error) {
	start := time.Now()
	info, err := session.SQL.Execute(ctx, wholeTable)
	if err != nil {
		return 0, 0, 0, err
	}
	for _, endpoint := range info.GetEndpoint() {
		err := session.ReadEndpoint(ctx, endpoint, &client.Part{}, func(*flight.Reader) error { return nil }, func(b arrow.RecordBatch) error {
			if rows == 0 {
				first = time.Since(start)
			}
			rows += b.NumRows()
			return nil
		})
		if err != nil {
			return 0, 0, 0, err
		}
	}
	return first, time.Since(start), rows, nil
}
