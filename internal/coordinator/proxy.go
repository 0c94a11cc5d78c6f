package coordinator

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A proxyReader reads a root task at its worker for a client. Until it has given its taker a batch, it follows the task to
// other workers when the one that it reads from fails; the schema is the same everywhere. Every end is told to the query.
type proxyReader struct {
	c      *Coordinator
	q      *Query
	task   ids.TaskIndex
	ticket *pb.Ticket
	signed []byte
	ctx    context.Context //nolint:containedctx // the stream's, given to Open; later attempts are opened under it too
	cancel context.CancelCauseFunc

	attempt ids.Attempt // being read; the taker's goroutine only
	sent    bool
	end     error // what Next keeps returning

	mu     sync.Mutex
	inner  flightx.Reader // guarded by mu
	closed bool           // guarded by mu
}

var errProxyClosed = qerr.New(qerr.Cancelled, "the stream was closed")

// openProxy reads the root task that a ticket of a live query names, in its current attempt.
func (c *Coordinator) openProxy(ctx context.Context, q *Query, t *pb.Ticket, signed []byte) (flightx.Reader, error) {
	r := &proxyReader{c: c, q: q, task: ids.TaskIndex(t.GetKey().GetTask()), ticket: t, signed: signed}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	if err := r.open(); err != nil {
		r.cancel(nil)
		return nil, err
	}
	return r, nil
}

// open opens the task's current attempt, and the next one when that fails, as long as the query goes on.
func (r *proxyReader) open() error {
	for {
		at, err := r.q.placeOf(r.ctx, r.task, r.attempt, r.ticket, r.signed)
		if err != nil {
			if r.ctx.Err() != nil {
				r.q.step(lifecycle.ReaderGone{Task: r.task, Now: r.c.cfg.Now()})
			}
			return err
		}
		r.attempt = at.attempt
		r.q.step(lifecycle.Opened{Task: r.task, Attempt: r.attempt, Now: r.c.cfg.Now()})
		inner, err := r.c.openWorker(r.ctx, at, r.ticket.GetSubject())
		if err == nil {
			return r.adopt(inner)
		}
		if qerr.Is(err, qerr.NotFound) { // the worker has forgotten the task, as another life of it would have
			err = &qerr.Error{Kind: qerr.Unavailable, Msg: "the result is not where it was placed", Worker: at.worker, Err: err}
		}
		if again, err := r.failed(err); !again {
			return err
		}
	}
}

// adopt makes an opened stream the one that is read.
func (r *proxyReader) adopt(inner flightx.Reader) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		_ = inner.Close()
		return errProxyClosed
	case r.inner != nil && !r.inner.Schema().Equal(inner.Schema()):
		_ = inner.Close()
		return qerr.New(qerr.Internal, "another attempt of the result has another schema")
	}
	r.inner = inner
	return nil
}

// failed tells the query that its task could not be read, and reports whether there will be another attempt; if not, why.
func (r *proxyReader) failed(err error) (again bool, why error) {
	now := r.c.cfg.Now()
	if r.ctx.Err() != nil {
		r.q.step(lifecycle.ReaderGone{Task: r.task, Now: now})
		return false, err
	}
	if qerr.Is(err, qerr.AlreadyExists) { // somebody else reads it
		return false, err
	}
	if ended := r.q.err(); ended != nil {
		return false, ended
	}
	if qerr.Is(err, qerr.Cancelled) { // neither the client nor the query ended it: connections to a lost worker are closed
		err = &qerr.Error{Kind: qerr.Unavailable, Msg: "the worker's stream broke; send the statement again", Err: err}
	}
	r.q.step(lifecycle.Unreadable{Task: r.task, Attempt: r.attempt, Err: err, Now: now})
	if ended := r.q.err(); ended != nil {
		return false, ended
	}
	if r.sent || !r.q.moved(r.task, r.attempt) {
		return false, err
	}
	return true, nil
}

// Schema implements flightx.Reader.
func (r *proxyReader) Schema() *arrow.Schema { return r.current().Schema() }

func (r *proxyReader) current() flightx.Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inner
}

// SchemaDeferred implements flightx.Deferred.
func (r *proxyReader) SchemaDeferred() bool {
	deferred, ok := r.current().(flightx.Deferred)
	return ok && deferred.SchemaDeferred()
}

// SchemaSent implements flightx.SchemaWatcher.
func (r *proxyReader) SchemaSent() {
	if watcher, ok := r.current().(flightx.SchemaWatcher); ok {
		watcher.SchemaSent()
	}
}

// Next implements flightx.Reader.
func (r *proxyReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	for r.end == nil {
		inner := r.current()
		batch, err := inner.Next(ctx)
		switch {
		case err == nil:
			if r.sent || r.q.claim(r.task, r.attempt, false) {
				r.sent = true
				return batch, nil
			}
			batch.Release() // the query gave this attempt up while its first batch was on its way
			_ = inner.Close()
			r.end = r.open()
		case flightx.AtEnd(err):
			if r.q.claim(r.task, r.attempt, true) || r.sent {
				r.end = err
				break
			}
			_ = inner.Close()
			r.end = r.open()
		default:
			_ = inner.Close()
			again, why := false, err
			if ctx.Err() == nil {
				again, why = r.failed(err)
			} else {
				r.q.step(lifecycle.ReaderGone{Task: r.task, Now: r.c.cfg.Now()})
			}
			if r.end = why; again {
				r.end = r.open()
			}
		}
	}
	return nil, r.end
}

// Close implements flightx.Reader. Closing before the end is the client's way of cancelling.
func (r *proxyReader) Close() error {
	r.mu.Lock()
	inner, twice := r.inner, r.closed
	r.closed = true
	r.mu.Unlock()
	if !twice {
		r.q.step(lifecycle.ReaderGone{Task: r.task, Now: r.c.cfg.Now()})
		r.cancel(errProxyClosed)
	}
	return inner.Close()
}
