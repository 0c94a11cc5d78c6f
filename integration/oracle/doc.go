// Package oracle says what is right: one plain DuckDB over the same files answers the same statements, and two answers are
// compared as values.
//
// The engine runs in Python (oracle.py, duckdb of the exact version in integration/tools/python), so that it shares no
// code with the server under test, and hands its answers over as Arrow IPC streams. Answers of other origin (batches from
// a door, the JDBC runner's JSON) become Rows by the same functions, cell by cell in DuckDB's own text form.
//
// Rules of comparison
//  1. Without ORDER BY, rows are a bag. With it, the bag must be equal and the columns ordered by must agree row by row:
//     rows that tie may stand in any order, as in SQL.
//  2. Floating point agrees within a relative 1e-9, and an absolute one where sums cancel: a distributed sum adds in another
//     order. All else agrees exactly.
//  3. NULL equals NULL only.
package oracle
