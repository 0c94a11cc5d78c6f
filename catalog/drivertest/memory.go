package drivertest

import (
	"context"
	"fmt"
	"sync"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Memory is a driver whose tables are given to it. All methods may be called concurrently.
type Memory struct {
	catalog string

	mu      sync.Mutex
	puts    int
	entries map[string]driver.Entry
	err     error
	lists   int
	loads   int
}

var _ driver.Driver = (*Memory)(nil)

// NewMemory returns a driver without tables.
func NewMemory(catalog string) *Memory {
	return &Memory{catalog: catalog, entries: map[string]driver.Entry{}}
}

// Put makes or replaces a table.
func (m *Memory) Put(t *table.Table) {
	m.put(t.Name, func(context.Context) (*table.Table, error) { return t, nil })
}

// PutError makes or replaces a table by one that fails to load.
func (m *Memory) PutError(name table.Name, err error) {
	m.put(name, func(context.Context) (*table.Table, error) { return nil, err })
}

// PutLoad makes or replaces a table by one that is loaded so.
func (m *Memory) PutLoad(name table.Name, load func(context.Context) (*table.Table, error)) {
	m.put(name, load)
}

func (m *Memory) put(name table.Name, load func(context.Context) (*table.Table, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts++
	m.entries[name.String()] = driver.Entry{Name: name, Version: fmt.Sprint(m.puts), Load: func(ctx context.Context) (*table.Table, error) {
		m.mu.Lock()
		m.loads++
		m.mu.Unlock()
		if ctx.Err() != nil {
			return nil, qerr.Wrap(qerr.Cancelled, "load", context.Cause(ctx))
		}
		return load(ctx)
	}}
}

// Drop removes a table.
func (m *Memory) Drop(name table.Name) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, name.String())
}

// Fail makes List fail from now on; nil mends it.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// Calls tells how often List and the tables' Load were called.
func (m *Memory) Calls() (lists, loads int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lists, m.loads
}

// Catalog implements driver.Driver.
func (m *Memory) Catalog() string { return m.catalog }

// List implements driver.Driver.
func (m *Memory) List(ctx context.Context) (driver.Listing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists++
	if ctx.Err() != nil {
		return driver.Listing{}, qerr.Wrap(qerr.Cancelled, "list", context.Cause(ctx))
	}
	if m.err != nil {
		return driver.Listing{}, m.err
	}
	l := driver.Listing{Schemas: []string{"main"}}
	for _, e := range m.entries {
		l.Entries = append(l.Entries, e)
	}
	return l, nil
}

// Locations implements driver.Driver; there are none.
func (m *Memory) Locations() []string { return nil }

// Close implements driver.Driver.
func (m *Memory) Close() error { return nil }
