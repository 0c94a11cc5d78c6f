// Package coordinator owns queries: it plans a statement, finds it a place, dispatches its tasks, watches them, and sees to
// it that nothing of it is left at the end.
//
//	Submit ─ classify ─ plan ─▶ Query ─ admission ─▶ build, assign ─▶ dispatch ─▶ endpoints ─▶ (the client reads) ─▶ end
//	  submit.go        plan.go  query.go  admission.go   start.go    dispatch.go   ticket.go                       release.go
//	                                                                  settle.go
//	                              ▲
//	                              └── task events ── watch.go ── one control stream a worker
//
// What a query does next is decided in one place, the pure state machine of package lifecycle; this package feeds it events
// and carries out its actions.
//
// A task that fails, or whose worker is lost, is tried elsewhere (step.go, workers.go); clients that come to the coordinator
// with the ticket of an attempt that was given up are led to the one that took its place (proxy.go, place.go).
//
// Statements without a scan, and the statements that are ours (SET, EXPLAIN, KILL, …), are answered by the coordinator:
// their ticket carries SQL that the frontend printed, and Open evaluates it (local.go). They take no place in admission, so
// that KILL and sys.queries work when everything else is busy. Which of the others is next is decided by package admission.
//
// With a ledger a query outlives its coordinator once a client was told of it (promise.go): its record (record.go) lets the successor
// of a fallen coordinator (lives.go, succeed.go) go on with what the workers still hold (restore.go). What comes for a query of
// another coordinator is led there (elsewhere.go).
//
// Invariants:
//  1. A query's tasks run on members of one snapshot whose control stream was up; every event of such a task reaches its
//     query, or the worker counts as lost.
//  2. A worker that a task may have reached is told the query's end and its cause (Release), again and again until it
//     answered; one that is away is told when the same life of it comes back. So nothing stays there, and the query's error
//     is what a client in mid-stream at a worker is told. Create and Watch name the life that they are meant for, as a
//     restarted worker has its predecessor's address. Should all that not be enough: each ping of a worker says which queries
//     it holds something of, and those that are not live are ended there (held.go).
//  3. A query's number of goroutines is zero but for the calls under way on its behalf; all of those belong to the
//     coordinator's group, and Close waits for them.
//  4. The registry holds at most LiveMax live and EndedMax ended queries; a live one ends by its reader, an error, Cancel,
//     its deadline, or the result TTL: none stays for ever.
//  5. A proxied result is one attempt's: until a batch was handed out another attempt may take its place, afterwards none
//     does. The query says which (Query.claim).
//  6. What a client is told of a query is in its record before, or the query has none and ends with its coordinator; where an older
//     record may be stored, the client is not told (Query.Promise). A coordinator that has fallen tells clients nothing but that,
//     and workers nothing at all; they would refuse.
//  7. Locks: Query.mu is never held while calling out of this package or taking another of its locks.
package coordinator
