// Package worker runs tasks and serves what they yield. A coordinator places tasks by the control service (Create), hears of
// them (Watch) and ends them, one attempt (Cancel) or a whole query (Release); clients and other workers read them by Flight
// (DoGet with a signed ticket).
//
//	coordinator ──Create, Release──> Worker ──bind──> internal/duck ──kept──> exchange.Store ──DoGet──> other workers
//	            <──Watch, ping 1/s──     │                          └─result─> DoGet ──> client
//	                                     └── lifecycle.Registry: what may happen to a task
//
// A result that is to be read again (TaskSpec.keep) is run like an exchanged output, and kept as the client's batches.
//
// A task runs in four steps: its exchange inputs are fetched whole (exchange.Fetch), the files of its scans are checked
// to be those that were planned, its statement is printed (bind.SQL), and the engine runs it: into the store when other
// tasks read it, or as a stream when a client does. The store keeps outputs in memory, and on disk when its budget is used up
// or the task says so; so does it with fetched inputs. The engine hands batches to the store while it runs, so that neither
// has to hold an output whole.
//
// Invariants:
//  1. A worker knows nothing of plans: it runs any fragment that a coordinator printed, and trusts only signed tickets and
//     callers with the cluster credential.
//  2. Worker.mu covers the registry and the set of runs; it is held for no I/O, and no other lock is taken under it but the
//     hub's.
//  3. Every run has a context of its own with a cause; Cancel, Release, the deadline, the reader's end and Close cancel it.
//     The cause is what its reader is told. A run is reported to the registry only after the engine has let go of it.
//  4. After a query's Release returned, nothing of it is left here: no task, connection, input, output, file or booked byte.
//     So it is with a coordinator that has not watched the worker for OrphanAfter, for the tasks that it dispatched. One
//     that watches is told by every ping which of its queries are held here. Calls to another life of the worker are refused.
//  5. A client that does not read holds back its own task only.
//
// Obligations of callers: a Reader that Open returns must be closed; Close ends the worker and waits for everything, and
// comes before the engine's Close.
package worker
