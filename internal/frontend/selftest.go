package frontend

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"

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

// selfTest plans statements over stub tables: each must be readable, print, and bind again to the same types. It guards
// against an engine whose plans mean something else than this package believes.
func (f *Frontend) selfTest(ctx context.Context) error {
	selfTested.once.Do(func() { selfTested.err = f.selfTestOnce(ctx, selfTestSQL) })
	return selfTested.err
}

func (f *Frontend) selfTestOnce(ctx context.Context, statements string) error {
	var failed []error
	err := f.onInstance(ctx, &Request{Snapshot: selfTestTables{}}, func(in *plandb.Instance) error {
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

const selfTestColumns = "a INTEGER; b VARCHAR; d DECIMAL(15,2); f DOUBLE; dt DATE; tm TIMESTAMP; bo BOOLEAN; bi BIGINT"

var selfTestAll = sync.OnceValue(func() []*table.Table {
	var all []*table.Table
	for _, name := range []string{"t", "u"} {
		t := &table.Table{Name: table.Name{Catalog: settings.DefaultCatalog, Schema: "main", Table: name}, Rows: 100_000}
		for _, c := range strings.Split(selfTestColumns, "; ") {
			n, sql, _ := strings.Cut(c, " ")
			ty, err := table.ParseType(sql)
			if err != nil {
				panic("selftest: " + err.Error())
			}
			t.Columns = append(t.Columns, table.Column{Name: n, Type: ty})
		}
		all = append(all, t)
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
