package coordinator

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A localResult is a result that the coordinator computes when its ticket is redeemed: SQL that we printed, over nothing
// but constants.
type localResult struct {
	sql     string
	columns []table.Column
	// kept says that it is computed at once, for readers that come as often as they like (arbalest.results = spool).
	kept bool
	// batches are then its rows, once there are all of them.
	batches []arrow.RecordBatch
	bytes   int64 // of sql and batches, as far as they count in localBytes
}

// answer makes the query's result a local one and places its endpoint.
func (c *Coordinator) answer(q *Query, result localResult) error {
	q.describe(result.columns)
	if err := c.registry.add(q); err != nil {
		return err
	}
	c.answerLater(q, result)
	return q.err()
}

// answerLater does so for a query that is in the registry already.
func (c *Coordinator) answerLater(q *Query, result localResult) {
	result.bytes = int64(len(result.sql))
	if err := c.holdLocal(result.bytes); err != nil {
		q.Cancel(err)
		return
	}
	q.mu.Lock()
	ended := q.machine.Status().Final()
	if !ended {
		q.work.local = &result
	}
	q.mu.Unlock()
	if ended {
		c.localBytes.Add(-result.bytes)
		return
	}
	now := c.cfg.Now()
	shape := lifecycle.Shape{
		Stages: []lifecycle.StageShape{{Workers: []ids.WorkerID{""}}}, Direct: true, // one task, on the coordinator
		Deadline: q.deadline(now), ResultTTL: c.cfg.Limits.ResultTTL,
	}
	if result.kept {
		shape.Kept, shape.ResultTTL = true, c.cfg.Limits.SpoolTTL
	}
	q.step(lifecycle.Start{Now: now, Shape: shape})
	if result.kept {
		c.group.run(func(ctx context.Context) { c.keepLocal(ctx, q, result) })
	}
}

// holdLocal takes bytes from what unread and kept results of the coordinator itself may have.
func (c *Coordinator) holdLocal(bytes int64) error {
	if held := c.localBytes.Add(bytes); held > c.cfg.Limits.LocalBytesMax {
		c.localBytes.Add(-bytes)
		return qerr.New(qerr.Resource, "the coordinator holds %d bytes of results that nobody has read, or that are kept, which is its limit; try again later", held)
	}
	return nil
}

// keepLocal computes a result that is kept, and gives it to the query unless that has ended.
func (c *Coordinator) keepLocal(ctx context.Context, q *Query, result localResult) {
	q.step(localReport(q, lifecycle.Active, 0, 0, nil))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer q.atEnd(cancel)() // Cancel and KILL interrupt it
	rows, err := c.computeLocal(ctx, q, &result)
	q.mu.Lock()
	given := err == nil && q.work.local != nil
	if given {
		q.work.local = &result
	}
	q.mu.Unlock()
	if !given {
		result.release()
		c.localBytes.Add(int64(len(result.sql)) - result.bytes) // the statement is the query's to give back
	}
	if err != nil {
		q.step(localReport(q, lifecycle.Broken, 0, 0, err))
		return
	}
	q.step(localReport(q, lifecycle.Done, rows, uint64(result.bytes)-uint64(len(result.sql)), nil))
}

// computeLocal reads all rows into the result, which counts their bytes.
func (c *Coordinator) computeLocal(ctx context.Context, q *Query, result *localResult) (rows uint64, err error) {
	reader, err := c.cfg.Frontend.Evaluate(ctx, result.sql, result.columns, q.settings.TimeZone())
	if err != nil {
		return 0, qerr.Wrap(qerr.Internal, "", err)
	}
	defer func() { _ = reader.Close() }()
	for {
		batch, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		size := flightx.BatchBytes(batch)
		if err := c.holdLocal(size); err != nil {
			batch.Release()
			return rows, err
		}
		result.batches = append(result.batches, batch)
		result.bytes += size
		rows += uint64(batch.NumRows())
	}
}

// release gives up the rows.
func (r *localResult) release() {
	for _, batch := range r.batches {
		batch.Release()
	}
	r.batches = nil
}

// localTicketBytesMax is up to which size a statement of ours rides in its ticket, so that any other coordinator can answer it.
const localTicketBytesMax = 4 << 10

