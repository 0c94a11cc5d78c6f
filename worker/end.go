package worker

import (
	"context"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// Drain takes no new tasks and waits until those that are here have ended and their outputs were released, or until ctx ends
// (then it returns an error of kind Deadline or Cancelled). Rows of temporary tables are not waited for. What runs goes on, and outputs are served meanwhile. The record
// says draining from now on; tell the membership.
func (w *Worker) Drain(ctx context.Context) error {
	w.health.SetServingStatus("", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	w.mu.Lock()
	w.draining = true
	w.registry.Drain()
	w.mu.Unlock()
	for {
		w.mu.Lock()
		busy, moved := w.registry.Busy(), w.moved
		w.mu.Unlock()
		if busy == 0 {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return qerr.Wrap(qerr.Deadline, "drain worker", &qerr.Error{Kind: qerr.KindOf(ctx.Err()),
				Msg: "tasks or unread outputs are left", Err: ctx.Err()})
		}
	}
}

// Close interrupts all tasks, drops all outputs and returns when nothing of the worker runs any more. Readers still open
// fail with Unavailable. It may be called again.
func (w *Worker) Close() error {
	w.health.Shutdown()
	cause := qerr.New(qerr.Unavailable, "worker %s is shutting down", w.cfg.ID)
	for _, r := range w.update(func(now time.Time, r *lifecycle.Registry) []lifecycle.ID {
		w.closed = true
		return r.InterruptAll(now, cause)
	}) {
		<-r.done
	}
	w.stop()
	w.hub.close()
	w.owned.Wait()
	return w.store.Close()
}

// Usage is what a worker holds at one moment; all zero when nothing is being done.
type Usage struct {
	// Running are tasks that run, Placed those that wait for their reader, Kept those whose output is kept.
	Running, Placed, Kept int
	// ExchangeBytes are kept outputs and fetched inputs in memory, SpillBytes those on disk, in SpillFiles files.
	ExchangeBytes, SpillBytes, SpillFiles int64
	// Watchers are the open control streams. They are no trace of a query.
	Watchers int
}

// Usage reports what the worker holds now.
func (w *Worker) Usage() Usage {
	w.mu.Lock()
	counts := w.registry.Counts()
	running := len(w.runs)
	w.mu.Unlock()
	store := w.store.Usage()
	return Usage{Running: running, Placed: counts[lifecycle.Placed], Kept: store.Outputs, ExchangeBytes: store.Bytes,
		SpillBytes: store.SpillBytes, SpillFiles: store.SpillFiles, Watchers: w.hub.watchers()}
}
