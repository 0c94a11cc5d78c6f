// Package contest holds a statement's answer by the system under test to that of one plain DuckDB: the common ground of the
// differential suite (integration/oracle) and of the logic tests (integration/logic).
//
//	tables ─► Write ─► files ─┬► plaindb (reads them back into tables of its own)  ─► want ─┐
//	                          └► Arena: clusters of 1 … n workers, real engines, ─► have ─┴► Judge
//	                             Flight SQL door, a session for each Config
//
// Invariants
//  1. Both sides see the rows that the files hold, and nothing else.
//  2. Answers agree in names, Arrow types with their metadata, and values: bags of rows, and row by row in the columns that
//     the statement orders by. Floating point agrees within a relative 1e-9; all else exactly.
//  3. Errors agree too: where DuckDB refuses or fails, so must we, with kind User; where it does not, we must not.
//  4. An Arena's clusters and sessions are closed at the end of the test that opened it, and are idle before that.
package contest
