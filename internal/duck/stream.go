package duck

/*
#include <stdlib.h>
#include "pull.h"
*/
import "C"

import (
	"context"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Job is one piece of work for the engine.
type Job struct {
	// SQL is one complete SELECT, its scans and inputs bound in it, printed by us.
	SQL string
	// TimeZone is the session's; empty means the engine's.
	TimeZone string
	// Columns are the columns of the SELECT, without the partition number of a Partition job. They are checked against
	// what DuckDB makes of the SQL. Nil takes them from there, at the price of planning twice.
	Columns []table.Column
	// BytesMax limits what a Partition job holds in batches, and a PartitionTo job in batches that are not yet handed over; 0
	// means the engine's default. Past it the job fails.
	BytesMax int64
	// PendingBytesMax is how many bytes of batches in the making make a PartitionTo job hand them over smaller than it
	// would; 0 means no limit. Buffers that grow take up to twice as much.
	PendingBytesMax int64
	// Started, when it is set, is called once by a Partition or PartitionTo job that begins to execute, with a function
	// that estimates how much of it is done, from 0 to 1. That may be called at any time, also after the job.
	Started func(progress func() float64)
}

const (
	// clientRowsMax is where a client's batch ends.
	clientRowsMax = 64 << 10
	// clientBytesMax is where wide batches end: with headers they stay below what plain clients take in one message, so
	// that nothing is sliced again.
	clientBytesMax = 5 << 19
	// clientRowsFirst is the size of the first batch, one vector: the first rows leave as soon as they are there. Each
	// batch after it may be clientRowsGrowth times as large.
	clientRowsFirst  = 2048
	clientRowsGrowth = 4
)

// Stream is a running job whose rows are pulled. Next is called by one goroutine at a time; Progress and Close by any.
type Stream struct {
	conn     *conn
	sql      string
	schema   *arrow.Schema
	importer importer

	mu      sync.Mutex // held while the engine works for this stream
	pull    *C.ab_pull // guarded by mu; nil when closed
	started bool       // guarded by mu
	rowsMax int64      // guarded by mu
	err     error      // guarded by mu: sticky, io.EOF at the end

	life sync.RWMutex // guards conn against Close while it is asked for progress or interrupted
	gone bool         // guarded by life
	done atomic.Bool  // the last row was read
	seen atomic.Int64 // the most that Progress told, in parts of progressParts
}

// Stream plans a job and returns its stream, in the client schema of its columns: values without a classic Arrow type are
// cast to text by DuckDB on the way. Execution begins with the first Next. The caller closes the stream.
//
// An ORDER BY of the SQL is the order of the rows.
func (e *Engine) Stream(ctx context.Context, job Job) (*Stream, error) {
	c, err := e.connect(job.TimeZone)
	if err != nil {
		return nil, err
	}
	s, err := c.stream(ctx, job)
	if err != nil {
		c.close()
		return nil, err
	}
	return s, nil
}

func (c *conn) stream(ctx context.Context, job Job) (*Stream, error) {
	if job.Columns == nil {
		columns, err := c.describe(ctx, job.SQL)
		if err != nil {
			return nil, err
		}
		job.Columns = columns
	}
	zone := job.TimeZone
	if zone == "" {
		zone = c.engine.cfg.TimeZone
	}
	schema := arrowtype.ClientSchema(job.Columns, zone)
	nodes := clientLayout(job.Columns)
	s := &Stream{conn: c, sql: job.SQL, schema: schema, importer: importer{pool: c.engine.pool, schema: schema, nodes: len(nodes)},
		rowsMax: clientRowsFirst}
	s.pull = C.ab_pull_new(c.engine.pool.account, unsafe.SliceData(nodes), C.uint32_t(len(nodes)))
	if s.pull == nil {
		return nil, qerr.New(qerr.Resource, "out of memory")
	}
	if err := s.prepare(ctx, clientSQL(job)); err != nil {
		C.ab_pull_free(s.pull)
		return nil, err
	}
	return s, nil
}

// clientSQL wraps a statement in the casts that its client columns need; most need none.
func clientSQL(job Job) string {
	names, items, needed := make([]string, len(job.Columns)), make([]string, len(job.Columns)), false
	for i, c := range job.Columns {
		names[i] = "c" + strconv.Itoa(i)
		items[i] = names[i]
		if arrowtype.NeedsCast(c.Type) {
			needed = true
			items[i] = "CAST(" + names[i] + " AS " + arrowtype.ClientCast(c.Type).SQL() + ")"
		}
	}
	if !needed {
		return job.SQL
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (\n" + job.SQL + "\n) AS t(" + strings.Join(names, ", ") + ")"
}

func (s *Stream) prepare(ctx context.Context, sql string) (err error) {
	text := C.CString(sql)
	defer C.free(unsafe.Pointer(text))
	var status C.ab_status
	s.conn.interruptible(ctx, func() { status = C.ab_pull_prepare(s.pull, s.conn.handle, text) })
	switch status {
	case C.AB_OK:
		return ended(ctx, nil)
	case C.AB_ENGINE:
		if ctx.Err() != nil {
			return ended(ctx, nil)
		}
		return s.conn.typedError(sql, C.GoString(C.ab_pull_error(s.pull)))
	}
	return statusError(status, int64(s.pull.bad_column))
}

// Schema returns the client schema; every batch has it.
func (s *Stream) Schema() *arrow.Schema { return s.schema }

// Next returns the next batch, which the caller owns, or io.EOF after the last. When ctx ends, the execution is interrupted
// and the error tells the context's cause. After an error or the end every call returns the same.
func (s *Stream) Next(ctx context.Context) (arrow.RecordBatch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pull == nil {
		return nil, qerr.New(qerr.Cancelled, "the stream was closed")
	}
	if s.err != nil {
		return nil, s.err
	}
	if err := ended(ctx, nil); err != nil {
		s.err = err
		return nil, err
	}
	var batch *C.ab_batch
	var status C.ab_status
	s.conn.interruptible(ctx, func() {
		if !s.started {
			s.started = true
			if status = C.ab_pull_start(s.pull); status != C.AB_OK {
				return
			}
		}
		status = C.ab_pull_next(s.pull, C.int64_t(s.rowsMax), clientBytesMax, &batch)
	})
	s.rowsMax = min(s.rowsMax*clientRowsGrowth, clientRowsMax)
	if batch != nil {
		return s.importer.take(batch), nil
	}
	s.err = s.outcome(ctx, status)
	return nil, s.err
}

// outcome says why there is no batch.
func (s *Stream) outcome(ctx context.Context, status C.ab_status) error {
	switch status {
	case C.AB_OK:
		// An interrupted query can look like one that ended.
		if err := ended(ctx, nil); err != nil {
			return err
		}
		s.done.Store(true)
		return io.EOF
	case C.AB_ENGINE:
		if ctx.Err() != nil {
			return ended(ctx, nil)
		}
		return s.conn.engine.jobError(s.sql, &engineFault{C.ab_pull_error_type(s.pull), C.GoString(C.ab_pull_error(s.pull))})
	}
	return ended(ctx, statusError(status, int64(s.pull.bad_column)))
}

// progressParts is the resolution of Progress.
const progressParts = 10_000

// Progress estimates how much of the job is done, from 0 to 1. It never goes back.
func (s *Stream) Progress() float64 {
	if s.done.Load() {
		return 1
	}
	s.life.RLock()
	defer s.life.RUnlock()
	if !s.gone {
		// DuckDB starts again at nothing when its last operator is done, though rows are still to be read.
		now := int64(float64(C.duckdb_query_progress(s.conn.handle).percentage) / 100 * progressParts)
		for last := s.seen.Load(); now > last && !s.seen.CompareAndSwap(last, min(now, progressParts)); {
			last = s.seen.Load()
		}
	}
	return float64(s.seen.Load()) / progressParts
}

// Close ends the job, interrupting it when it still runs, and gives everything back. It waits for a Next that is under way.
// Batches stay valid. Idempotent.
func (s *Stream) Close() error {
	s.lockInterrupting()
	defer s.mu.Unlock()
	if s.pull == nil {
		return nil
	}
	s.life.Lock()
	s.gone = true
	s.life.Unlock()
	C.ab_pull_free(s.pull)
	s.pull = nil
	s.conn.close()
	return nil
}

// lockInterrupting locks mu, interrupting a Next that holds it.
func (s *Stream) lockInterrupting() {
	if s.mu.TryLock() {
		return
	}
	locked := make(chan struct{})
	var interrupter sync.WaitGroup
	interrupter.Go(func() {
		s.life.RLock()
		defer s.life.RUnlock()
		if !s.gone {
			s.conn.interruptUntil(locked)
		}
	})
	s.mu.Lock()
	close(locked)
	interrupter.Wait()
}
