package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// idleWait is how long work may take to be gone after its last client was told so: an interrupt of the engine and a few
// rounds of control messages.
const idleWait = 30 * time.Second

// resultTTL is how long the product keeps a result that nobody reads.
const resultTTL = time.Minute

// orphanAfter is how long a worker keeps tasks of a coordinator that does not watch it.
const orphanAfter = 2 * time.Minute

// The names of metrics that the suites rely on.
const (
	metricWorkers = "arbalest_workers"
	metricLive    = "arbalest_queries_live"

	// MetricOutputRows counts, at a worker, the rows that its ended tasks gave.
	MetricOutputRows = "arbalest_worker_output_rows_total"
	// MetricStages and MetricTasks count, at the door, the stages and tasks of distributed queries that were started.
	MetricStages = "arbalest_query_stages_total"
	MetricTasks  = "arbalest_query_tasks_total"
)

// workerGauges are a worker's gauges that are zero when it has nothing to do.
var workerGauges = []string{
	"arbalest_worker_tasks", "arbalest_worker_kept_outputs", "arbalest_worker_exchange_bytes",
	"arbalest_worker_spill_bytes", "arbalest_worker_spill_files", "arbalest_worker_engine_temp_bytes",
	"arbalest_worker_engine_connections",
}

// sessionGauges are a door's gauges that are zero when no client holds anything.
var sessionGauges = []string{
	"arbalest_sessions", "arbalest_prepared_statements", "arbalest_transactions", "arbalest_polled_queries", "arbalest_session_state_bytes",
}

// WaitClosed is WaitIdle, and waits besides until no session, statement or transaction is left at the doors, and no process has
// more connections than those to the others: what is true once every client has closed what it opened.
func (c *Cluster) WaitClosed(ctx context.Context) error {
	if err := c.WaitIdle(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, idleWait)
	defer cancel()
	return poll(ctx, func() error {
		for _, p := range c.doors() {
			m, err := p.Metrics(ctx)
			if err != nil {
				return err
			}
			for _, name := range sessionGauges {
				if value, ok := m.Sum(name); !ok || value != 0 {
					return fmt.Errorf("%s has %s=%v (known: %t)", p.Name, name, value, ok)
				}
			}
		}
		return c.connected(ctx)
	})
}

// WaitIdle waits until no query lives, no worker holds a task, an output, a batch or an engine connection, and no process has an open
// file that it did not have when it was ready, or goroutines that its connections do not explain. Its error says what is left after
// the time for it. Processes that Kill has ended hold nothing.
func (c *Cluster) WaitIdle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, idleWait)
	defer cancel()
	return poll(ctx, func() error { return c.busy(ctx) })
}

// WaitExpired is WaitIdle for where a client may have left a result unread, which the product keeps for a time: a client that was
// cut off from a worker, and does not come back.
func (c *Cluster) WaitExpired(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, resultTTL+idleWait)
	defer cancel()
	return poll(ctx, func() error { return c.busy(ctx) })
}

// WaitOrphaned is WaitIdle for where coordinators ended that may have told a worker of a task and not of its end: workers end such
// tasks when they have not heard of their coordinator for a time.
func (c *Cluster) WaitOrphaned(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, orphanAfter+idleWait)
	defer cancel()
	return poll(ctx, func() error { return c.busy(ctx) })
}

// CheckIdle holds that the cluster is idle (WaitExpired) when a test ends that went well; ctx of a test has ended by then. Call it after what
// makes the cluster, whose end comes later.
func (c *Cluster) CheckIdle(tb testing.TB) {
	tb.Cleanup(func() {
		if tb.Failed() {
			return
		}
		if err := c.WaitExpired(context.Background()); err != nil {
			tb.Error(err)
		}
	})
}

func (c *Cluster) busy(ctx context.Context) error {
	var left []string
	for _, p := range c.Processes() {
		if p.wasKilled() {
			continue
		}
		m, err := p.Metrics(ctx)
		if err != nil {
			return err
		}
		var gauges []string
		door := slices.Contains(c.doors(), p)
		if door {
			gauges = append(gauges, metricLive)
		}
		if !door || p.Name == "serve" {
			gauges = append(gauges, workerGauges...)
		}
		for _, name := range gauges {
			value, ok := m.Sum(name)
			if !ok {
				return fmt.Errorf("%s has no metric %s", p.Name, name)
			}
			if value != 0 {
				left = append(left, fmt.Sprintf("%s %s=%v", p.Name, name, value))
			}
		}
		more, err := p.grown(m)
		if err != nil {
			return err
		}
		left = append(left, more...)
	}
	if left != nil {
		return fmt.Errorf("not idle: %s", strings.Join(left, ", "))
	}
	return nil
}
