// Package lifecycle is the state machine of one query: events in, actions out.
//
//	            Start                 all root tasks read
//	Queued ───────────────▶ Running ───────────────────────▶ Finished
//	   │                       │
//	   │ Cancel, waited        │ a task failed, a worker was lost, deadline ──▶ Failed
//	   └──▶ Cancelled, Failed  │ Cancel, the reader went away ────────────────▶ Cancelled
//	                           │ nobody read the result in time ──────────────▶ Expired
//
// While a query runs, each of its tasks goes Waiting → Creating → Placed → Active → Done. A stage's tasks are dispatched
// when every task of every stage below is Done; so exact partition sizes are known when its inputs are written down. The
// tasks of the root stage are placed and wait for a reader. A direct task (the fast path, and results that the
// coordinator computes itself) is placed without being dispatched.
//
// Invariants:
//  1. Step is the only mutation, and is deterministic: time comes with the events. The machine starts no goroutine, reads
//     no clock, and calls nobody.
//  2. A status other than Queued and Running is final: no event changes it, and exactly one End is ever returned.
//  3. Every worker that a task may have reached is in the End action's Release list.
//  4. Place actions come in the order of the root stage's tasks, each once.
//  5. Progress never falls.
//
// What is left to be done about a lost task (other attempts, lineage) belongs here too; today its query fails with a
// retriable error.
package lifecycle
