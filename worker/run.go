package worker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/worker/exchange"
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
	// spilled are the bytes of its inputs that are on disk.
	spilled atomic.Uint64
	// stream is set while a result streams; output and progress while a kept task runs.
	stream   atomic.Pointer[duck.Stream]
	output   atomic.Pointer[exchange.Writer]
	progress atomic.Pointer[func() float64]
}

// begin enters a run; the caller holds mu, and sees to it that end is called.
func (w *Worker) begin(parent context.Context, id lifecycle.ID, spec *pb.TaskSpec) *run {
	ctx, cancel := context.WithCancelCause(parent)
	r := &run{id: id, spec: spec, ctx: ctx, cancel: cancel, free: func() {}, done: make(chan struct{})}
	if deadline := deadlineOf(spec); !deadline.IsZero() {
		r.ctx, r.free = context.WithDeadlineCause(ctx, deadline, lifecycle.LateError)
	}
	w.runs[id] = r
	return r
}

// end reports a run whose parts are freed. It reports whether a kept output is wanted.
func (w *Worker) end(r *run, o lifecycle.Outcome) (keep bool) {
	if qerr.Is(o.Err, qerr.Internal) {
		w.logFault(o.Err, "task failed")
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
	rows, bytes = r.rows.Load(), r.bytes.Load()
	if s := r.stream.Load(); s != nil {
		progress = s.Progress()
	}
	if out := r.output.Load(); out != nil {
		rows, bytes = out.Written()
	}
	if done := r.progress.Load(); done != nil {
		progress = (*done)()
	}
	return rows, bytes, min(max(progress, 0), 1)
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
	reader, err := w.store.Open(key, t.GetPartitions())
	if err != nil {
		return nil, err // not the reader: a nil one is not a nil flightx.Reader
	}
	return reader, nil
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

// pendingBytesMax bounds the batches in the making of one task: with it, 64 partitions on 2 threads still get batches of 1 MiB.
const pendingBytesMax = 128 << 20

// execute runs a task into the store.
func (w *Worker) execute(r *run) (outcome lifecycle.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = w.panicked(r, p)
		}
	}()
	p, err := w.prepare(r)
	outcome.SpillBytes = r.spilled.Load()
	if err != nil {
		return outcome, err
	}
	defer p.free()
	partitions := int(r.spec.GetPartitions())
	if partitions == 0 {
		return w.keepResult(r, p, outcome)
	}
	output, err := w.store.Begin(r.id.Key, arrowtype.WireSchema(typesOf(p.job.Columns)), partitions, r.spec.GetSpill())
	if err != nil {
		return outcome, err
	}
	defer output.Abort()
	r.output.Store(output)
	p.job.PendingBytesMax = max(min(w.cfg.ExchangeBytesMax/8, pendingBytesMax), 1)
	p.job.Started = func(progress func() float64) { r.progress.Store(&progress) }
	put, values := output.Put, newSummarizer(p.job.Columns, r.spec.GetSummarize())
	if values != nil {
		put = func(partition int, batch arrow.RecordBatch, bytes int64) error {
			values.add(batch)
			return output.Put(partition, batch, bytes)
		}
	}
	err = w.cfg.Engine.PartitionTo(r.ctx, p.job, partitions, put)
	if err == nil {
		err = checkFiles(r.ctx, r.spec.GetScans())
	}
	if err != nil {
		outcome.Rows, outcome.Bytes = output.Written()
		return outcome, err
	}
	stats, err := output.Commit()
	if err != nil {
		return outcome, err
	}
	outcome.Rows, outcome.Bytes, outcome.SpillBytes = stats.Rows, stats.Bytes, outcome.SpillBytes+stats.SpillBytes
	outcome.PartitionRows, outcome.PartitionBytes = stats.PartitionRows, stats.PartitionBytes
	outcome.Summaries = values.summaries()
	return outcome, nil
}

// panicked makes a panic in a run an error: a bug in one task must not end the others.
func (w *Worker) panicked(r *run, p any) error {
	return qerr.Wrap(qerr.Internal, "run task "+r.id.Key.String(), flightx.Recovered(p))
}
