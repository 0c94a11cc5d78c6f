// Package minidb is a small, private, in-memory DuckDB whose connections answer in text: what the planning databases and the
// CSV and JSON sniffer stand on. It runs no user queries over data; the engine of package duck does that.
//
// Invariants:
//  1. Every connection reports errors with their structure (errors_as_json): all errors of statements are *Fault.
//  2. Statements are not interruptible by context: Conn.Interrupt asks a running one to stop.
//  3. A DB is closed after all its connections.
package minidb
