package worker

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// errReaderLeft is why a result ends whose reader closed it early.
var errReaderLeft = qerr.New(qerr.Cancelled, "the reader left before the end of the result")

// Open redeems a result ticket for a caller in this process that has checked who the subject is: a coordinator that serves
// the result itself. ctx covers the whole stream. The caller closes the reader.
//
// Errors: Unauthenticated and NotFound for tickets that are not valid here, AlreadyExists for a result that was read, and
// what the task itself fails with before its first row.
func (w *Worker) Open(ctx context.Context, ticket []byte, subject string) (flightx.Reader, error) {
	t, err := w.verifyTicket(ticket)
	if err != nil {
		return nil, err
	}
	if t.GetAudience() != pb.Audience_AUDIENCE_RESULT {
		return nil, qerr.New(qerr.NotFound, "this ticket is not for a result")
	}
	if err := checkSubject(t, subject); err != nil {
		return nil, err
	}
	if kept, err := w.openKept(t); kept != nil || err != nil {
		return kept, err
	}
	return w.openResult(ctx, t, true)
}

// openResult starts the task that a verified result ticket names or carries; proxied says that a coordinator reads it.
func (w *Worker) openResult(ctx context.Context, t *pb.Ticket, proxied bool) (*resultReader, error) {
	r, err := w.redeem(ctx, t, proxied)
	if err != nil {
		return nil, err
	}
	reader := &resultReader{worker: w, run: r, deferred: len(r.spec.GetInputs()) > 0}
	if err := reader.start(); err != nil {
		return nil, reader.finish(err)
	}
	// A reader that does not read must not keep the engine when its task is to end.
	// (When the run has ended otherwise, the context ends too, and finish does nothing.)
	context.AfterFunc(r.ctx, func() { _ = reader.finish(endOf(r.ctx)) })
	return reader, nil
}

// redeem begins the run of a ticket's task.
func (w *Worker) redeem(ctx context.Context, t *pb.Ticket, proxied bool) (r *run, err error) {
	key, direct := keyFrom(t.GetKey()), t.GetTask()
	if direct != nil {
		if err := checkSpec(direct); err != nil {
			return nil, err
		}
	}
	w.update(func(now time.Time, registry *lifecycle.Registry) []lifecycle.ID {
		var id lifecycle.ID
		if direct != nil {
			id, err = registry.Direct(now, lifecycle.Task{Key: key, Kind: lifecycle.Direct, Deadline: deadlineOf(direct)})
		} else {
			id, err = registry.Redeem(now, key, proxied)
		}
		if err != nil {
			return nil
		}
		spec := direct
		if spec == nil {
			spec = w.specs[id]
			delete(w.specs, id)
		}
		r = w.begin(ctx, id, spec)
		return nil
	})
	return r, err
}

// resultReader streams one run of a result task out of the engine.
type resultReader struct {
	worker   *Worker
	run      *run
	prepared *prepared
	stream   *duck.Stream
	schema   *arrow.Schema
	deferred bool

	ending sync.Once
	// ended is what the run ended with; set within ending.
	ended error
}

// start prepares the run and opens its stream.
func (r *resultReader) start() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.worker.panicked(r.run, p)
		}
	}()
	if r.prepared, err = r.worker.prepare(r.run); err != nil {
		return err
	}
	if r.stream, err = r.worker.cfg.Engine.Stream(r.run.ctx, r.prepared.job); err != nil {
		return err
	}
	r.schema = r.stream.Schema()
	r.run.stream.Store(r.stream)
	return nil
}

// Schema implements flightx.Reader.
func (r *resultReader) Schema() *arrow.Schema { return r.schema }

// SchemaDeferred implements flightx.Deferred: a root above an exchange can still be run elsewhere until its schema is out.
func (r *resultReader) SchemaDeferred() bool { return r.deferred }

// SchemaSent implements flightx.SchemaWatcher.
func (r *resultReader) SchemaSent() {
	r.worker.update(func(now time.Time, registry *lifecycle.Registry) []lifecycle.ID {
		registry.SchemaSent(now, r.run.id)
		return nil
	})
}

// Next implements flightx.Reader.
func (r *resultReader) Next(ctx context.Context) (batch arrow.RecordBatch, err error) {
	defer func() {
		if p := recover(); p != nil {
			batch, err = nil, r.finish(r.worker.panicked(r.run, p))
		}
	}()
	stop := context.AfterFunc(ctx, func() { r.run.cancel(context.Cause(ctx)) })
	defer stop()
	batch, err = r.stream.Next(r.run.ctx)
	if err == nil {
		r.run.rows.Add(uint64(batch.NumRows()))
		r.run.bytes.Add(uint64(flightx.BatchBytes(batch)))
		return batch, nil
	}
	if flightx.AtEnd(err) {
		if err = checkFiles(r.run.ctx, r.run.spec.GetScans()); err == nil {
			err = io.EOF
		}
	}
	return nil, r.finish(err)
}

// Close implements flightx.Reader.
func (r *resultReader) Close() error {
	_ = r.finish(errReaderLeft)
	return nil
}

// finish ends the run once, with io.EOF when all was read, and returns what it ended with. It returns after the engine let go.
func (r *resultReader) finish(err error) error {
	r.ending.Do(func() {
		r.ended = io.EOF
		if !flightx.AtEnd(err) {
			r.ended = r.worker.failure(r.run, err)
			r.run.cancel(r.ended)
		}
		if r.stream != nil {
			_ = r.stream.Close()
		}
		if r.prepared != nil {
			r.prepared.free()
		}
		outcome := lifecycle.Outcome{Rows: r.run.rows.Load(), Bytes: r.run.bytes.Load(), SpillBytes: r.run.spilled.Load()}
		if !flightx.AtEnd(r.ended) {
			outcome.Err = r.ended
		}
		r.worker.end(r.run, outcome)
		close(r.run.done)
	})
	return r.ended
}
