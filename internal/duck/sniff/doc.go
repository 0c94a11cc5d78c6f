// Package sniff asks DuckDB how it reads CSV and JSON files (and Parquet files with different schemas): the columns, and the
// reader options with which every worker reads the files alike. The catalog's drivers use it through their Sniffer interface.
//
// Invariants:
//  1. The instance may read files under the given locations only, and nothing else of the host; its configuration is locked.
//  2. The options leave nothing to guess: a later read with them sniffs no types and no dialect.
//  3. A fault of a file is an IO error that names the file.
//
// A Sniffer is safe for concurrent use; Close waits for the calls under way.
package sniff
