// Package arrowwire brings rows that clients send in any Arrow layout into the one that workers exchange.
//
//	client's batch (dictionaries, views, large offsets, run ends, …) ─ Batch ─▶ wire batch (arrowtype.WireSchema) ─▶ engine's input
//
// Invariants:
//  1. The values are those that were sent, bit for bit, as far as the DuckDB type that arrowtype.FromArrow gives has room for them;
//     nanoseconds of instants and intervals are cut to microseconds, which is what DuckDB's types have.
//  2. What the engine would have to trust is checked here: UTF-8, the range of times and timestamps, digits of decimals, keys of maps.
//     A fault is a User error that names the column.
//  3. What is made is bounded by the caller: a dictionary or a view can say little and mean much.
//
// Ownership: the caller owns what Batch returns, and keeps what it gave. Columns that have the layout already share their buffers.
package arrowwire
