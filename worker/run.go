package worker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// A run is one execution of a task.
type run struct {
	id   lifecycle.ID
	spec *pb.TaskSpec
	// ctx is the run's own: it ends with a cause by Release, the deadline, the reader's end or Close.
	ctx    context.Context //nolint:containedctx // a run outlives the call that started it; ctx is its lifetime
	cancel context.CancelCauseFunc
	// free gives the context's timer back.
	free context.CancelFunc
	// done is closed when the engine has let go of the run and the registry was told.
	done chan struct{}

	rows, bytes atomic.Uint64
	// stream is set while a result streams.
	stream atomic.Pointer[duck.Stream]
}

// begin enters a run; the caller holds mu, and sees to it that end is called.
func (w *Worker) begin(parent context.Context, id lifecycle.ID, spec *pb.TaskSpec) *run {
	ctx, cancel := context.WithCancelCause(parent)
	r := &run{id: id, spec: spec, ctx: ctx, cancel: cancel, free: func() {}, done: make(chan struct{})}
	if deadline := deadlineOf(spec); !deadline.IsZero() {
		r.ctx, r.free = context.WithDeadlineCause(ctx, deadline, qerr.New(qerr.Deadline, "task %s passed its deadline", id.Key))
	}
	w.runs[id] = r
	return r
}

// end reports a run whose parts are freed. It reports whether a kept output is wanted.
func (w *Worker) end(r *run, o lifecycle.Outcome) (keep bool) {
	if qerr.Is(o.Err, qerr.Internal) {
		w.logFault(o.Err, "task failed")
	} else if o.Err != nil {
		w.cfg.Log.Debug().Err(o.Err).Stringer("task", r.id.Key).Msg("task ended early")
	}
	r.cancel(nil)
	r.free()
	w.update(func(now time.Time, registry *lifecycle.Registry) []lifecycle.ID {
		delete(w.runs, r.id)
		keep = registry.Finish(now, r.id, o)
		return nil
	})
	return keep
}

// failure is the error that a run ended with: the reason why its context ended, when it did, else err. It carries the worker.
func (w *Worker) failure(r *run, err error) error {
	if err == nil {
		return nil
	}
	if r.ctx.Err() != nil {
		err = endOf(r.ctx)
	}
	wrapped := qerr.Wrap(qerr.Internal, "", err)
	if e, ok := wrapped.(*qerr.Error); ok && e.Worker == "" { //nolint:errorlint // just made
		e.Worker = w.cfg.ID
	}
	return wrapped
}

// counters reads a run's counters.
func (r *run) counters() (rows, bytes uint64, progress float64) {
	if s := r.stream.Load(); s != nil {
		progress = s.Progress()
	}
	return r.rows.Load(), r.bytes.Load(), min(max(progress, 0), 1)
}

// openPartitions opens the partitions that an exchange ticket names, out of this worker's own store.
func (w *Worker) openPartitions(ticket []byte) (flightx.Reader, error) {
	t, err := w.verifyTicket(ticket)
	if err != nil {
		return nil, err
	}
	return w.partitions(t)
}

func (w *Worker) partitions(t *pb.Ticket) (flightx.Reader, error) {
	key := keyFrom(t.GetKey())
	if t.GetAudience() != pb.Audience_AUDIENCE_EXCHANGE {
		return nil, qerr.New(qerr.NotFound, "this ticket is not for an exchange")
	}
	w.mu.Lock()
	err := w.registry.Kept(key)
	w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	schema, batches, err := w.store.Take(key, t.GetPartitions())
	if err != nil {
		return nil, err
	}
	return flightx.Batches(schema, batches...), nil
}

// runKept runs a task whose output is kept, to its end.
func (w *Worker) runKept(r *run) {
	defer close(r.done)
	outcome, err := w.execute(r)
	outcome.Err = w.failure(r, err)
	if !w.end(r, outcome) {
		w.store.Drop(r.id.Key)
	}
}

// execute runs a task into the store.
func (w *Worker) execute(r *run) (outcome lifecycle.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = w.panicked(r, p)
		}
	}()
	p, err := w.prepare(r)
	if err != nil {
		return outcome, err
	}
	defer p.free()
	p.job.BytesMax = max(w.store.Free(), 1) // zero would be the engine's default
	output, err := w.cfg.Engine.Partition(r.ctx, p.job, int(r.spec.GetPartitions()))
	if err != nil {
		return outcome, err
	}
	if err := checkFiles(r.ctx, r.spec.GetScans()); err != nil {
		output.Release()
		return outcome, err
	}
	for i := range output.Partitions() {
		rows, bytes := uint64(output.Rows(i)), uint64(output.Bytes(i))
		outcome.PartitionRows = append(outcome.PartitionRows, rows)
		outcome.PartitionBytes = append(outcome.PartitionBytes, bytes)
		outcome.Rows += rows
		outcome.Bytes += bytes
	}
	return outcome, w.store.Put(r.id.Key, arrowtype.WireSchema(typesOf(p.job.Columns)), output)
}

// panicked makes a panic in a run an error: a bug in one task must not end the others.
func (w *Worker) panicked(r *run, p any) error {
	return qerr.Wrap(qerr.Internal, "run task "+r.id.Key.String(), flightx.Recovered(p))
}
