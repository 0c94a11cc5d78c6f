// Package adapt decides how a stage runs when all its producers have finished: what was planned on estimates is corrected by
// the exact rows and bytes of every partition, and by the values of join keys.
//
//	plan + stage + exact sizes + workers  →  Tasks  →  the stage's tasks, and notes that say what was changed and why
//
// For a stage that is spread over hash partitions:
//
//   - A partition far larger than the others is divided: its rows of one input, by the tasks that produced them, go to
//     several tasks, each of which reads the whole partition of the other inputs. Which input that may be says
//     distplan.Divisible.
//   - Partitions are dealt by bytes, the largest first, each to the worker that is furthest below its due.
//     Range partitions are dealt in runs instead, whose borders the bytes decide: the order of the tasks is theirs.
//   - Before the larger side of a join is exchanged: if the other sides have turned out small, the join is done where it lies
//     (JoinWhereItLies), and every task reads the others whole.
//   - A stage whose scan feeds a join leaves out rows that match nothing there, by the key values that the other side turned
//     out to have (Filters).
//   - Little data gets fewer tasks: one that reads less than TaskBytesMin costs more to start than it saves.
//
// Invariants:
//  1. The package is pure: the same input gives the same decision.
//  2. Every producer's rows of every partition are read by exactly one task, or, of an input that is not divided while
//     another one is, by every task that reads a piece of that partition. (Whole and broadcast inputs: by all.)
//  3. A stage has at least one task, at most one a worker; tasks are numbered in the order of the workers.
//  4. A piece is a set of producer tasks, not of rows: it means the same when a producer has run again.
package adapt
