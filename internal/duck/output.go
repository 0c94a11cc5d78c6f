package duck

/*
#include <stdlib.h>
#include "sink.h"
*/
import "C"

import (
	"context"
	"fmt"
	"runtime/cgo"
	"sync"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// partitionsMax is the largest number of partitions of one job: every executor thread keeps a batch in the making for each.
const partitionsMax = 1 << 12

// Output is the result of a Partition job, in memory: a list of batches in the wire schema for each partition. The batches
// are borrowed; whoever keeps one longer than the output retains it.
type Output struct {
	mu      sync.Mutex // while the job runs
	batches [][]arrow.RecordBatch
	rows    []int64
	bytes   []int64
	total   int64
	max     int64
	release sync.Once
}

// Partition runs a job to its end, on all of the engine's threads at once, and keeps what comes out by partition. With more
// than one partition the last column of the SQL is the partition number, of any integer type and counted from 0; NULL goes
// to partition 0, and a number that is not a partition's fails the job. With one there is no such column.
//
// The order of rows is kept neither within a partition nor between them. The caller releases the output.
func (e *Engine) Partition(ctx context.Context, job Job, partitions int) (*Output, error) {
	o := &Output{batches: make([][]arrow.RecordBatch, max(partitions, 0)), rows: make([]int64, max(partitions, 0)),
		bytes: make([]int64, max(partitions, 0)), max: e.outputBytesMax(job)}
	if err := e.PartitionTo(ctx, job, partitions, o.add); err != nil {
		o.Release()
		return nil, err
	}
	return o, nil
}

// PartitionTo is Partition for outputs of any size: it hands each batch over as soon as it is full. put is called by several
// of the engine's threads at once and owns the batch from then on, also when it returns an error, which ends the job with
// that error. The threads are the whole engine's, so put may write to a local disk but must wait for nobody else. bytes are
// those in use in the batch's buffers.
func (e *Engine) PartitionTo(ctx context.Context, job Job, partitions int, put func(partition int, batch arrow.RecordBatch, bytes int64) error) error {
	if partitions < 1 || partitions > partitionsMax {
		return qerr.New(qerr.Internal, "%d partitions, must be 1 to %d", partitions, partitionsMax)
	}
	c, err := e.connect(job.TimeZone)
	if err != nil {
		return err
	}
	defer c.close()
	types, err := c.outputTypes(ctx, job, partitions)
	if err != nil {
		return err
	}
	return c.partition(ctx, job, types, partitions, put)
}

func (e *Engine) outputBytesMax(job Job) int64 {
	if job.BytesMax != 0 {
		return job.BytesMax
	}
	return e.cfg.OutputBytesMax
}

// outputTypes gives the types of a Partition job's columns, without the partition number.
func (c *conn) outputTypes(ctx context.Context, job Job, partitions int) ([]table.Type, error) {
	columns := job.Columns
	if columns == nil {
		described, err := c.describe(ctx, job.SQL)
		if err != nil {
			return nil, err
		}
		columns = described
		if partitions > 1 {
			columns = described[:len(described)-1]
		}
	}
	types := make([]table.Type, len(columns))
	for i, column := range columns {
		types[i] = column.Type
	}
	return types, nil
}

func (c *conn) partition(ctx context.Context, job Job, types []table.Type, partitions int, put func(int, arrow.RecordBatch, int64) error) error {
	e := c.engine
	if err := c.onlySelect(job.SQL); err != nil {
		return err
	}
	nodes := wireLayout(types)
	t := &taker{importer: importer{pool: e.pool, schema: arrowtype.WireSchema(types), nodes: len(nodes)}, put: put}
	handle := cgo.NewHandle(t)
	defer handle.Delete()
	threadMax := job.PendingBytesMax / int64(e.cfg.Threads)
	if job.PendingBytesMax > 0 {
		threadMax = max(threadMax, 1) // zero would be no limit
	}
	sink := C.ab_sink_new(e.shared, unsafe.SliceData(nodes), C.uint32_t(len(nodes)), C.uint32_t(partitions),
		C.int64_t(e.outputBytesMax(job)), C.int64_t(threadMax), C.uintptr_t(handle))
	if sink == nil {
		return qerr.New(qerr.Resource, "out of memory")
	}
	defer C.ab_sink_close(sink)
	if job.Started != nil {
		p := &progress{conn: c}
		defer p.end()
		job.Started(p.now)
	}
	// The line break ends a comment at the end of the fragment. Our function writes no file; the directory is what COPY
	// insists on, and OVERWRITE_OR_IGNORE lets several jobs name the same one.
	copySQL := fmt.Sprintf("COPY (\n%s\n) TO %s (FORMAT arbalest_sink, HANDLE %d, PER_THREAD_OUTPUT true, OVERWRITE_OR_IGNORE true)",
		job.SQL, table.Literal(e.sinkDir), int64(sink.object.handle))
	var fault *engineFault
	c.interruptible(ctx, func() { fault = c.run(copySQL, func(*C.duckdb_result) {}) })
	switch {
	case ctx.Err() != nil || fault == nil:
		return ended(ctx, nil)
	case sink.status == C.AB_OK:
		return e.jobError(job.SQL, fault)
	case sink.status == C.AB_TAKER:
		return t.fault()
	}
	return statusError(sink.status, int64(sink.bad))
}

// onlySelect refuses text that is more than one statement: it would end the COPY that is wrapped around it.
func (c *conn) onlySelect(sql string) error {
	text := C.CString(sql)
	defer C.free(unsafe.Pointer(text))
	var statements C.duckdb_extracted_statements
	n := C.duckdb_extract_statements(c.handle, text, &statements)
	defer C.duckdb_destroy_extracted(&statements)
	switch n {
	case 1:
		return nil
	case 0:
		return c.typedError(sql, C.GoString(C.duckdb_extract_statements_error(statements)))
	}
	return qerr.New(qerr.User, "a fragment is one statement, not %d", int(n))
}

// add keeps a batch.
func (o *Output) add(p int, batch arrow.RecordBatch, bytes int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batches[p] = append(o.batches[p], batch)
	o.rows[p] += batch.NumRows()
	o.bytes[p] += bytes
	if o.total += bytes; o.max > 0 && o.total > o.max {
		return statusError(C.AB_BUDGET, 0)
	}
	return nil
}

// Partitions returns the number of partitions.
func (o *Output) Partitions() int { return len(o.batches) }

// Batches returns the batches of a partition, in the wire schema; borrowed until Release. An empty partition has none.
func (o *Output) Batches(p int) []arrow.RecordBatch { return o.batches[p] }

// Rows returns the number of rows of a partition.
func (o *Output) Rows(p int) int64 { return o.rows[p] }

// Bytes returns the bytes in use in the buffers of a partition.
func (o *Output) Bytes(p int) int64 { return o.bytes[p] }

// Release gives the batches back. Idempotent.
func (o *Output) Release() {
	o.release.Do(func() {
		for _, list := range o.batches {
			for _, b := range list {
				b.Release()
			}
		}
		o.batches = make([][]arrow.RecordBatch, len(o.batches))
	})
}
