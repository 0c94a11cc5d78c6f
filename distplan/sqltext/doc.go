// Package sqltext prints an operator tree as one SELECT, which is how a stage's body travels to workers.
//
// Flow: distplan cuts a tree into stage bodies whose leaves are inputs; this package prints each body; a worker binds the
// inputs' names (scan_0, exchange_1) in front of the text and runs it.
//
// Invariants:
//  1. Lossless in rows and in types: DuckDB binds the text again, so everything whose type could come out otherwise is cast
//     to the planned one (aggregates, window functions, decimal and nested function results).
//  2. Never a guess: what is not known to survive printing is an ErrUnprintable error, and its statement takes another path.
//     Functions are on an allow-list with their numbers of arguments, because DuckDB's binder erases some arguments
//     (string_agg's separator) and a call without them would mean something else.
//  3. The output columns are named c0 … cn; every column reference is qualified, so that no alias is taken for a column;
//     identifiers are quoted; there is no "*".
//  4. The text begins with SELECT: common table expressions stand inside, in a FROM clause, so that the reader may put its
//     own WITH in front.
//  5. Order by constants never appears (DuckDB would read it as an ordinal or refuse it); GROUP BY uses ordinals.
//
// Callers own nothing: trees are only read, and the same tree prints the same text.
package sqltext
