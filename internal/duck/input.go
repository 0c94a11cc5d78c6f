package duck

/*
#include <stdlib.h>
#include "input.h"
*/
import "C"

import (
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Input is a set of batches that SQL can read as a table: parallel, any number of times, with the exact number of rows known
// to the optimizer. DuckDB reads the buffers in place.
type Input struct {
	engine  *Engine
	types   []table.Type
	handle  int64
	c       *C.ab_input
	batches []arrow.RecordBatch
	pins    runtime.Pinner
}

// AddInput makes batches readable by SQL. They have the wire schema of types, may be slices, and may be none; they are
// retained until Remove. The caller removes the input after the job that reads it was closed.
func (e *Engine) AddInput(types []table.Type, batches []arrow.RecordBatch) (*Input, error) {
	if len(types) == 0 {
		return nil, qerr.New(qerr.Internal, "an input needs a column")
	}
	if err := checkWire(types, batches); err != nil {
		return nil, err
	}
	logical, err := e.logicalTypes(types)
	if err != nil {
		return nil, err
	}
	in := &Input{engine: e, types: types, batches: make([]arrow.RecordBatch, len(batches))}
	copy(in.batches, batches)
	for _, b := range batches {
		b.Retain()
	}
	if err := in.create(logical); err != nil {
		in.free()
		return nil, err
	}
	return e.register(in)
}

// checkWire compares the batches' columns with the wire schema: the kernel reads their buffers by it.
func checkWire(types []table.Type, batches []arrow.RecordBatch) error {
	schema := arrowtype.WireSchema(types)
	for _, b := range batches {
		if int(b.NumCols()) != len(types) {
			return qerr.New(qerr.Internal, "an input has %d columns, its batch %d", len(types), b.NumCols())
		}
		for i, c := range b.Columns() {
			if !arrow.TypeEqual(c.DataType(), schema.Field(i).Type) {
				return qerr.New(qerr.Internal, "column %d of an input is %s, not %s as %s has it between workers",
					i, c.DataType(), schema.Field(i).Type, types[i].SQL())
			}
		}
	}
	return nil
}

// create describes the batches to C, and owns the logical types.
func (in *Input) create(logical []C.duckdb_logical_type) error {
	nodes := wireLayout(in.types)
	rows := make([]C.int64_t, len(in.batches))
	count := len(in.batches) * len(nodes)
	// The list of arrays is C memory: it holds pointers into Go's, which C may only see while they are pinned.
	list := (*C.ab_array)(C.calloc(C.size_t(max(count, 1)), C.sizeof_ab_array))
	defer C.free(unsafe.Pointer(list))
	arrays := unsafe.Slice(list, count)[:0]
	for i, b := range in.batches {
		rows[i] = C.int64_t(b.NumRows())
		for _, col := range b.Columns() {
			arrays = in.describe(arrays, col.Data())
		}
	}
	var bad C.int64_t
	in.c = C.ab_input_new(in.engine.shared, unsafe.SliceData(nodes), C.uint32_t(len(nodes)), unsafe.SliceData(logical),
		C.int64_t(len(rows)), unsafe.SliceData(rows), list, &bad)
	switch {
	case in.c != nil:
		in.handle = int64(in.c.object.handle)
		return nil
	case bad >= 0:
		return statusError(C.AB_LAYOUT, int64(bad))
	}
	return qerr.New(qerr.Resource, "out of memory")
}

// describe appends an array and its children in preorder.
func (in *Input) describe(arrays []C.ab_array, data arrow.ArrayData) []C.ab_array {
	a := C.ab_array{offset: C.int64_t(data.Offset())}
	buffers := data.Buffers()
	if data.Len() == 0 {
		// Arrow lets empty arrays leave out their buffers, or have them at an offset past the end.
		a.offset, buffers = 0, nil
	}
	if len(buffers) > 0 && data.NullN() != 0 {
		a.valid = (*C.uint8_t)(in.pin(buffers, 0))
	}
	switch data.DataType().(type) {
	case *arrow.StructType, *arrow.FixedSizeListType:
	case *arrow.ListType:
		a.offsets = (*C.int32_t)(in.pin(buffers, 1))
	case arrow.BinaryDataType:
		a.offsets = (*C.int32_t)(in.pin(buffers, 1))
		a.data = (*C.uint8_t)(in.pin(buffers, 2))
	default:
		a.data = (*C.uint8_t)(in.pin(buffers, 1))
	}
	arrays = append(arrays, a)
	for _, child := range data.Children() {
		arrays = in.describe(arrays, child)
	}
	return arrays
}

// zeros stands in for buffers that are not there. It is C memory, so that it needs no pin.
var zeros = C.calloc(1, 16)

// pin gives the address of a buffer's bytes, fixed while the input lives. Memory that is not Go's stays where it is anyway.
func (in *Input) pin(buffers []*memory.Buffer, i int) unsafe.Pointer {
	if i >= len(buffers) || buffers[i] == nil || buffers[i].Len() == 0 {
		return zeros
	}
	p := unsafe.SliceData(buffers[i].Bytes())
	in.pins.Pin(p)
	return unsafe.Pointer(p)
}

// SQL returns a SELECT that reads the input: columns c0 … cn with their DuckDB types. It can stand anywhere a subquery can.
func (in *Input) SQL() string {
	names := make([]string, len(in.types))
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	return "SELECT " + strings.Join(names, ", ") + " FROM arbalest_input(" + strconv.FormatInt(in.handle, 10) + ")"
}

// Remove ends the input: its SQL no longer works, and the batches are released; when a job still reads them, as soon as it
// is closed. Idempotent.
func (in *Input) Remove() {
	e := in.engine
	e.mu.Lock()
	_, live := e.inputs[in]
	if live {
		delete(e.inputs, in)
		C.ab_input_close(in.c)
		e.stale = append(e.stale, in)
	}
	e.mu.Unlock()
	if live {
		e.sweep()
	}
}

// register lists an input with the engine, unless that was closed meanwhile.
func (e *Engine) register(in *Input) (*Input, error) {
	e.mu.Lock()
	closed := e.closed
	if !closed {
		e.inputs[in] = struct{}{}
	}
	e.mu.Unlock()
	if closed {
		C.ab_input_close(in.c)
		C.ab_input_free(in.c)
		in.free()
		return nil, qerr.New(qerr.Unavailable, "the engine is closed")
	}
	return in, nil
}

// sweep frees removed inputs that no plan reads any more. Plans go with their jobs, so it runs after each.
func (e *Engine) sweep() {
	e.mu.Lock()
	var unread []*Input
	keep := e.stale[:0]
	for _, in := range e.stale {
		if C.ab_input_free(in.c) {
			unread = append(unread, in)
		} else {
			keep = append(keep, in)
		}
	}
	clear(e.stale[len(keep):])
	e.stale = keep
	e.mu.Unlock()
	for _, in := range unread {
		in.free()
	}
}

// free releases the batches; C reads them no more.
func (in *Input) free() {
	in.pins.Unpin()
	for _, b := range in.batches {
		b.Release()
	}
	in.batches, in.c = nil, nil
}
