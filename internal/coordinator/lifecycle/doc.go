// Package lifecycle is the state machine of one query: events in, actions out.
//
//	            Start                 all root tasks read
//	Queued ───────────────▶ Running ───────────────────────▶ Finished
//	   │                       │
//	   │ Cancel, waited        │ a fault that is not tried again, deadline, silence, no worker ──▶ Failed
//	   └──▶ Cancelled, Failed  │ Cancel, the reader went away ───────────────────────────────────▶ Cancelled
//	                           │ nobody read the result in time ─────────────────────────────────▶ Expired
//
// While a query runs, each attempt of a task goes
//
//	              inputs Done, pause over, a worker
//	┌─▶ Waiting ───────────────────────────────────▶ Creating ──▶ Placed ──▶ Active ──▶ Done
//	│      ▲                                            │            │          │        │ its output is lost,
//	│      │                                     refused│    worker lost, failed│        │ and wanted
//	│      └── the next attempt ◀───────────────────────┴────────────┴──────────┴────────┘
//	└───────── its producer's rows are others now (restart)
//
// A stage's tasks are dispatched when every task of every stage below is Done; so exact partition sizes are known when its
// inputs are written down. An adaptive stage is settled before that, once: Ready asks the owner, Settle says what its tasks
// are, by exact sizes, and may replace other stages that are not settled (settle.go). The tasks of the root stage are placed and wait for a reader. A direct task (the fast path, and
// results that the coordinator computes itself) is placed without being dispatched.
//
// What a failed attempt means is in retry.go, by the error's kind: USER and the like end the query; IO is tried elsewhere
// unless the error is final; RESOURCE once more, alone on a worker, another one if there is any; INTERNAL once elsewhere;
// UNAVAILABLE and FENCED elsewhere; FETCH_FAILED re-runs the producer that it names. Lost workers and lineage are in
// lineage.go, the end of attempts that were given up in abandon.go, results that the coordinator reads for clients in
// reader.go, the choice of workers in dispatch.go, everything that has a time in time.go.
//
// A kept result (Shape.Kept) is run without waiting for its reader, and its query goes on until nobody wants it any more:
// reading it changes nothing. A lost worker takes it away, which is the query's failure.
//
// A query whose owner is gone begins in another machine with what is left of it (Resume): outputs that are still kept are Done,
// placed results stay, everything else runs again.
//
// Invariants:
//  1. Step is the only mutation, and is deterministic: time comes with the events. The machine starts no goroutine, reads
//     no clock, and calls nobody.
//  2. A status other than Queued and Running is final: no event changes it, and exactly one End is ever returned.
//  3. Every worker that a task may have reached is in the End action's Release list.
//  4. Place actions come in the order of the root stage's tasks, each once. A task that moves later has no new endpoint:
//     the coordinator leads readers of the old ticket to it.
//  5. Progress never falls.
//  6. An attempt's number is given out once. A consumer is dispatched when all its producers are Done, and names an attempt
//     of each. Where an attempt's rows may differ from an earlier one's, everything that has read the earlier one starts
//     again, or the query fails: no result is made of two attempts.
//  7. A root task whose begin a client may have is not moved: its loss is the query's, as UNAVAILABLE.
//  8. The number of attempts is bounded: every next one is charged to a task (Shape.Attempts), or follows from one that is,
//     or from a refusal by a worker that was not asked before, or is its task's only rival: a second attempt beside a slow
//     one (speculate.go), which nobody is told to read before it has won or the other one has failed.
//  9. Every attempt that was given to a worker is counted under one outcome by the query's end.
//  10. A stage is settled at most once, before anything of it is dispatched; later attempts are of the same work.
//  11. No task is given to a worker that is lost or not usable, and no more at once to one than it has slots. A task waits for
//     a slot at its own worker: a sibling of another stage there is done soon, and its splits may be in that worker's cache.
//  12. An attempt that was given up is told to end (Abandon) to a worker in reach at once, and to one that was cut off when it
//     comes back. It never is the one that counts. What is left after that ends with the query, by Release.
package lifecycle
