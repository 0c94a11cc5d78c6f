package harness

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/arbalest-sql/arbalest/integration/client"
)

// pollEvery is how often a condition of running processes is looked at.
const pollEvery = 50 * time.Millisecond

// waitMembers waits until the coordinator counts so many usable workers.
func (p *Process) waitMembers(ctx context.Context, want int) error {
	return poll(ctx, func() error {
		m, err := p.Metrics(ctx)
		if err != nil {
			return err
		}
		if have, _ := m.Sum(metricWorkers, `status="usable"`); have < float64(want) {
			return fmt.Errorf("%v of %d workers joined\n%s", have, want, p.LogTail())
		}
		return nil
	})
}

// poll asks again and again until there is no fault; at the end of ctx it returns the last one that was not ctx's.
func poll(ctx context.Context, fault func() error) error {
	var last error
	for {
		err := fault()
		if err == nil {
			return nil
		}
		if last != nil && ctx.Err() != nil {
			return last
		}
		last = err
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pollEvery):
		}
	}
}

// Count runs a statement that gives one BIGINT and returns it.
func Count(ctx context.Context, session *client.Session, sql string) (int64, error) {
	r, err := session.Query(ctx, sql)
	if err != nil {
		return 0, err
	}
	defer r.Release()
	if r.Rows() != 1 || len(r.Batches) != 1 {
		return 0, fmt.Errorf("%s: %d rows, want 1", sql, r.Rows())
	}
	column, ok := r.Batches[0].Column(0).(*array.Int64)
	if !ok {
		return 0, fmt.Errorf("%s: the column is %s, want BIGINT", sql, r.Batches[0].Column(0).DataType())
	}
	return column.Value(0), nil
}
