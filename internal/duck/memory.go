package duck

/*
#include <stdlib.h>
#include "engine.h"
*/
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// pool is the C memory of one engine's batches. Batches may outlive the engine, so it lives as long as they do.
type pool struct {
	account *C.ab_account
	batches atomic.Int64
}

func newPool() *pool {
	p := &pool{account: (*C.ab_account)(C.calloc(1, C.sizeof_ab_account))}
	runtime.AddCleanup(p, func(a *C.ab_account) { C.free(unsafe.Pointer(a)) }, p.account)
	return p
}

// bytes returns what builders and live batches hold at this moment.
func (p *pool) bytes() int64 { return atomic.LoadInt64((*int64)(unsafe.Pointer(&p.account.bytes))) }

// MakingBytes is what batches in the making take at this moment, of all Partition and PartitionTo jobs together. It is part of
// Usage.Bytes.
func (e *Engine) MakingBytes() int64 {
	return atomic.LoadInt64((*int64)(unsafe.Pointer(&e.shared.making.bytes)))
}

// LimitMaking says from how many MakingBytes on the threads of such jobs hand over what they have, instead of filling batches; each
// may hold some MiB all the same. There is no limit at first. It may be called at any time.
func (e *Engine) LimitMaking(bytes int64) {
	atomic.StoreInt64((*int64)(unsafe.Pointer(&e.shared.making_max)), bytes)
}

// batchMemory is the allocator of one batch's buffers. It only frees: the kernel allocated them. The batch counts as live
// until the last of its buffers is released, which a slice of one column can delay.
type batchMemory struct {
	pool    *pool
	buffers atomic.Int32
}

// Allocate is never called: the buffers are immutable.
func (m *batchMemory) Allocate(int) []byte { return nil }

// Reallocate is never called: the buffers are immutable.
func (m *batchMemory) Reallocate(int, []byte) []byte { return nil }

// Free releases a buffer; its capacity is what the kernel allocated.
func (m *batchMemory) Free(b []byte) {
	C.ab_release(m.pool.account, unsafe.Pointer(unsafe.SliceData(b)), C.size_t(cap(b)))
	if m.buffers.Add(-1) == 0 {
		m.pool.batches.Add(-1)
	}
}

// Rest frees what DuckDB remembers of finished jobs, unless one is under way, and reports whether it did. Jobs that begin meanwhile
// wait: a millisecond or less after a thousand jobs, some tens of them at the very most. What it frees goes back to the system by
// GiveBack.
func (e *Engine) Rest() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.connections.Load() > 0 {
		return false
	}
	if !e.closed {
		e.buffers.Purge()
	}
	return true
}

// GiveBack returns memory to the system that the process's C side has freed and kept for later. Some milliseconds of work: for times
// when there is nothing else to do.
func GiveBack() { C.ab_give_back() }
