// Package arrowtype maps DuckDB's logical types (catalog/table.Type) to Arrow and back. It is a pure mapping: no cgo and no
// data, so that planning, protocol and execution agree on schemas without linking the engine.
//
// There are two mappings, for two readers:
//
//	              SQL cast (ClientCast)        kernel in internal/duck
//	DuckDB type ───────────────────────▶ cast type ──────────▶ ClientSchema   (clients: classic Arrow types)
//	DuckDB type ───────────────────────────────────▶ WireSchema               (between workers: DuckDB's own layout)
//
// Invariants:
//  1. ClientSchema uses only types that every Arrow client since version 6 knows: no dictionaries, no views, no
//     large offsets, decimals of 128 bits, every field nullable except a map's entries and keys, where the format
//     forbids it. The schema of one result is the same at every endpoint; only the time zone of TIMESTAMP WITH TIME
//     ZONE comes from outside.
//  2. The kernel copies a client column without knowing anything rare: whatever has no classic Arrow type is cast to
//     VARCHAR by DuckDB itself before (ClientCast), so its text is DuckDB's own.
//  3. WireSchema is lossless and physical: a value read back has the same bits. What a value means stands in the plan's
//     types, and in each field's metadata for readers without a plan.
package arrowtype
