package driver

import (
	"context"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// A Driver is a source of tables of one catalog.
type Driver interface {
	// Catalog is the name of the catalog that the tables belong to. Several drivers may share one.
	Catalog() string
	// List tells which tables there are now. Two outcomes:
	//  - a Listing, possibly with warnings and with tables whose Load will fail;
	//  - an error of kind IO, Cancelled or Deadline: nothing can be told.
	List(ctx context.Context) (Listing, error)
	// Locations are the absolute paths or URLs below which all of the driver's files lie. Workers may read there only.
	Locations() []string
	// Close frees what the driver holds, after waiting for calls under way. Idempotent.
	Close() error
}

// A Listing is what a source holds at one moment.
type Listing struct {
	// Schemas are the db schemas that exist, those without tables included.
	Schemas []string
	Entries []Entry
	// Warnings say what could not be listed, and why. They are for logs, and for the message about a table that is not
	// found: it may be in there.
	Warnings []error
}

// An Entry is one table of a listing. Names are compared without regard to case.
type Entry struct {
	Name table.Name
	// Version tells contents apart: it changes exactly when the table's content changes.
	Version string
	// Load reads what planning needs. Outcomes: the table; or an error of kind User (the files do not make a table),
	// Unsupported, IO (a file vanished, changed or is corrupt; the message names it), Cancelled or Deadline.
	Load func(ctx context.Context) (*table.Table, error)
}

// A Sniffer asks the engine how it reads files, since only the engine knows exactly.
type Sniffer interface {
	// Sniff returns the columns of the files as the engine's reader gives them, in order, and the reader's options that
	// make every later read of them alike (CSV: delim, quote, header, columns, …; JSON: format, columns; Parquet: none).
	//
	// Directory names count for nothing here (hive_partitioning = false): keys are the caller's business. Several Parquet
	// files give the union of their columns by name, with types widened as the engine's union_by_name does.
	// Paths are absolute and hold no glob characters. A file that cannot be read is an IO error that names it. It may
	// be called concurrently.
	Sniff(ctx context.Context, format table.Format, paths []string) ([]table.Column, []table.Option, error)
}
