package frontend

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

//go:embed selftest.sql
var selfTestSQL string

// selfTested is the outcome of the one self-test of this process: the engine is linked in and does not change.
var selfTested struct {
	once sync.Once
	err  error
}

// selfTestMax bounds the self-test; it takes some 100 ms.
const selfTestMax = 30 * time.Second

// selfTest plans statements over stub tables: each must be readable, print, and bind again to the same types. It guards
// against an engine whose plans mean something else than this package believes.
func (f *Frontend) selfTest(ctx context.Context) error {
	selfTested.once.Do(func() { selfTested.err = f.selfTestOnce(ctx, selfTestSQL) })
	return selfTested.err
}

func (f *Frontend) selfTestOnce(ctx context.Context, statements string) error {
	var failed []error
	err := f.onInstance(ctx, &Request{Snapshot: selfTestTables{}}, selfTestMax, func(in *plandb.Instance) error {
		for _, line := range strings.Split(statements, "\n") {
			sql := strings.TrimSpace(line)
			if sql == "" || strings.HasPrefix(sql, "--") {
				continue
			}
			if why := selfTestStatement(in, sql); why != "" {
				failed = append(failed, fmt.Errorf("%s: %s", sql, why))
			}
		}
		return nil
	})
	return errors.Join(append(failed, err)...)
}

func selfTestStatement(in *plandb.Instance, sql string) string {
	r := &Request{SQL: sql, Settings: settings.Defaults(), Snapshot: selfTestTables{}}
	st := &statement{r: r, sql: sql, res: &resolution{tables: selfTestTables{}.all()}}
	_, unread, err := optimise(in, st)
	if err != nil {
		return err.Error()
	}
	return unread
}

// selfTestTables is a snapshot with two tables without files.
type selfTestTables struct{}

var selfTestColumns = []table.Column{{Name: "a", Type: table.Of(table.Integer)}, {Name: "b", Type: table.Of(table.Varchar)},
	{Name: "d", Type: table.DecimalOf(15, 2)}, {Name: "f", Type: table.Of(table.Double)}, {Name: "dt", Type: table.Of(table.Date)},
	{Name: "tm", Type: table.Of(table.Timestamp)}, {Name: "bo", Type: table.Of(table.Boolean)}, {Name: "bi", Type: table.Of(table.BigInt)}}

var selfTestAll = sync.OnceValue(func() []*table.Table {
	var all []*table.Table
	for _, name := range []string{"t", "u"} {
		all = append(all, &table.Table{Name: table.Name{Catalog: settings.DefaultCatalog, Schema: "main", Table: name},
			Columns: selfTestColumns, Rows: 100_000})
	}
	return all
})

func (selfTestTables) all() []*table.Table { return selfTestAll() }

// Version implements Snapshot.
func (selfTestTables) Version() string { return "selftest" }

// Catalogs implements Snapshot.
func (selfTestTables) Catalogs() []string { return []string{settings.DefaultCatalog} }

// Schemas implements Snapshot.
func (selfTestTables) Schemas(string) []string { return []string{"main"} }

// Names implements Snapshot.
func (s selfTestTables) Names() []table.Name {
	var names []table.Name
	for _, t := range s.all() {
		names = append(names, t.Name)
	}
	return names
}

// Table implements Snapshot.
func (s selfTestTables) Table(_ context.Context, name table.Name) (*table.Table, error) {
	for _, t := range s.all() {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, qerr.New(qerr.NotFound, "table %s does not exist", name)
}
