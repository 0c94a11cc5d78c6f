// Package relay stands between a worker and everybody who calls it, at the worker's advertised address: it passes every gRPC
// call on unread, and tells a script what it sees. The script may hold a call, end it with an error, or do something to the
// worker in between; so a fault comes exactly when a task of a certain stage was taken, and not some milliseconds later.
//
//	coordinator, workers, clients ──▶ Relay ──▶ worker
//	                                    └─ Event ─▶ Script (may wait, may refuse)
//
// What is seen: tasks that are created, what the worker reports of them, tickets that are redeemed, and whether the first
// message of a result (its schema) has passed.
//
// Invariants
//  1. A message is passed on unchanged, with headers, trailers, deadline and status, or its call ends with an error.
//  2. The script sees an event before what it tells of is passed on (Before) or after (After), in the order of the call.
//  3. After Down nobody is answered and connections are reset, as with a process that died. While frozen, connections stay
//     open and nothing of them is read or written, keepalive included, as with a host that hangs.
package relay
