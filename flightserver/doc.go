// Package flightserver is the client's door: it speaks Arrow Flight SQL and turns every command into calls on the
// coordinator, the catalog and the session. It plans nothing and holds nothing but sessions with their prepared statements.
//
//	                 ┌ interceptor: recover, who is calling, errors ┐
//	client ─ gRPC ─► │ GetFlightInfo PollFlightInfo GetSchema       │─► statement, prepared ─► Queries (the coordinator)
//	                 │ DoGet DoPut DoAction Handshake …             │─► metadata, SqlInfo   ─► Catalog
//	                 └──────────────────────────────────────────────┘─► sessions: settings, handles, transactions
//
// The server is written against the generated service and not upon flightsql.Server of arrow-go: that one crashes on a DoPut
// without a descriptor, fails GetSqlInfo as a whole on an id it does not know, and hides Handshake, ListFlights, DoExchange,
// path descriptors and polling of metadata commands. Schemas and helpers are the library's.
//
// Invariants:
//  1. No input crashes the process or a call without an error: whatever panics is recovered by the interceptors, logged with
//     its stack, and answered as an internal error. Rows from clients are walked before Arrow's reader believes their headers
//     (ipcheader.go), and validated before anybody follows their offsets.
//  2. Every call but Handshake, health and the cluster's own services has a caller, taken from its Authorization header or
//     cookie. A server without logins takes every caller as the same anonymous user; each gets its own session.
//  3. A FlightInfo has its schema set, and it is the schema of each of its streams. Metadata commands answer with exactly the
//     schemas of the library's schema_ref.
//  4. A handle is signed and names its session; it is good for the user who got it, and for nobody else. What stands behind
//     it dies with the session.
//  5. All state is bounded in number, bytes and idle time; a session that holds nothing takes no memory. A session is at one
//     coordinator, which every other one passes its calls on to; its options are written down before a change of them is answered, and no
//     statement runs without them.
//  6. A call that ends early (client gone, deadline) ends what it started: GetFlightInfo cancels its query, DoGet closes its
//     reader, a polled query that nobody polls any more expires.
//  7. Errors leave as gRPC statuses made by grpcerr; a statement's fault is InvalidArgument with its position.
package flightserver
