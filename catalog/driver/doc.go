// Package driver is what a catalog needs of a source of tables: a directory, an Iceberg catalog, a bucket.
//
//	Catalog ── List ──► Driver      every refresh: names and versions, no data read
//	        ── Entry.Load ──►       at the first use of a table: columns, files, statistics
//
// Obligations of a driver, checked by catalog/drivertest:
//  1. List returns every table, bad ones too: a table that cannot be used is listed, and its Load says why. It fails only
//     when nothing can be told at all. What lies beside the tables and cannot be read becomes a warning.
//  2. An Entry's Version changes exactly when the table's content does.
//  3. Load reads the very version that was listed, or fails with an IO error: a query keeps its snapshot.
//  4. Tables that Load returns are shared and never changed.
//  5. List and Load may be called concurrently and return soon after their context ends.
//
// Drivers do not import DuckDB; what they need of it comes through the Sniffer, which the composition root wires.
package driver
