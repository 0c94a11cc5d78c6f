package buffers

/*
#cgo CFLAGS: -O2 -std=gnu11 -Wall -DDUCKDB_STATIC_BUILD -I${SRCDIR}/../include
#include "duckdb.h"
#ifdef __linux__
#include <malloc.h>
#endif

// Functions of DuckDB's C++, by the names that the Itanium ABI gives them (Linux, macOS, and Windows with MinGW):
//   static DatabaseInstance &DatabaseInstance::GetDatabase(ClientContext &)
//   BufferPool &DatabaseInstance::GetBufferPool() const
//   idx_t BufferPool::PurgeAgedBlocks(uint32_t max_age_sec)
extern void *_ZN6duckdb16DatabaseInstance11GetDatabaseERNS_13ClientContextE(void *context);
extern void *_ZNK6duckdb16DatabaseInstance13GetBufferPoolEv(const void *instance);
extern idx_t _ZN6duckdb10BufferPool15PurgeAgedBlocksEj(void *pool, uint32_t max_age_sec);

// ab_buffer_pool finds the pool of a connection's instance; null when memory is short.
static void *ab_buffer_pool(duckdb_connection connection) {
	duckdb_client_context handle = NULL;
	duckdb_connection_get_client_context(connection, &handle);
	if (!handle) return NULL;
	void *context = handle->internal_ptr; // a CClientContextWrapper is a reference to the context, and nothing else
	duckdb_destroy_client_context(&handle);
	return _ZNK6duckdb16DatabaseInstance13GetBufferPoolEv(_ZN6duckdb16DatabaseInstance11GetDatabaseERNS_13ClientContextE(context));
}

// ab_purge takes places off each queue up to the first that is not dead, whose buffer it evicts. With the highest age, which makes
// every buffer a young one, it stops there. Where nothing runs, all are dead.
static void ab_purge(void *pool) { _ZN6duckdb10BufferPool15PurgeAgedBlocksEj(pool, UINT32_MAX); }

static size_t ab_in_use(void) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}
*/
import "C"

import (
	"unsafe"

	// The module brings DuckDB itself: static libraries, and the linker flags for them.
	_ "github.com/duckdb/duckdb-go-bindings"
)

// A Pool is the buffer pool of one instance, and lives as long as it does. The zero Pool is of no instance.
type Pool struct{ c unsafe.Pointer }

// Of finds the pool of the instance that a connection (a duckdb_connection of the C API) is to.
func Of(connection unsafe.Pointer) Pool {
	return Pool{C.ab_buffer_pool(C.duckdb_connection(connection))}
}

// Purge forgets the buffers that are gone. Nothing may run in the instance until it returns, which takes some two milliseconds for ten
// thousand buffers.
func (p Pool) Purge() {
	if p.c != nil {
		C.ab_purge(p.c)
	}
}

// InUse is how many bytes the C library's allocator has handed out: the places in the queues are among them, and DuckDB's accounts do
// not have them. Tests measure by it. 0 where the C library does not tell.
func InUse() int64 { return int64(C.ab_in_use()) }
