package drivertest

import (
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

type memoryHarness struct{ m *Memory }

func (h memoryHarness) Driver() driver.Driver { return h.m }

func (h memoryHarness) name(s string) table.Name {
	return table.Name{Catalog: "memory", Schema: "main", Table: s}
}

func (h memoryHarness) Put(_ *testing.T, name string, rows int) {
	h.m.Put(&table.Table{Name: h.name(name), Columns: []table.Column{{Name: "v", Type: table.Of(table.BigInt)}}, Rows: int64(rows),
		Files: []table.File{{Path: name, ModTime: 1, Rows: int64(rows)}}})
}

func (h memoryHarness) Break(_ *testing.T, name string) {
	h.m.PutError(h.name(name), qerr.New(qerr.IO, "broken"))
}

func (h memoryHarness) Drop(_ *testing.T, name string) { h.m.Drop(h.name(name)) }

// TestMemory: the driver for tests conforms too, so that what is tested over it holds over others.
func TestMemory(t *testing.T) {
	RunConformance(t, func(*testing.T) Harness { return memoryHarness{NewMemory("memory")} })
}
