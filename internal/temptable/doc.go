// Package temptable holds what a session's temporary tables are: names of immutable versions, whose rows workers keep.
//
//	Session ── committed state ── name ─▶ Version ──▶ Rows (a finished query whose outputs stay on their workers), Rows, …
//	   └─ Transaction ── its own state, and one for each savepoint
//
// A write makes a new version of a table: INSERT has one more Rows, UPDATE and DELETE have others. So a state is a map, a
// snapshot is a copy of a map, and rolling back is going back to one.
//
// Invariants:
//  1. A Version and a Rows never change. Both are counted: each state that names a version holds it, each version holds its
//     rows, and a query that reads holds what it reads. Rows that nobody holds are freed, once.
//  2. Writes of a session come one after the other (View.Lock); reads wait for nothing.
//  3. The bytes of all versions that a session names are bounded; versions that only running queries hold are not counted.
//  4. A transaction reads the state that was committed when it began, and its own writes. Committing puts its writes into
//     the committed state, all or none; if another one wrote one of the same tables since, it fails and is rolled back.
//
// Ownership: who gets a Version from a View releases it. Close frees everything that a session names.
package temptable
