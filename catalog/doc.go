// Package catalog knows which tables there are: names → tables → files → splits.
//
//	Catalog ─ Snapshot ─► *Snapshot ─ Table ─► *table.Table
//	   │ refresh: List of every driver           │ first use: Entry.Load, kept by (name, version)
//
// A Catalog is a portable type over drivers (catalog/driver): the first is a directory of files (catalog/dirdriver), and
// catalog/drivertest holds what every driver must do.
//
// Invariants:
//  1. A Snapshot never changes: the same names, and the same contents behind them, for as long as a query keeps it. A file
//     that has changed since is an IO error that names it, never a mixture of versions.
//  2. Snapshot.Version changes exactly when the content does: a name, or a table's version. Unchanged content gives the
//     same *Snapshot, so that pointers and versions serve as cache keys alike.
//  3. Snapshot is cheap: callers at the same time share one refresh, refreshing takes at most a tenth of the time, and
//     nothing is read of the data. A view is never older than Config.StaleMax plus one listing.
//  4. A bad table, or a driver that fails, hides nothing else: its error comes when it is asked for.
//  5. Kept tables are bounded in bytes.
//
// Close ends refreshes and loads under way, waits for them, and closes the drivers.
package catalog
