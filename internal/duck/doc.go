// Package duck is the execution engine of a worker: one sandboxed DuckDB instance, driven through DuckDB's C API, and the C
// kernel that carries data between DuckDB's vectors and Arrow's buffers. It is, with its sub-packages, the only importer of
// DuckDB; cgo stops here.
//
//	                     ┌───────────────── Engine (one DuckDB instance) ────────────────┐
//	AddInput(batches) ──▶│ arbalest_input(handle)  ─▶  fragment  ─▶  pull loop (pull.c)  │──▶ Stream: client schema
//	                     │    (input.c, fill.c)          (SQL)    ─▶  arbalest_sink      │──▶ Output: wire schema,
//	                     └──────────────────────────────────────────  (sink.c)  ─────────┘     one list of batches a partition
//
// The kernel, in C:
//   - layout.c: the physical layout of a set of columns; checked against DuckDB's own types before anything is read.
//   - view.c: where a chunk's values lie. append.c, builder.c: the copy loops, chunk → one or many growing batches.
//   - pull.c: the pull loop of a client stream. sink.c, pids.c: the COPY function that DuckDB's threads call; each hands its
//     full batches to Go (taker.go).
//   - input.c, fill.c: the table function that gives Arrow batches back to DuckDB.
//   - engine.c: handles in SQL → C objects. memory.c: accounted buffers.
//
// Invariants:
//  1. One copy. A value is copied once between a DuckDB vector and an Arrow buffer, in either direction; strings of an
//     input are not copied at all. Buffers are C memory, outside of the Go heap, and every byte of them is in Usage.
//  2. A stream does not materialise: at most one chunk and one batch of it are held here, besides DuckDB's own buffer.
//  3. No vector is touched whose type was not checked against the layout that it is read by.
//  4. One connection a job. Closing the job returns everything: when all streams are closed, all outputs released and all
//     inputs removed, Usage is zero but for what DuckDB itself keeps. What DuckDB keeps of finished jobs outside of its own
//     accounts is freed by Rest, which callers call when they have nothing to do.
//  5. Everything that runs in DuckDB ends soon after its context does: the connection is interrupted until the call returns.
//  6. Errors are qerr.Errors, classified by DuckDB's error type.
//  7. The instance reads data locations only, and no statement can change that: its configuration is locked but for TimeZone.
//
// Callers print the SQL themselves; user text never gets here.
package duck
