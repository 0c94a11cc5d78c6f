// Package buffers drops what DuckDB remembers of buffers that are gone.
//
// DuckDB's buffer pool queues every buffer that a query has let go of, so that the oldest can be evicted when memory runs short. A
// query's end frees its buffers but not their places in the queues, some 200 bytes each and tens of them a query; a queue is cleared
// of such dead places only once it holds 32,768. The six or so queues of an instance so keep up to 50 MB, reached after some ten
// thousand queries. Neither SQL nor the C API can clear them earlier. DuckDB's C++ does: BufferPool::PurgeAgedBlocks, which it keeps
// for extensions, and which is linked here by its name.
//
// Invariants:
//  1. Nothing of a running query is touched: the caller has an instance in which nothing runs, and lets nothing begin meanwhile.
//  2. A DuckDB without these functions, or with others in their place, does not link: their names hold their types.
package buffers
