package frontend

import (
	"context"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// snapshot is implemented by *catalog.Snapshot. All methods may be called concurrently.
type snapshot interface {
	// Version names the content; it is part of cache keys.
	Version() string
	// Catalogs and Schemas list names, sorted.
	Catalogs() []string
	Schemas(catalog string) []string
	// Names are all tables, sorted.
	Names() []table.Name
	// Table finds a table by its name in any case; NotFound when there is none.
	Table(ctx context.Context, name table.Name) (*table.Table, error)
}
