// Package frontend turns the text of statements into what the coordinator can run. It is the only place that sees SQL text
// from users, and it writes no SQL parser: DuckDB parses, binds and optimises in sandboxed planning databases (package
// plandb) whose tables are stubs.
//
//	text ─Classify─▶ Command ──(query)──▶ Plan ─┬─▶ operator tree         (the plan JSON was read: package planjson)
//	                                            ├─▶ text over named inputs (it was not: the statement printed back)
//	                                            └─▶ local SQL              (no file to scan: Evaluate runs it)
//
// Invariants:
//  1. Workers and Evaluate run only SQL that was printed here or by distplan, never a user's text: what a tree cannot say is
//     printed back from DuckDB's syntax tree, with every table replaced by a named input.
//  2. Table functions are on an allow-list, and a statement binds in a database without access to the outside before
//     anything else looks at it: nothing reaches a file that is no catalog table's.
//  3. Only the tables that a statement names become stubs. information_schema, SHOW and the like are answered here, over a
//     database that holds all tables of the snapshot, empty.
//  4. Faults of a statement are qerr.User with DuckDB's message and position, unknown tables NotFound with the nearest names
//     of the catalog; what is refused on purpose is PermissionDenied or Unsupported and says what to do instead.
//  5. Plans are cached by everything they depend on; those with values folded at planning time (now(), current_user) or
//     volatile functions never are.
//
// A Frontend is safe for concurrent use. Close waits for everything it started.
package frontend
