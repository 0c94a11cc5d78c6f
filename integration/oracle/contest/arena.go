package contest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/flightserver"
	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
	"github.com/arbalest-sql/arbalest/internal/testcluster"
)

const (
	// engineBytes is each worker's engine: twice what the oracle has. Window
	// functions over lists grow with the square of their rows and cannot spill; exchanges spill by a setting, not for want
	// of this memory.
	engineBytes = 1 << 30
	// messageBytesMax lets single rows of nested values through, which are sent whole however large they are.
	messageBytesMax = 256 << 20
)

// An Arena is clusters of several sizes over the same files. Safe for concurrent use.
type Arena struct {
	tb       testing.TB
	dir      string
	mu       sync.Mutex
	clusters map[int]*testcluster.Cluster
	sessions map[Config]*client.Session
}

// Open returns an arena over a directory of tables. Clusters start when they are first asked for, and end with the test.
func Open(tb testing.TB, dir string) *Arena {
	return &Arena{tb: tb, dir: dir, clusters: map[int]*testcluster.Cluster{}, sessions: map[Config]*client.Session{}}
}

// cluster must be called with the lock.
func (a *Arena) cluster(workers int) *testcluster.Cluster {
	if c, ok := a.clusters[workers]; ok {
		return c
	}
	door := func(c *testcluster.Cluster) ([]grpc.ServerOption, func(grpc.ServiceRegistrar)) {
		flight, err := flightserver.New(flightserver.Config{
			Queries: flightserver.FromCoordinator(c.Coordinator), Catalog: c.Catalog, Keys: c.Keys, Version: "test",
		})
		if err != nil {
			a.tb.Fatal(err)
		}
		a.tb.Cleanup(flight.Close)
		return []grpc.ServerOption{grpc.ChainUnaryInterceptor(flight.UnaryInterceptor), grpc.ChainStreamInterceptor(flight.StreamInterceptor)},
			func(r grpc.ServiceRegistrar) { flight.Register(r) }
	}
	c := testcluster.Start(a.tb, testcluster.Options{Workers: workers, Data: a.dir, Door: door, WorkerMemoryBytes: engineBytes})
	a.clusters[workers] = c
	return c
}

// session gives the session of a configuration.
func (a *Arena) session(ctx context.Context, c Config) (*client.Session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, ok := a.sessions[c]; ok {
		return s, nil
	}
	s, err := client.Dial(ctx, a.cluster(c.Workers).Address, client.Options{MessageBytesMax: messageBytesMax})
	if err != nil {
		return nil, err
	}
	for _, set := range c.set() {
		if err := s.Exec(ctx, set); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", set, err), s.Close())
		}
	}
	a.tb.Cleanup(func() { _ = s.Close() })
	a.sessions[c] = s
	return s, nil
}

// Run runs a statement under a configuration and reads its whole result, which the caller releases. Its errors have the kind
// that the server gave them.
func (a *Arena) Run(ctx context.Context, c Config, sql string) (*client.Result, error) {
	s, err := a.session(ctx, c)
	if err != nil {
		return nil, err
	}
	r, err := s.Query(ctx, sql)
	return r, grpcerr.FromStatus(err)
}

// Explain prints the plan that a statement has under a configuration.
func (a *Arena) Explain(ctx context.Context, c Config, sql string) (string, error) {
	return a.explain(ctx, c, "EXPLAIN "+sql)
}

// Analyze runs a statement under a configuration and prints the plan that ran.
func (a *Arena) Analyze(ctx context.Context, c Config, sql string) (string, error) {
	return a.explain(ctx, c, "EXPLAIN ANALYZE "+sql)
}

func (a *Arena) explain(ctx context.Context, c Config, sql string) (string, error) {
	r, err := a.Run(ctx, c, sql)
	if err != nil {
		return "", err
	}
	defer r.Release()
	for _, b := range r.Batches {
		if column, ok := b.Column(1).(*array.String); ok && b.NumRows() > 0 {
			return strings.Clone(column.Value(0)), nil
		}
	}
	return "", errors.New("EXPLAIN gave no plan")
}

// Spilled tells how many bytes the latest tasks of all clusters wrote to disk.
func (a *Arena) Spilled(ctx context.Context) (int64, error) {
	a.mu.Lock()
	var counts []int
	for workers := range a.clusters {
		counts = append(counts, workers)
	}
	a.mu.Unlock()
	var total int64
	for _, workers := range counts {
		c := Config{Workers: workers, Join: settings.Auto, Spill: settings.Auto, Distributed: settings.Auto}
		r, err := a.Run(ctx, c, "SELECT CAST(coalesce(sum(spill_bytes), 0) AS BIGINT) FROM sys.tasks")
		if err != nil {
			return 0, err
		}
		for _, b := range r.Batches {
			if column, ok := b.Column(0).(*array.Int64); ok && b.NumRows() > 0 {
				total += column.Value(0)
			}
		}
		r.Release()
	}
	return total, nil
}

// Idle waits until nothing of any query is left in any cluster, or fails the test.
func (a *Arena) Idle() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.clusters {
		c.Idle(a.tb)
	}
}
