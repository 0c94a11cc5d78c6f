// Package cache is a cache bounded in bytes whose misses are loaded once for all who wait: the catalog keeps loaded tables
// in one, and drivers what they read of files.
//
// Invariants:
//  1. The values' sizes sum to at most the bound, except that the newest value always stays: one that is larger than the
//     whole cache would otherwise be loaded again at every use.
//  2. A key is loaded by at most one goroutine at a time. It ends when its last waiter has gone or the cache is closed;
//     Close waits for it. A waiter that leaves does not disturb the others.
//  3. Errors are not kept: the next Get loads again.
package cache
