// Package plaindb is one plain, in-memory DuckDB without any of our functions, limits or rewrites: the oracle that tests hold
// distributed answers to. Nothing of the product imports it.
//
// It runs any statement, DDL and COPY included, and hands results over as Arrow batches of DuckDB's own making, in the
// schema that arrowtype promises to clients, so that two answers can be compared type by type and value by value.
//
// Invariants:
//  1. A DB is used by one goroutine at a time; Query ends soon after its context does.
//  2. A refused or failed statement is a *minidb.Fault, as DuckDB words it; the DB goes on.
//  3. A Result owns its batches until Release.
package plaindb