// localEndpoint is the endpoint of a local result. Its ticket names the query only, unless the statement is small: others may
// carry the rows of system tables, and stay here.
func (c *Coordinator) localEndpoint(q *Query) (Endpoint, error) {
	t := &pb.Ticket{Audience: pb.Audience_AUDIENCE_COORDINATOR, Key: keyOf(q.id, 0, 0, 1)}
	if result := q.work.local; c.cfg.Ledger != nil && !result.kept && len(result.sql) <= localTicketBytesMax {
		t.Task = &pb.TaskSpec{Fragment: result.sql, Output: columnsOf(result.columns), TimeZone: q.settings.TimeZone()}
	}
	ticket, err := c.sign(q, t, member.Record{})
	endpoint := Endpoint{Ticket: ticket, Rows: -1, Bytes: -1}
	if root, found := q.machine.RootTask(0); found && q.work.local.kept {
		endpoint.Rows, endpoint.Bytes = int64(root.Rows), int64(root.Bytes)
	}
	return endpoint, err
}

// openLocal computes a local result, and keeps its query's books while it is read.
func (c *Coordinator) openLocal(ctx context.Context, q *Query) (flightx.Reader, error) {
	q.mu.Lock()
	result := q.work.local
	var kept []arrow.RecordBatch
	if result != nil && result.kept {
		for _, batch := range result.batches {
			batch.Retain()
			kept = append(kept, batch)
		}
	}
	q.mu.Unlock()
	switch {
	case result == nil:
		return nil, qerr.New(qerr.NotFound, "the result of query %s was read already, or has expired; send the statement again", q.id)
	case result.kept:
		return flightx.Batches(q.schema, kept...), nil
	}
	q.step(localReport(q, lifecycle.Active, 0, 0, nil))
	inner, err := c.cfg.Frontend.Evaluate(ctx, result.sql, result.columns, q.settings.TimeZone())
	if err != nil {
		err = qerr.Wrap(qerr.Internal, "", err)
		q.step(localReport(q, lifecycle.Broken, 0, 0, err))
		return nil, err
	}
	r := &localReader{Reader: inner, q: q}
	r.forget = q.atEnd(func() { _ = inner.Close() }) // Cancel and KILL interrupt the read
	return r, nil
}

// openForeign computes a local result of another coordinator, whose ticket carries the statement.
func (c *Coordinator) openForeign(ctx context.Context, t *pb.Ticket) (flightx.Reader, error) {
	columns, err := columnsFrom(t.GetTask().GetOutput())
	if err != nil {
		return nil, err
	}
	r, err := c.cfg.Frontend.Evaluate(ctx, t.GetTask().GetFragment(), columns, t.GetTask().GetTimeZone())
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "", err)
	}
	return r, nil
}

func localReport(q *Query, state lifecycle.TaskState, rows, bytes uint64, err error) lifecycle.Report {
	return lifecycle.Report{Attempt: 1, State: state, Stats: lifecycle.Stats{Rows: rows, Bytes: bytes}, Err: err, Now: q.c.cfg.Now()}
}

// localReader tells the query how the reading of its result goes.
type localReader struct {
	flightx.Reader
	q           *Query
	forget      func()
	rows, bytes uint64
	once        sync.Once
}

// Next implements flightx.Reader.
func (r *localReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	batch, err := r.Reader.Next(ctx)
	switch {
	case err == nil:
		r.rows += uint64(batch.NumRows())
		r.bytes += uint64(flightx.BatchBytes(batch))
	case errors.Is(err, io.EOF):
		r.report(lifecycle.Done, nil)
	default:
		if ended := r.q.err(); ended != nil { // the query was ended, which closed the reader
			return nil, ended
		}
		r.report(lifecycle.Broken, err)
	}
	return batch, err
}

// Close implements flightx.Reader. Closing before the end is the client's way of cancelling.
func (r *localReader) Close() error {
	r.report(lifecycle.Dropped, nil)
	return r.Reader.Close()
}

// report tells the first outcome only.
func (r *localReader) report(state lifecycle.TaskState, err error) {
	r.once.Do(func() {
		r.forget()
		r.q.step(localReport(r.q, state, r.rows, r.bytes, err))
	})
}
