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
	if held := c.localBytes.Add(int64(len(result.sql))); held > c.cfg.Limits.LocalBytesMax {
		c.localBytes.Add(-int64(len(result.sql)))
		q.Cancel(qerr.New(qerr.Resource, "the coordinator holds %d bytes of results that nobody has read, which is its limit; try again later", held))
		return
	}
	q.mu.Lock()
	ended := q.machine.Status().Final()
	if !ended {
		q.work.local = &result
	}
	q.mu.Unlock()
	if ended {
		c.localBytes.Add(-int64(len(result.sql)))
		return
	}
	now := c.cfg.Now()
	q.step(lifecycle.Start{Now: now, Shape: lifecycle.Shape{
		Stages: []lifecycle.StageShape{{Workers: []ids.WorkerID{""}}}, Direct: true, // one task, on the coordinator
		Deadline: q.deadline(now), ResultTTL: c.cfg.Limits.ResultTTL,
	}})
}

// localEndpoint is the endpoint of a local result. Its ticket names the query only: the statement stays here, as it may
// carry the rows of system tables, and this coordinator is the one that answers.
func (c *Coordinator) localEndpoint(q *Query) (Endpoint, error) {
	ticket, err := c.sign(q, &pb.Ticket{Audience: pb.Audience_AUDIENCE_COORDINATOR, Key: keyOf(q.id, 0, 0, 1)}, member.Record{})
	return Endpoint{Ticket: ticket, Rows: -1, Bytes: -1}, err
}

// openLocal computes a local result, and keeps its query's books while it is read.
func (c *Coordinator) openLocal(ctx context.Context, q *Query) (flightx.Reader, error) {
	q.mu.Lock()
	result := q.work.local
	q.mu.Unlock()
	if result == nil {
		return nil, qerr.New(qerr.NotFound, "the result of query %s was read already; send the statement again", q.id)
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
