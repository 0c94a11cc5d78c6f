// Package exchange is the data side of the edges between stages on one worker: the Store keeps the outputs of finished tasks
// until they are released, and Fetch collects a task's inputs from the stores of all workers.
//
//	task ──Output──> Store ──Take──> DoGet of another worker's Fetch ──> batches ──> the consuming task's engine input
//	                     └──Take──> Fetch on the same worker (no Flight, no copy)
//
// Invariants:
//  1. The store never holds more than its budget of bytes, outputs and fetched inputs together; what does not fit fails with
//     an error of kind Resource, and nothing waits for room (the bytes it waited for may be its own query's).
//  2. Batches in the store belong to it. Take hands out references of the taker's own, so that an output may be dropped while
//     it is read; its memory goes with the last reference.
//  3. An input is complete before Fetch returns, or Fetch fails: with FetchFailed naming the producer whose partitions could
//     not be read, so that only that one is run again.
//
// The store keeps outputs in memory. A spool on disk goes behind the same interface.
package exchange
