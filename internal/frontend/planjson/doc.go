// Package planjson reads the JSON of DuckDB's json_serialize_plan into an operator tree.
//
// Flow: the planning database gives the optimised plan as JSON; Decode parses it strictly (a field that is not known is a
// reason to stop) and builds operator and expression values; Estimates adds the row estimates of EXPLAIN's JSON, which has
// the same shape. What is not understood completely is an *Unread error that names the reason, and its statement takes the
// text path: a wrong answer is never the price of distribution.
//
// Invariants:
//  1. Decode never panics, whatever bytes it is given (fuzzed).
//  2. Every operator of a decoded tree has as many output columns as the plan says, and every Ref is inside its input.
//  3. Arguments that DuckDB's binder erased from a call (a separator, quantiles) are put back, or the plan is unread.
//
// What the JSON means (measured, DuckDB 1.5): GET gives column_indexes picked by projection_ids (all when empty); filters and
// joins have projection maps (empty = all); constants are raw (decimals unscaled, dates in days, enums by index); a
// DELIM_GET belongs to the nearest DELIM_JOIN above it whose duplicate-eliminated side it is not on.
//
// The package is pure.
package planjson
