package duck

/*
#include "builder.h"
*/
import "C"

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// importer turns the kernel's batches into Arrow's, without copying. One serves all batches of a job.
type importer struct {
	pool   *pool
	schema *arrow.Schema
	nodes  int
}

// take makes a record batch of a kernel's batch and owns that from then on.
func (im *importer) take(batch *C.ab_batch) arrow.RecordBatch {
	walk := &batchWalk{
		columns: unsafe.Slice(batch.column, im.nodes),
		memory:  &batchMemory{pool: im.pool},
	}
	// The count starts at one for the walk itself, so that a batch without buffers is counted down too.
	walk.memory.buffers.Store(1)
	im.pool.batches.Add(1)
	cols := make([]arrow.Array, im.schema.NumFields())
	for i := range cols {
		data := walk.next(im.schema.Field(i).Type)
		cols[i] = array.MakeFromData(data)
		data.Release()
	}
	rec := array.NewRecordBatch(im.schema, cols, int64(batch.rows))
	for _, c := range cols {
		c.Release()
	}
	if walk.memory.buffers.Add(-1) == 0 {
		im.pool.batches.Add(-1)
	}
	C.ab_batch_free(batch)
	return rec
}

// batchWalk goes through a batch's nodes in preorder, as the Arrow types of the schema do.
type batchWalk struct {
	columns []C.ab_column
	at      int
	memory  *batchMemory
}

func (w *batchWalk) next(dt arrow.DataType) arrow.ArrayData {
	c := &w.columns[w.at]
	w.at++
	buffers := []*memory.Buffer{w.buffer(&c.valid)}
	var children []arrow.ArrayData
	switch t := dt.(type) {
	case *arrow.StructType:
		for _, f := range t.Fields() {
			children = append(children, w.next(f.Type))
		}
	case *arrow.MapType:
		buffers = append(buffers, w.buffer(&c.offsets))
		children = append(children, w.next(t.Elem()))
	case *arrow.ListType:
		buffers = append(buffers, w.buffer(&c.offsets))
		children = append(children, w.next(t.Elem()))
	case *arrow.FixedSizeListType:
		children = append(children, w.next(t.Elem()))
	case arrow.BinaryDataType:
		buffers = append(buffers, w.buffer(&c.offsets), w.values(&c.data))
	default:
		buffers = append(buffers, w.values(&c.data))
	}
	data := array.NewData(dt, int(c.rows), buffers, children, int(c.nulls), 0)
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	for _, c := range children {
		c.Release()
	}
	return data
}

// buffer wraps memory of the kernel; nil where there is none.
func (w *batchWalk) buffer(b *C.ab_buffer) *memory.Buffer {
	if b.p == nil {
		return nil
	}
	w.memory.buffers.Add(1)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(b.p)), int(b.cap))
	return memory.NewBufferWithAllocator(bytes[:int(b.n)], w.memory)
}

// values is buffer for the buffers that readers expect to be there even when they are empty.
func (w *batchWalk) values(b *C.ab_buffer) *memory.Buffer {
	if buf := w.buffer(b); buf != nil {
		return buf
	}
	return memory.NewBufferBytes([]byte{})
}
