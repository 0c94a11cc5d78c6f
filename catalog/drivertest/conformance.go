package drivertest

import (
	"context"
	"sync"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Harness is a driver with a hand on its source. It is closed by the test's cleanup.
type Harness interface {
	Driver() driver.Driver
	// Put makes or replaces a table of one BIGINT column "v" with so many rows.
	Put(t *testing.T, name string, rows int)
	// Break makes or replaces a table by one that cannot be loaded.
	Break(t *testing.T, name string)
	// Drop removes a table.
	Drop(t *testing.T, name string)
}

// RunConformance checks a driver; open makes a harness without tables.
func RunConformance(t *testing.T, open func(t *testing.T) Harness) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"empty", testEmpty},
		{"tables are listed and loaded", testTables},
		{"versions change exactly with content", testVersions},
		{"a bad table hides nothing", testBroken},
		{"a listing outlives changes", testOldListing},
		{"concurrent calls", testConcurrent},
		{"cancelled", testCancelled},
		{"close twice", func(t *testing.T, h Harness) {
			for range 2 {
				if err := h.Driver().Close(); err != nil {
					t.Error(err)
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func list(t *testing.T, h Harness) map[string]driver.Entry {
	t.Helper()
	l, err := h.Driver().List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Warnings) > 0 {
		t.Errorf("warnings: %v", l.Warnings)
	}
	byName := map[string]driver.Entry{}
	for _, e := range l.Entries {
		if e.Name.Catalog != h.Driver().Catalog() {
			t.Errorf("%s stands in another catalog than %s", e.Name, h.Driver().Catalog())
		}
		if _, twice := byName[table.Fold(e.Name.Table)]; twice {
			t.Errorf("%s is listed twice", e.Name)
		}
		byName[table.Fold(e.Name.Table)] = e
	}
	return byName
}

func load(t *testing.T, e driver.Entry) *table.Table {
	t.Helper()
	tab, err := e.Load(context.Background())
	if err != nil {
		t.Fatalf("%s: %v", e.Name, err)
	}
	if tab.Name != e.Name {
		t.Errorf("%s was loaded as %s", e.Name, tab.Name)
	}
	CheckTable(t, tab)
	return tab
}

func testEmpty(t *testing.T, h Harness) {
	if got := list(t, h); len(got) != 0 {
		t.Errorf("listed %v", got)
	}
	l, _ := h.Driver().List(context.Background())
	if len(l.Schemas) == 0 {
		t.Error("no db schema")
	}
}

func testTables(t *testing.T, h Harness) {
	h.Put(t, "one", 1)
	h.Put(t, "Two", 2)
	h.Put(t, "none", 0)
	got := list(t, h)
	if len(got) != 3 {
		t.Fatalf("listed %d tables", len(got))
	}
	for name, rows := range map[string]int64{"one": 1, "two": 2, "none": 0} {
		tab := load(t, got[name])
		if tab.Rows != rows || len(tab.Columns) != 1 || tab.Columns[0].Name != "v" || !tab.Columns[0].Type.Equal(table.Of(table.BigInt)) {
			t.Errorf("%s: %d rows of %v", name, tab.Rows, tab.Columns)
		}
	}
	if got["two"].Name.Table != "Two" {
		t.Errorf("Two is listed as %s", got["two"].Name.Table)
	}
}

func testVersions(t *testing.T, h Harness) {
	h.Put(t, "a", 1)
	h.Put(t, "b", 1)
	first, second := list(t, h), list(t, h)
	for name := range first {
		if first[name].Version != second[name].Version {
			t.Errorf("%s changed its version without a change", name)
		}
	}
	h.Put(t, "a", 2)
	third := list(t, h)
	if third["a"].Version == first["a"].Version {
		t.Error("a has other rows under the same version")
	}
	if third["b"].Version != first["b"].Version {
		t.Error("b changed its version with a")
	}
	h.Drop(t, "b")
	if got := list(t, h); len(got) != 1 || got["a"].Version != third["a"].Version {
		t.Errorf("after the drop: %v", got)
	}
}

func testBroken(t *testing.T, h Harness) {
	h.Put(t, "good", 3)
	h.Break(t, "bad")
	got := list(t, h)
	if len(got) != 2 {
		t.Fatalf("listed %d tables", len(got))
	}
	if rows := load(t, got["good"]).Rows; rows != 3 {
		t.Errorf("good has %d rows", rows)
	}
	_, err := got["bad"].Load(context.Background())
	switch qerr.KindOf(err) {
	case qerr.User, qerr.Unsupported, qerr.IO:
	default:
		t.Errorf("bad: %v of kind %v", err, qerr.KindOf(err))
	}
	h.Put(t, "bad", 4)
	if rows := load(t, list(t, h)["bad"]).Rows; rows != 4 {
		t.Errorf("the mended table has %d rows", rows)
	}
}

// testOldListing: what was listed is what is loaded, or it is an IO error; never the new content under the old version.
func testOldListing(t *testing.T, h Harness) {
	h.Put(t, "a", 1)
	h.Put(t, "gone", 1)
	old := list(t, h)
	h.Put(t, "a", 2)
	h.Drop(t, "gone")
	for _, name := range []string{"a", "gone"} {
		tab, err := old[name].Load(context.Background())
		switch {
		case err != nil && !qerr.Is(err, qerr.IO):
			t.Errorf("%s: %v of kind %v", name, err, qerr.KindOf(err))
		case err == nil && tab.Rows != 1:
			t.Errorf("%s: the old listing loads %d rows", name, tab.Rows)
		}
	}
	if rows := load(t, list(t, h)["a"]).Rows; rows != 2 {
		t.Errorf("the new listing loads %d rows", rows)
	}
}

func testConcurrent(t *testing.T, h Harness) {
	h.Put(t, "a", 5)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			l, err := h.Driver().List(context.Background())
			if err != nil || len(l.Entries) != 1 {
				t.Errorf("%d entries, %v", len(l.Entries), err)
				return
			}
			if tab, err := l.Entries[0].Load(context.Background()); err != nil || tab.Rows != 5 {
				t.Errorf("%v, %v", tab, err)
			}
		})
	}
	wg.Wait()
}

func testCancelled(t *testing.T, h Harness) {
	h.Put(t, "a", 5)
	e := list(t, h)["a"]
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.Driver().List(ctx); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("List: %v", err)
	}
	if _, err := e.Load(ctx); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("Load: %v", err)
	}
}
