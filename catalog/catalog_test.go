package catalog_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/drivertest"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func name(s string) table.Name { return table.Name{Catalog: "c", Schema: "main", Table: s} }

func tableOf(s string, rows int64) *table.Table {
	return &table.Table{Name: name(s), Columns: []table.Column{{Name: "v", Type: table.Of(table.BigInt)}}, Rows: rows,
		Files: []table.File{{Path: s, ModTime: 1, Rows: rows}}}
}

func open(t *testing.T, config catalog.Config, drivers ...driver.Driver) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(config, drivers...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func snapshot(t *testing.T, c *catalog.Catalog) *catalog.Snapshot {
	t.Helper()
	s, err := c.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// later is past any refresh interval.
func later() { time.Sleep(2 * time.Second) }

func TestSnapshotIsImmutableAndVersioned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := drivertest.NewMemory("c")
		m.Put(tableOf("a", 1))
		c := open(t, catalog.Config{}, m)
		first := snapshot(t, c)
		later()
		if again := snapshot(t, c); again != first {
			t.Error("another snapshot of the same content")
		}
		m.Put(tableOf("a", 2))
		m.Put(tableOf("b", 3))
		later()
		second := snapshot(t, c)
		if second.Version() == first.Version() {
			t.Error("the version outlived a change")
		}
		for _, x := range []struct {
			s     *catalog.Snapshot
			rows  int64
			names int
		}{{first, 1, 1}, {second, 2, 2}, {first, 1, 1}} {
			got, err := x.s.Table(context.Background(), name("a"))
			if err != nil || got.Rows != x.rows || len(x.s.Names()) != x.names {
				t.Errorf("%v, %v, %v; want %d rows, %d names", got, err, x.s.Names(), x.rows, x.names)
			}
		}
		m.Drop(name("b"))
		later()
		if third := snapshot(t, c); third.Version() == second.Version() || len(third.Names()) != 1 {
			t.Errorf("after the drop: %v", third.Names())
		}
	})
}

func TestSameContentSameVersion(t *testing.T) {
	versions := map[string]bool{}
	for range 3 {
		m := drivertest.NewMemory("c")
		for _, n := range []string{"a", "b", "d", "e"} {
			m.Put(tableOf(n, 1))
		}
		versions[snapshot(t, open(t, catalog.Config{}, m)).Version()] = true
	}
	if len(versions) != 1 {
		t.Errorf("%d versions of the same content", len(versions))
	}
}

func TestTablesAreLoadedOnceAndLazily(t *testing.T) {
	m := drivertest.NewMemory("c")
	m.Put(tableOf("a", 1))
	m.Put(tableOf("b", 1))
	s := snapshot(t, open(t, catalog.Config{}, m))
	if _, loads := m.Calls(); loads != 0 {
		t.Errorf("%d loads before any use", loads)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Table(context.Background(), table.Name{Catalog: "C", Schema: "MAIN", Table: "A"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, loads := m.Calls(); loads != 1 {
		t.Errorf("%d loads of one table", loads)
	}
}

// TestUnchangedTablesStayLoaded: a change of one table does not load the others again.
func TestUnchangedTablesStayLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := drivertest.NewMemory("c")
		m.Put(tableOf("a", 1))
		c := open(t, catalog.Config{}, m)
		one, _ := snapshot(t, c).Table(context.Background(), name("a"))
		m.Put(tableOf("b", 1))
		later()
		two, _ := snapshot(t, c).Table(context.Background(), name("a"))
		if one == nil || one != two {
			t.Error("a was loaded again")
		}
	})
}

func TestBoundedCacheLoadsAgain(t *testing.T) {
	m := drivertest.NewMemory("c")
	m.Put(tableOf("a", 1))
	m.Put(tableOf("b", 1))
	c := open(t, catalog.Config{CacheBytesMax: 1}, m)
	s := snapshot(t, c)
	for _, n := range []string{"a", "b", "a", "a"} {
		if got, err := s.Table(context.Background(), name(n)); err != nil || got.Rows != 1 {
			t.Errorf("%s: %v, %v", n, got, err)
		}
	}
	if _, loads := m.Calls(); loads != 3 {
		t.Errorf("%d loads, want 3", loads)
	}
	if tables, _ := c.Usage(); tables != 1 {
		t.Errorf("%d tables kept", tables)
	}
}

// slow lists in a second, so that refreshing is shared and rare.
type slow struct{ *drivertest.Memory }

func (s slow) List(ctx context.Context) (driver.Listing, error) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	return s.Memory.List(ctx)
}

func TestRefreshIsSharedAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := drivertest.NewMemory("c")
		c := open(t, catalog.Config{StaleMax: 5 * time.Second}, slow{m})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { snapshot(t, c) })
		}
		wg.Wait()
		if lists, _ := m.Calls(); lists != 1 {
			t.Errorf("%d listings for 10 callers", lists)
		}
		m.Put(tableOf("a", 1))
		time.Sleep(4 * time.Second)
		if len(snapshot(t, c).Names()) != 0 {
			t.Error("listed again within the bound")
		}
		time.Sleep(time.Second)
		if len(snapshot(t, c).Names()) != 1 {
			t.Error("the view is older than the bound")
		}
		if lists, _ := m.Calls(); lists != 2 {
			t.Errorf("%d listings", lists)
		}
	})
}

func TestCallersLeaveARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, catalog.Config{}, slow{drivertest.NewMemory("c")})
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := c.Snapshot(ctx); !qerr.Is(err, qerr.Deadline) || time.Since(start) != 100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		snapshot(t, c)
	})
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	m := drivertest.NewMemory("c")
	m.Put(tableOf("good", 1))
	m.PutError(name("bad"), qerr.New(qerr.IO, "file x.parquet is corrupt"))
	m.PutError(name("odd"), errors.New("unclassified"))
	m.PutLoad(name("panics"), func(context.Context) (*table.Table, error) { panic("ouch") })
	s := snapshot(t, open(t, catalog.Config{}, m))
	if len(s.Names()) != 4 {
		t.Errorf("names: %v", s.Names())
	}
	for table, want := range map[string]struct {
		kind qerr.Kind
		says string
	}{
		"missing": {qerr.NotFound, "c.main.missing does not exist"},
		"bad":     {qerr.IO, "table c.main.bad: file x.parquet is corrupt"},
		"odd":     {qerr.IO, "unclassified"},
		"panics":  {qerr.Internal, "ouch"},
	} {
		if _, err := s.Table(ctx, name(table)); !qerr.Is(err, want.kind) || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s: %v of kind %v", table, err, qerr.KindOf(err))
		}
	}
	if _, err := s.Table(ctx, name("good")); err != nil {
		t.Error(err)
	}
}

// TestAFailingDriverHidesNothingElse: its tables cannot be told from missing ones, so looking them up gives its error.
func TestAFailingDriverHidesNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		m, other := drivertest.NewMemory("c"), drivertest.NewMemory("Other")
		m.Put(tableOf("a", 1))
		c := open(t, catalog.Config{}, m, other)
		before := snapshot(t, c).Version()
		other.Fail(qerr.New(qerr.IO, "the share is gone"))
		later()
		s := snapshot(t, c)
		if s.Version() == before || len(s.Warnings()) != 1 {
			t.Errorf("version %s, warnings %v", s.Version(), s.Warnings())
		}
		if _, err := s.Table(ctx, name("a")); err != nil {
			t.Error(err)
		}
		_, err := s.Table(ctx, table.Name{Catalog: "other", Schema: "main", Table: "x"})
		if !qerr.Is(err, qerr.IO) || !strings.Contains(err.Error(), "the share is gone") {
			t.Errorf("got %v", err)
		}
		if got := s.Catalogs(); len(got) != 2 {
			t.Errorf("catalogs %v", got)
		}
		other.Fail(nil)
		later()
		if v := snapshot(t, c).Version(); v != before {
			t.Errorf("mended: version %s, was %s", v, before)
		}
	})
}

func TestNames(t *testing.T) {
	one, two := drivertest.NewMemory("c"), drivertest.NewMemory("C")
	for _, n := range []string{"b", "A", "clash"} {
		one.Put(tableOf(n, 1))
	}
	two.Put(&table.Table{Name: table.Name{Catalog: "c", Schema: "Extra", Table: "z"}})
	two.Put(&table.Table{Name: table.Name{Catalog: "C", Schema: "main", Table: "CLASH"}})
	s := snapshot(t, open(t, catalog.Config{}, one, two))
	var got []string
	for _, n := range s.Names() {
		got = append(got, n.Schema+"."+n.Table)
	}
	if want := "Extra.z main.A main.b main.clash"; strings.Join(got, " ") != want {
		t.Errorf("names %v, want %s", got, want)
	}
	if got := strings.Join(s.Catalogs(), " "); got != "c" {
		t.Errorf("catalogs %s", got)
	}
	if got := strings.Join(s.Schemas("C"), " "); got != "Extra main" {
		t.Errorf("schemas %s", got)
	}
	if got := s.Schemas("nope"); len(got) != 0 {
		t.Errorf("schemas of no catalog: %v", got)
	}
	if _, err := s.Table(context.Background(), name("clash")); !qerr.Is(err, qerr.User) || !strings.Contains(err.Error(), "C.main.CLASH") {
		t.Errorf("clash: %v", err)
	}
}

func TestClose(t *testing.T) {
	m := drivertest.NewMemory("c")
	m.Put(tableOf("a", 1))
	c, err := catalog.New(m)
	if err != nil {
		t.Fatal(err)
	}
	s := snapshot(t, c)
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Table(context.Background(), name("a")); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("table after Close: %v", err)
	}
	if _, err := catalog.Open(catalog.Config{StaleMax: -1, CacheBytesMax: -1}); err == nil || strings.Count(err.Error(), "negative") != 2 {
		t.Errorf("bad configuration: %v", err)
	}
}
