package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/internal/cache"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Snapshot is an immutable view of the catalog, taken once per query. All methods may be called concurrently.
type Snapshot struct {
	version  string
	names    []table.Name // sorted
	entries  map[string]driver.Entry
	schemas  map[string][]string // by catalog, both as spelled, sorted
	warnings []error
	// failed are the drivers that could not be listed, by catalog in lower case.
	failed map[string]error
	tables *cache.Cache[tableKey, *table.Table]
}

// A tableKey names one content of one table, over all snapshots.
type tableKey struct{ name, version string }

// key is the folded name; NUL keeps "a.b" . "c" and "a" . "b.c" apart.
func key(n table.Name) string {
	return table.Fold(n.Catalog) + "\x00" + table.Fold(n.Schema) + "\x00" + table.Fold(n.Table)
}

// Version names the content: two snapshots of one catalog hold the same tables with the same files exactly when their
// versions are equal.
func (s *Snapshot) Version() string { return s.version }

// Catalogs are the names of all catalogs, sorted.
func (s *Snapshot) Catalogs() []string {
	all := make([]string, 0, len(s.schemas))
	for name := range s.schemas {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// Schemas are the db schemas of a catalog, sorted; none for an unknown catalog.
func (s *Snapshot) Schemas(catalog string) []string {
	for name, schemas := range s.schemas {
		if table.Fold(name) == table.Fold(catalog) {
			return slices.Clone(schemas)
		}
	}
	return nil
}

// Names are all tables, sorted; those that cannot be used are among them.
func (s *Snapshot) Names() []table.Name { return slices.Clone(s.names) }

// Warnings say what could not be listed, and why.
func (s *Snapshot) Warnings() []error { return slices.Clone(s.warnings) }

// Table returns a table with all that planning needs, reading it at the first use. The name is found in any case, and the
// table bears it as it is listed. The table is shared: nobody may change it.
//
// Outcomes: the table; NotFound; an error of the table itself (see driver.Entry.Load); Cancelled or Deadline.
func (s *Snapshot) Table(ctx context.Context, name table.Name) (*table.Table, error) {
	k := key(name)
	e, ok := s.entries[k]
	if !ok {
		return nil, s.notFound(name)
	}
	t, err := s.tables.Get(ctx, tableKey{k, e.Version}, e.Load)
	if errors.Is(err, cache.ErrClosed) {
		return nil, qerr.New(qerr.Unavailable, "table %s: the catalog is closed", e.Name)
	}
	if err != nil {
		return nil, qerr.Wrap(qerr.IO, "table "+e.Name.String(), err)
	}
	return t, nil
}

func (s *Snapshot) notFound(name table.Name) error {
	if err := s.failed[table.Fold(name.Catalog)]; err != nil {
		return qerr.Wrap(qerr.IO, "look up table "+name.String(), err)
	}
	e := qerr.New(qerr.NotFound, "table %s does not exist", name)
	if len(s.warnings) > 0 {
		// The table may be where we could not look.
		e.Msg += fmt.Sprintf(" (not everything could be listed: %v)", s.warnings[0])
	}
	return e
}

// A builder collects listings into a snapshot.
type builder struct {
	s *Snapshot
}

func newBuilder(c *Catalog) *builder {
	return &builder{&Snapshot{
		entries: map[string]driver.Entry{}, schemas: map[string][]string{}, failed: map[string]error{}, tables: c.tables,
	}}
}

func (b *builder) add(catalog string, l driver.Listing, err error) {
	s := b.s
	b.schema(catalog, l.Schemas...)
	if err != nil {
		s.failed[table.Fold(catalog)] = err
		s.warnings = append(s.warnings, qerr.Wrap(qerr.IO, "list catalog "+catalog, err))
		return
	}
	s.warnings = append(s.warnings, l.Warnings...)
	for _, e := range l.Entries {
		b.schema(e.Name.Catalog, e.Name.Schema)
		k := key(e.Name)
		if other, clash := s.entries[k]; clash {
			s.entries[k] = clashing(other, e)
			continue
		}
		s.entries[k] = e
	}
}

func (b *builder) schema(catalog string, schemas ...string) {
	for known := range b.s.schemas {
		if table.Fold(known) == table.Fold(catalog) {
			catalog = known
		}
	}
	list := b.s.schemas[catalog]
	for _, name := range schemas {
		if !slices.ContainsFunc(list, func(o string) bool { return table.Fold(o) == table.Fold(name) }) {
			list = append(list, name)
		}
	}
	b.s.schemas[catalog] = list
}

// clashing stands for two tables of one name: using either would be a guess.
func clashing(a, b driver.Entry) driver.Entry {
	return driver.Entry{Name: a.Name, Version: "clash " + a.Version + " " + b.Version,
		Load: func(context.Context) (*table.Table, error) {
			return nil, qerr.New(qerr.User, "two tables have this name (%s and %s); names differ in more than case", a.Name, b.Name)
		}}
}

func (b *builder) snapshot() *Snapshot {
	s := b.s
	for _, e := range s.entries {
		s.names = append(s.names, e.Name)
	}
	slices.SortFunc(s.names, func(a, b table.Name) int { return strings.Compare(key(a), key(b)) })
	for _, list := range s.schemas {
		slices.Sort(list)
	}
	h := sha256.New()
	for _, n := range s.names {
		fmt.Fprintf(h, "%q %q %q %q\n", n.Catalog, n.Schema, n.Table, s.entries[key(n)].Version)
	}
	for _, name := range s.Catalogs() {
		fmt.Fprintf(h, "%q %q\n", name, s.schemas[name])
	}
	for _, w := range s.warnings {
		fmt.Fprintf(h, "%q\n", w.Error())
	}
	s.version = hex.EncodeToString(h.Sum(nil)[:16])
	return s
}

// tableBytes estimates the memory of a table: row groups and paths outweigh the rest.
func tableBytes(t *table.Table) int64 {
	bytes := int64(512)
	for _, c := range t.Columns {
		bytes += int64(len(c.Name)) + 256
	}
	for _, f := range t.Files {
		bytes += 128 + int64(len(f.Path))
		for _, g := range f.RowGroups {
			bytes += 48 + 8*int64(len(g.Bytes))
		}
		for _, k := range f.Keys {
			if k != nil {
				bytes += int64(len(*k))
			}
			bytes += 24
		}
		for i := range f.Zones {
			bytes += f.Zones[i].MemoryBytes()
		}
	}
	return bytes
}
