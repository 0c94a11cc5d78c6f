package dirdriver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// keyDepthMax bounds how deep k=v directories are followed.
	keyDepthMax = 32
	// filesMax bounds the files of one table: each costs a footer, and some hundred bytes in every plan.
	filesMax = 1_000_000
	// globBytes are expanded in paths by the engine's readers, so that a file named so would be read as others.
	globBytes = "*?["
	globNames = `"*", "?" or "["`
)

// formats by file extension; which may also be compressed by gzip.
var formats = []struct {
	extension string
	format    table.Format
	gzip      bool
}{
	{".parquet", table.Parquet, false},
	{".csv", table.CSV, true},
	{".json", table.JSON, true},
	{".ndjson", table.JSON, true},
	{".jsonl", table.JSON, true},
}

// formatOf splits a file's name into a table's name and a format; ok is false for files that are ignored.
func formatOf(file string) (name string, format table.Format, ok bool) {
	lower := table.Fold(file)
	plain := strings.TrimSuffix(lower, ".gz")
	for _, f := range formats {
		if stem, found := strings.CutSuffix(plain, f.extension); found && stem != "" && (plain == lower || f.gzip) {
			return file[:len(stem)], f.format, true
		}
	}
	return "", "", false
}

// hidden reports whether a name is ignored: "." is Unix's mark, "_" that of Hive and Spark (_SUCCESS, _temporary).
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") }

// A source is one file of a table.
type source struct {
	path    string
	size    int64
	modTime int64
	format  table.Format
	keys    []hiveKey // sorted by name
}

// A candidate is what looks like a table.
type candidate struct {
	name string
	// path is the file or directory.
	path    string
	sources []source // sorted by path
	// fault is why it cannot be used; nil when nothing is wrong so far.
	fault error
}

// List reads the data directories. A directory that cannot be read is a warning.
func (d *Driver) List(ctx context.Context) (driver.Listing, error) {
	listing := driver.Listing{Schemas: []string{d.config.Schema}}
	var found []candidate
	for _, dir := range d.dirs {
		here, err := walker{root: dir}.dir(ctx)
		if ctx.Err() != nil {
			return driver.Listing{}, qerr.Wrap(qerr.Cancelled, "list "+dir, context.Cause(ctx))
		}
		d.logUnlisted(dir, err)
		if err != nil {
			listing.Warnings = append(listing.Warnings, qerr.New(qerr.IO, "data directory %s cannot be listed: %v", dir, err))
		}
		found = append(found, here...)
	}
	byName := map[string]int{}
	for _, c := range found {
		if i, clash := byName[table.Fold(c.name)]; clash {
			first := &found[i]
			first.fault = qerr.New(qerr.User, "%s and %s both make a table of this name; rename one of them", first.path, c.path)
			first.sources = append(first.sources, c.sources...)
			continue
		}
		byName[table.Fold(c.name)] = len(listing.Entries)
		found[len(listing.Entries)] = c
		listing.Entries = append(listing.Entries, driver.Entry{})
	}
	for i := range listing.Entries {
		listing.Entries[i] = d.entry(found[i])
	}
	return listing, nil
}

// logUnlisted logs a directory's trouble when it begins and when it ends: listing is repeated all the time.
func (d *Driver) logUnlisted(dir string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil && !d.unlisted[dir]:
		d.config.Log.Warn().Str("dir", dir).Err(err).Msg("data directory cannot be listed: its tables are missing")
	case err == nil && d.unlisted[dir]:
		d.config.Log.Info().Str("dir", dir).Msg("data directory can be listed again")
	}
	d.unlisted[dir] = err != nil
}

func (d *Driver) entry(c candidate) driver.Entry {
	name := table.Name{Catalog: d.config.Catalog, Schema: d.config.Schema, Table: c.name}
	return driver.Entry{Name: name, Version: c.version(), Load: func(ctx context.Context) (*table.Table, error) {
		if c.fault != nil {
			return nil, c.fault
		}
		return d.load(ctx, name, c.sources)
	}}
}

// version hashes what identifies the contents.
func (c candidate) version() string {
	h := sha256.New()
	for _, s := range c.sources {
		fmt.Fprintf(h, "%q %d %d\n", s.path, s.size, s.modTime)
	}
	if c.fault != nil {
		fmt.Fprintf(h, "fault %q\n", c.fault.Error())
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
