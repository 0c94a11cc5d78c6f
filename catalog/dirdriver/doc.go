// Package dirdriver makes tables of directories of files: it is the driver behind --data DIR.
//
//	DIR/orders.parquet             table orders
//	DIR/events.csv.gz              table events
//	DIR/lineitem/part-*.parquet    table lineitem: all files of the directory
//	DIR/visits/day=2024-05-01/a.json  table visits with the column day (Hive-style keys, to any depth)
//
// What is a table. Files named .parquet, .csv, .json, .ndjson, .jsonl, and all but the first also with .gz. A sub-directory
// is a table when it holds such files directly or below k=v directories; an empty one is none. Names that begin with "."
// or "_" and all other files and sub-directories are ignored. Names are compared without regard to case.
//
// What is a bad table: listed, but its use is an error that says what to do. Files of different formats in one directory;
// two files or directories of one name (in all data directories together); files at different depths of keys; names with
// "*", "?" or "[", which the engine's reader would expand; directories that belong to a table format (Delta, Hudi), whose
// files alone are not its rows; a directory that cannot be read.
//
// Symbolic links are followed only where they stay inside the data directory (to files anywhere, to directories at the
// top): a link that leads out of it makes a bad table, since workers may read the data directories only.
//
// Invariants:
//  1. Listing reads directories only; footers are read at a table's first use, in parallel up to Config.Concurrency, and
//     kept by (path, size, modification time) over all refreshes.
//  2. Columns and types are what DuckDB's readers give: the Sniffer is asked once per distinct Parquet schema. Files whose
//     schemas differ are united by name; types must widen without changing their nature, or the error names both files and the column.
//  3. Keys are read here, from the directories of the table only: among the options is always hive_partitioning = false,
//     since DuckDB guesses it otherwise, and from directories above the table too.
//  4. Files are ordered by path, and keys by name, as DuckDB's glob has them.
package dirdriver
