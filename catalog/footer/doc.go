// Package footer reads what Parquet files tell of themselves: rows, row groups with the bytes of each column, statistics,
// and a fingerprint of the schema. It reads the footer only, never data.
//
// It does not say which DuckDB types the columns have: only the engine's reader knows that exactly (driver.Sniffer), and
// equal fingerprints have equal types, so one question per distinct schema is enough.
//
// Invariants:
//  1. A file that is not as it was listed (size or modification time), or is no sound Parquet file, is an IO error that
//     names it. No content of a file can panic.
//  2. Bounds are true: every non-NULL value of the column lies between Min and Max. What cannot be trusted gives none:
//     floats (statistics leave out NaN, which DuckDB orders last), old statistics with a wrong order, INT96, nested columns.
//  3. What a footer keeps of its row groups is bounded: one with too many keeps one entry a column (zoneBytesMax).
//  4. How many values a row group has (distinct.go) is an estimate for costs: no answer may depend on it.
//
// The package is free of state; callers bound how many files are read at once.
package footer
