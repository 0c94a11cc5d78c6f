package duck

/*
#include <stdlib.h>
#include "sink.h"
*/
import "C"

import (
	"context"
	"fmt"
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
	batches [][]arrow.RecordBatch
	rows    []int64
	bytes   []int64
	release sync.Once
}

// Partition runs a job to its end, on all of the engine's threads at once, and keeps what comes out by partition. With more
// than one partition the last column of the SQL is the partition number, of any integer type and counted from 0; NULL goes
// to partition 0, and a number that is not a partition's fails the job. With one there is no such column.
//
// The order of rows is kept neither within a partition nor between them. The caller releases the output.
func (e *Engine) Partition(ctx context.Context, job Job, partitions int) (*Output, error) {
	if partitions < 1 || partitions > partitionsMax {
		return nil, qerr.New(qerr.Internal, "%d partitions, must be 1 to %d", partitions, partitionsMax)
	}
	c, err := e.connect(job.TimeZone)
	if err != nil {
		return nil, err
	}
	defer c.close()
	types, err := c.outputTypes(ctx, job, partitions)
	if err != nil {
		return nil, err
	}
	return c.partition(ctx, job, types, partitions)
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

func (c *conn) partition(ctx context.Context, job Job, types []table.Type, partitions int) (*Output, error) {
	e := c.engine
	if err := c.onlySelect(job.SQL); err != nil {
		return nil, err
	}
	bytesMax := job.BytesMax
	if bytesMax == 0 {
		bytesMax = e.cfg.OutputBytesMax
	}
	nodes := wireLayout(types)
	sink := C.ab_sink_new(e.shared, unsafe.SliceData(nodes), C.uint32_t(len(nodes)), C.uint32_t(partitions), C.int64_t(bytesMax))
	if sink == nil {
		return nil, qerr.New(qerr.Resource, "out of memory")
	}
	defer C.ab_sink_close(sink)
	// The line break ends a comment at the end of the fragment. Our function writes no file; the directory is what COPY
	// insists on, and OVERWRITE_OR_IGNORE lets several jobs name the same one.
	copySQL := fmt.Sprintf("COPY (\n%s\n) TO %s (FORMAT arbalest_sink, HANDLE %d, PER_THREAD_OUTPUT true, OVERWRITE_OR_IGNORE true)",
		job.SQL, table.Literal(e.sinkDir), int64(sink.object.handle))
	if err := c.queryContext(ctx, copySQL, func(*C.duckdb_result) {}); err != nil {
		if sink.status != C.AB_OK && ctx.Err() == nil {
			return nil, statusError(sink.status, int64(sink.bad))
		}
		return nil, err
	}
	if err := ended(ctx, nil); err != nil {
		return nil, err
	}
	return e.collect(sink, arrowtype.WireSchema(types), len(nodes), partitions), nil
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

// collect takes the sink's batches, which are listed last first.
func (e *Engine) collect(sink *C.ab_sink, schema *arrow.Schema, nodes, partitions int) *Output {
	o := &Output{batches: make([][]arrow.RecordBatch, partitions), rows: make([]int64, partitions), bytes: make([]int64, partitions)}
	im := importer{pool: e.pool, schema: schema, nodes: nodes}
	for b := C.ab_sink_take(sink); b != nil; {
		next, p := b.next, int(b.partition)
		o.rows[p] += int64(b.rows)
		o.bytes[p] += int64(b.bytes)
		o.batches[p] = append(o.batches[p], im.take(b))
		b = next
	}
	for _, list := range o.batches {
		for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
			list[i], list[j] = list[j], list[i]
		}
	}
	return o
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
