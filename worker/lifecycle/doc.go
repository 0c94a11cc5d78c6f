// Package lifecycle is the state machine of a worker's tasks: what may happen to a task, in which order, and who must be told.
// It is pure: no clock, goroutine, lock or network. The worker calls it under its own lock, tells it the time, and
// carries out the Actions it returns.
//
//	Create kept ───────────────> RUNNING ──Finish──> FINISHED (output kept) ──Release, Sweep──> gone
//	Create result ──> PLACED ──Redeem──> RUNNING ──Finish──> FINISHED (read) ──Release, Sweep──> gone
//	Direct (the ticket carries the task) ─> RUNNING ──Finish──> gone
//	                    any RUNNING ──Finish with an error──> FAILED or CANCELLED ──Release, Sweep──> gone
//
// Invariants:
//  1. A task is interrupted at most once, and leaves the registry only after its run was reported by Finish: as long as an
//     entry is there, its thread may be in the engine.
//  2. Creating a key that exists does nothing. A key of a query that was released is refused: a Create that was overtaken
//     by the query's end must not leave a task behind. (Direct tasks are exempt: their tickets may be read again, unless
//     the query ended by an error.) So is the key of an attempt that was cancelled.
//  3. A result task is read once. Only Direct tasks run as often as their tickets are redeemed.
//  4. Every state has an end in time: PLACED and RUNNING the task's deadline, the others the deadline and a grace.
//  5. Whoever comes for a result whose query ended by an error, or whose attempt was cancelled, is told that error, for as long
//     as it is remembered.
//  6. Nothing of a fallen coordinator is here after Succeed but what its successor wants, and direct tasks; it can dispatch
//     nothing, end nothing and hears of nothing any more.
//  7. Every change of state is told as an Event, in order; counters are told on request (Changed).
package lifecycle
