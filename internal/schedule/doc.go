// Package schedule decides which worker runs which task of a plan, and which splits and partitions each task reads.
//
//	plan + workers  →  Assign  →  assignment: for every stage its tasks, each with worker, splits, partitions
//
// Invariants:
//  1. The package is pure: the same plan and workers give the same assignment. Ties go by the order of the workers, so a
//     caller that wants to spread many small queries rotates that order.
//  2. Every split of a scan is in exactly one task, or in all when the scan is replicated; every partition of a hash input
//     is in exactly one task, or in all when the input is read whole; later package adapt may divide one (Task.Pieces). What is not in the assignment is not read, what is twice in it is read twice.
//     Range partitions are dealt in runs: those of a later task are later.
//  3. A stage has at least one task, at most one a worker, and tasks are numbered by the order of the workers they run on.
//  4. A task's splits of one file are contiguous runs, joined where they touch; a file read as a whole by one task is one
//     whole split.
package schedule
