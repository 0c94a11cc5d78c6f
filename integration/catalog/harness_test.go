package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/catalog/dirdriver"
	"github.com/arbalest-sql/arbalest/catalog/drivertest"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/sniff"
)

// A world is a data directory, the engine that fills it and judges, and the catalog under test.
type world struct {
	t   *testing.T
	dir string
	db  *sql.DB
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1) // settings are the connection's
	t.Cleanup(func() { db.Close() })
	w := &world{t, t.TempDir(), db}
	w.exec("SET TimeZone = 'UTC'")
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) exec(text string) {
	w.t.Helper()
	if _, err := w.db.Exec(text); err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
}

// copyTo writes a query's rows; options stand in COPY's parentheses.
func (w *world) copyTo(name, query, options string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.exec(fmt.Sprintf("COPY (%s) TO %s (%s)", query, table.Literal(w.path(name)), options))
}

// rows gives a query's rows, each printed with | between the values, sorted by the query.
func (w *world) rows(query string) []string {
	w.t.Helper()
	r, err := w.db.Query(query)
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	defer r.Close()
	names, err := r.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for r.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		if err := r.Scan(values...); err != nil {
			w.t.Fatal(err)
		}
		line := make([]string, len(values))
		for i, v := range values {
			line[i] = fmt.Sprint(*v.(*any))
		}
		out = append(out, strings.Join(line, "|"))
	}
	if err := r.Err(); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return out
}

// describe gives "name TYPE" of a relation's columns, as the engine prints them.
func (w *world) describe(relation string) string {
	w.t.Helper()
	var out []string
	for _, line := range w.rows("SELECT column_name, column_type FROM (DESCRIBE FROM " + relation + ")") {
		name, typ, _ := strings.Cut(line, "|")
		parsed, err := table.ParseType(typ)
		if err != nil {
			w.t.Errorf("%s: %v", line, err)
		}
		out = append(out, name+" "+parsed.SQL())
	}
	return strings.Join(out, "\n")
}

func describeTable(t *table.Table) string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name+" "+c.Type.SQL())
	}
	return strings.Join(out, "\n")
}

// snapshot opens a catalog over the data directory as it is now.
func (w *world) snapshot() *catalog.Snapshot {
	w.t.Helper()
	dirs, err := dirdriver.Resolve([]string{w.dir})
	if err != nil {
		w.t.Fatal(err)
	}
	sniffer, err := sniff.New(dirs)
	if err != nil {
		w.t.Fatal(err)
	}
	files, err := dirdriver.New(dirdriver.Config{Dirs: dirs, Sniffer: sniffer})
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := catalog.New(files)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			w.t.Error(err)
		}
		if err := sniffer.Close(); err != nil {
			w.t.Error(err)
		}
	})
	s, err := c.Snapshot(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) table(s *catalog.Snapshot, name string) *table.Table {
	w.t.Helper()
	t, err := s.Table(context.Background(), table.Name{Catalog: "arbalest", Schema: "main", Table: name})
	if err != nil {
		w.t.Fatal(err)
	}
	drivertest.CheckTable(w.t, t)
	return t
}

// reader prints a call of the engine's reader over some of a table's files, with the table's options.
func reader(t *table.Table, paths ...string) string {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = table.Literal(p)
	}
	call := fmt.Sprintf("read_%s([%s]", t.Format, strings.Join(quoted, ", "))
	for _, o := range t.Options {
		call += ", " + o.Name + " = " + o.SQL
	}
	return call + ")"
}

func paths(t *table.Table) []string {
	var all []string
	for _, f := range t.Files {
		all = append(all, f.Path)
	}
	return all
}
