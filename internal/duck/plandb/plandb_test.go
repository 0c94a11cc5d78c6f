package plandb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var catalogs = []string{"arbalest"}

func instance(t *testing.T) *Instance {
	t.Helper()
	p := NewPool(Config{})
	in, err := p.Get(t.Context(), "v", catalogs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Put(in); p.Close() })
	return in
}

func name(schema, n string) table.Name {
	return table.Name{Catalog: "arbalest", Schema: schema, Table: n}
}

// everyType lists a type of every kind as SQL prints it.
var everyType = []string{"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
	"UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL(4,1)", "DECIMAL(18,3)", "DECIMAL(38,10)", "VARCHAR", "BLOB", "BIT", "BIGNUM", "DATE", "TIME", "TIME_NS",
	"TIME WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "INTERVAL", "UUID", "JSON",
	"ENUM('a', 'b')", "INTEGER[]", "JSON[]", "INTEGER[3]", `STRUCT("x" INTEGER, "y z" VARCHAR[])`, "MAP(VARCHAR, DECIMAL(5,2))", `UNION("n" INTEGER, "s" VARCHAR)`}

// TestTypes holds that stubs have columns of every type, that these come back alike, and that plans over them are made.
func TestTypes(t *testing.T) {
	in := instance(t)
	tab := &table.Table{Name: name("main", "every"), Rows: 7}
	for i, sql := range everyType {
		ty, err := table.ParseType(sql)
		if err != nil {
			t.Fatal(err)
		}
		tab.Columns = append(tab.Columns, table.Column{Name: fmt.Sprintf("c %d", i), Type: ty})
	}
	if err := in.Define(tab); err != nil {
		t.Fatal(err)
	}
	d, err := in.Describe("SELECT * FROM every")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range tab.Columns {
		if got := d.Columns[i]; got.Name != c.Name || !got.Type.Equal(c.Type) {
			t.Errorf("%s is %s", c.Type.SQL(), got.Type.SQL())
		}
	}
	if plan, err := in.Plan("SELECT * FROM every"); err != nil || !strings.Contains(string(plan), StubPrefix) {
		t.Errorf("%v", err)
	}
	explain, err := in.Explain("SELECT * FROM every")
	if err != nil || !strings.Contains(string(explain), `"Estimated Cardinality": "7"`) {
		t.Errorf("%s %v", explain, err)
	}
	if err := in.DefineEmpty(&table.Table{Name: name("sys", "copy"), Columns: tab.Columns}); err != nil {
		t.Error(err)
	}
	for _, bad := range []table.Type{{ID: "NEW"}, {ID: table.List}, {ID: table.Map, Fields: []table.Field{{}}}, {ID: table.Struct}} {
		if err := in.Define(&table.Table{Name: name("main", "bad"), Columns: []table.Column{{Name: "x", Type: bad}}}); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

// TestSandbox holds that nothing outside can be reached, and that nothing inside can be changed.
func TestSandbox(t *testing.T) {
	in := instance(t)
	for _, sql := range []string{"SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'",
		"COPY (SELECT 1) TO '/tmp/arbalest_must_not_exist'", "ATTACH '/tmp/arbalest_must_not_exist'", "INSTALL httpfs", "LOAD httpfs", "SET threads=8", "SET enable_external_access=true",
		"SET disabled_optimizers=''", "SET lock_configuration=false", "SELECT * FROM glob('/*')", "SET memory_limit='100GB'", "SET allowed_directories=['/']"} {
		if _, err := in.Rows(sql, 1<<20); err == nil {
			t.Errorf("%s was done", sql)
		}
	}
	var f *Fault
	if _, err := in.Describe("SELECT * FROM read_csv('/etc/passwd')"); !errors.As(err, &f) || f.Type != "permission" {
		t.Errorf("%v", err)
	}
	if err := in.Use("arbalest", "other", "Asia/Tokyo"); err != nil {
		t.Errorf("what sessions may set: %v", err)
	}
	tab := &table.Table{Name: name("other", "t"), Columns: []table.Column{{Name: "x", Type: table.Of(table.Integer)}}}
	if err := in.Define(tab); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Rows("SELECT x::VARCHAR FROM t", 1<<20); err == nil {
		t.Error("a stub was read")
	}
}

func TestFaults(t *testing.T) {
	in := instance(t)
	for _, c := range []struct {
		sql, kind, subtype string
		position           int
	}{
		{"SELEC 1", "parser", "SYNTAX_ERROR", 1},
		{"SELECT  nope", "binder", "COLUMN_NOT_FOUND", 9},
		{"SELECT * FROM nowhere", "catalog", "MISSING_ENTRY", 15},
	} {
		for what, call := range map[string]func(string) error{
			"plan":     func(s string) error { _, err := in.Plan(s); return err },
			"describe": func(s string) error { _, err := in.Describe(s); return err },
		} {
			var f *Fault
			if err := call(c.sql); !errors.As(err, &f) || f.Type != c.kind || f.Subtype != c.subtype || f.Position != c.position {
				t.Errorf("%s %s: %+v", what, c.sql, f)
			}
		}
	}
	if _, err := in.Rows("SELECT repeat('x', 1000)", 100); !qerr.Is(err, qerr.Resource) {
		t.Errorf("an answer over its bound: %v", err)
	}
	if _, err := in.Rows("SELECT 1", 100); !qerr.Is(err, qerr.Internal) {
		t.Errorf("an answer that is no text: %v", err)
	}
}

// TestPool holds that instances are reused within a version, never over versions, and bounded in number.
func TestPool(t *testing.T) {
	p := NewPool(Config{InstancesMax: 2})
	defer p.Close()
	get := func(version string) *Instance {
		in, err := p.Get(t.Context(), version, catalogs)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	a := get("1")
	p.Put(a)
	if b := get("1"); b != a {
		t.Error("not reused")
	}
	b := get("1")
	if b == a {
		t.Error("handed out twice")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := p.Get(ctx, "1", catalogs); !qerr.Is(err, qerr.Deadline) {
		t.Errorf("a third of two: %v", err)
	}
	p.Put(a)
	p.Put(b)
	if c := get("2"); c == a || c == b {
		t.Error("an instance of another version")
	} else {
		p.Put(c)
	}
	p.Close()
	if _, err := p.Get(t.Context(), "2", catalogs); err == nil {
		t.Error("an instance after Close")
	}
}

// TestAbandon holds that a call that outlives its context is left behind at once, keeps its place until it is back, and is
// waited for by Close.
func TestAbandon(t *testing.T) {
	p := NewPool(Config{InstancesMax: 1})
	in, err := p.Get(t.Context(), "1", catalogs)
	if err != nil {
		t.Fatal(err)
	}
	running, release := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-running; cancel(errors.New("enough")) }()
	err = p.Do(ctx, in, func() error {
		close(running)
		<-release
		_, err := in.Rows("SELECT 'x'", 10)
		return err
	})
	var left *Abandoned
	if !errors.As(err, &left) || left.Cause.Error() != "enough" {
		t.Fatalf("%v", err)
	}
	short, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if _, err := p.Get(short, "1", catalogs); err == nil {
		t.Error("the place was given away while the call runs")
	}
	close(release)
	again, err := p.Get(t.Context(), "1", catalogs)
	if err != nil || again == in {
		t.Errorf("%v", err)
	}
	p.Put(again)
	p.Close()
}

// TestInterrupt holds that a long query is really stopped.
func TestInterrupt(t *testing.T) {
	p := NewPool(Config{InstancesMax: 1})
	in, err := p.Get(t.Context(), "1", catalogs)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var left *Abandoned
	if err := p.Do(ctx, in, func() error {
		_, err := in.Rows("SELECT count(*)::VARCHAR FROM range(100000000000) a, range(1000000) b", 100)
		return err
	}); !errors.As(err, &left) {
		t.Fatalf("%v", err)
	}
	p.Close() // Returns only when the query has stopped.
}

func TestConcurrent(t *testing.T) {
	p := NewPool(Config{InstancesMax: 3})
	defer p.Close()
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 10 {
				in, err := p.Get(t.Context(), fmt.Sprint(i%2), catalogs)
				if err != nil {
					t.Error(err)
					return
				}
				tab := &table.Table{Name: name("main", fmt.Sprint("t", g)), Rows: int64(i), Columns: []table.Column{{Name: "x", Type: table.Of(table.Integer)}}}
				err = p.Do(t.Context(), in, func() error {
					if err := in.Define(tab); err != nil {
						return err
					}
					_, err := in.Plan(fmt.Sprint("SELECT sum(x) FROM t", g))
					return err
				})
				if err != nil {
					t.Error(err)
				}
				p.Put(in)
			}
		})
	}
	wg.Wait()
}
