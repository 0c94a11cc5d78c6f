package compat

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-adbc/go/adbc"
	driver "github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
)

func adbcStreaming(ctx context.Context, s setting, c adbc.Connection) error {
	return adbcStatement(c, s.Endless, func(statement adbc.Statement) error {
		reader, _, err := statement.ExecuteQuery(ctx)
		if err != nil {
			return err
		}
		defer reader.Release()
		if !reader.Next() || reader.RecordBatch().NumRows() == 0 {
			return fmt.Errorf("no rows: %w", reader.Err())
		}
		return nil
	})
}

// adbcLocations notes whom the driver connects to.
func adbcLocations(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		var mu sync.Mutex
		dialled := map[string]bool{}
		note := grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			mu.Lock()
			dialled[address] = true
			mu.Unlock()
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		})
		db, err := driver.NewDriver(memory.DefaultAllocator).NewDatabaseWithOptions(map[string]string{adbc.OptionKeyURI: s.URI}, note)
		if err != nil {
			return err
		}
		return errors.Join(useADBC(ctx, db, func(c adbc.Connection) error {
			if err := adbcUpdate(ctx, c, "SET arbalest.distributed = 'always'", -1); err != nil {
				return err
			}
			if err := adbcWhole(ctx, c, "SELECT n, s FROM numbers", s.Rows); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if len(dialled) != 1+workers {
				return fmt.Errorf("connected to %v, want the coordinator and %d workers", dialled, workers)
			}
			return nil
		}), db.Close())
	}
}

// adbcPartitions reads each part over a connection of its own.
func adbcPartitions(ctx context.Context, s setting, c adbc.Connection) error {
	if err := adbcUpdate(ctx, c, "SET arbalest.distributed = 'always'", -1); err != nil {
		return err
	}
	return adbcStatement(c, "SELECT n, s FROM numbers", func(statement adbc.Statement) error {
		_, parts, _, err := statement.ExecutePartitions(ctx)
		if err != nil || len(parts.PartitionIDs) != workers {
			return fmt.Errorf("%d parts, %w", len(parts.PartitionIDs), err)
		}
		rows := int64(0)
		for _, id := range parts.PartitionIDs {
			err := withADBC(ctx, map[string]string{adbc.OptionKeyURI: s.URI}, func(other adbc.Connection) error {
				n, err := adbcPart(ctx, other, id)
				rows += n
				return err
			})
			if err != nil {
				return err
			}
		}
		if rows != s.Rows {
			return fmt.Errorf("%d rows in the parts, want %d", rows, s.Rows)
		}
		return nil
	})
}

// adbcPart counts the rows of a part of a result.
func adbcPart(ctx context.Context, c adbc.Connection, id []byte) (rows int64, err error) {
	reader, err := c.ReadPartition(ctx, id)
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	for reader.Next() {
		rows += reader.RecordBatch().NumRows()
	}
	return rows, reader.Err()
}

func adbcPoll(ctx context.Context, s setting, c adbc.Connection) error {
	if err := adbcUpdate(ctx, c, "SET arbalest.distributed = 'always'", -1); err != nil {
		return err
	}
	return adbcStatement(c, s.Slow, func(statement adbc.Statement) error {
		options, ok := statement.(adbc.GetSetOptions)
		if !ok {
			return errors.New("the statement has no options")
		}
		if err := options.SetOption(adbc.OptionKeyIncremental, adbc.OptionValueEnabled); err != nil {
			return err
		}
		var seen []float64
		var done atomic.Bool
		watched := make(chan error, 1)
		go func() {
			for !done.Load() {
				p, err := options.GetOptionDouble(adbc.OptionKeyProgress)
				if err != nil {
					watched <- err
					return
				}
				if len(seen) == 0 || p != seen[len(seen)-1] {
					seen = append(seen, p)
				}
				time.Sleep(10 * time.Millisecond)
			}
			watched <- nil
		}()
		var parts [][]byte
		var err error
		for {
			var more adbc.Partitions
			if _, more, _, err = statement.ExecutePartitions(ctx); err != nil || len(more.PartitionIDs) == 0 {
				break
			}
			parts = append(parts, more.PartitionIDs...)
		}
		done.Store(true)
		if err := errors.Join(err, <-watched); err != nil {
			return err
		}
		rows := int64(0)
		for _, part := range parts {
			n, err := adbcPart(ctx, c, part)
			if err != nil {
				return err
			}
			rows += n
		}
		if !slices.IsSorted(seen) || len(seen) < 2 || rows != 2 {
			return fmt.Errorf("%d rows, the progress was %v", rows, seen)
		}
		return nil
	})
}

func adbcTimeout(ctx context.Context, s setting, c adbc.Connection) error {
	return adbcStatement(c, s.computing(), func(statement adbc.Statement) error {
		if err := statement.SetOption(driver.OptionTimeoutFetch, "1"); err != nil {
			return err
		}
		if err := statement.SetOption(driver.OptionTimeoutQuery, "1"); err != nil {
			return err
		}
		_, err := adbcTexts(ctx, statement)
		return adbcFails(err, adbc.StatusTimeout, "")
	})
}
