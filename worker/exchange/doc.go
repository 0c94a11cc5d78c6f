// Package exchange is the data side of the edges between stages on one worker: the Store keeps the outputs of finished tasks
// until they are released, in memory first and then on disk, and Fetch collects a task's inputs from the stores of all
// workers.
//
//	engine ──Put──> Writer ──Commit──> Store ──Open──> Reader ──DoGet──> another worker's Fetch ──> engine input
//	                 │                   └──Open──> Reader ──> Fetch on the same worker (no Flight; no copy from memory)
//	                 └─over budget─> spool file (lz4)                       └─over budget─> mapped file
//
// An output is wholly in memory or wholly in one spool file. A Writer keeps batches in memory as long as the worker's and the
// query's budget allow it; the first that does not fit moves all of them to disk, and the rest follows them there. A spool file
// holds Arrow IPC streams, one a batch in the order in which they came, and behind them an index:
//
//	stream stream … stream  index  length of the index (8)  CRC32C of the index (4)  magic (8)
//	index: partitions (4), for each partition: streams (4), for each stream: offset (8) length (8) rows (8) CRC32C (4)
//
// It is written under a temporary name and renamed when it is complete; its name has the task's attempt.
//
// Fetched inputs over budget go to a file that has no name any more and is mapped into memory, uncompressed: the engine reads
// it like memory, and the system pages it in and out.
//
// Invariants:
//  1. Batches in memory, outputs and fetched inputs together, never pass the budget of bytes; neither do files pass theirs. What
//     fits in neither fails with an error of kind Resource, and nothing waits for room (the bytes it waited for may be its
//     own query's). Batches that the engine's threads are still filling count too: when there is no more room, a thread that
//     holds some MiB hands them over, and they go to disk. Besides there are only the few that are being sent or received.
//  2. A block of memory counts until its last holder lets go of it: the store, or inputs on this worker. So an output may be
//     dropped while it is read; a spool file that is open is read on after its removal.
//  3. An input is complete before Fetch returns, or Fetch fails: with FetchFailed naming the producer whose partitions could
//     not be read (also when its spool is damaged), so that only that one is run again.
//  4. No byte of a spool reaches a reader whose checksum is wrong.
//  5. The directory is the store's own: it is removed by Close, and what a crash left is removed by the next Open.
package exchange
