package plandb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// Define makes tables known as stubs. A table that is known already is replaced when it has other columns, which happens
// only to tables without a snapshot (sys); otherwise its stub stands for the newer one from now on.
func (in *Instance) Define(tables ...*table.Table) error {
	for _, t := range tables {
		old, fn := in.defined[t.Name], in.functions[t.Name]
		if fn == "" || !sameColumns(old.Columns, t.Columns) {
			if err := in.createSchema(t.Name.Catalog, t.Name.Schema); err != nil {
				return err
			}
			fn = fmt.Sprintf("%s%d", StubPrefix, len(in.stubs)+1)
			if err := registerStub(in.conn.Handle(), fn, t); err != nil {
				return err
			}
			if err := in.conn.Exec("CREATE OR REPLACE VIEW " + quoteName(t.Name) + " AS SELECT * FROM " + fn + "()"); err != nil {
				return err
			}
			in.functions[t.Name] = fn
			in.broken = in.broken || len(in.stubs) >= stubsMax
		}
		in.defined[t.Name], in.stubs[fn] = t, t
	}
	return nil
}

func sameColumns(a, b []table.Column) bool {
	return slices.EqualFunc(a, b, func(x, y table.Column) bool { return x.Name == y.Name && x.Type.Equal(y.Type) })
}

// Stub returns the table that a stub's table function stands for.
func (in *Instance) Stub(function string) (*table.Table, bool) {
	t, ok := in.stubs[function]
	return t, ok
}

// DefineEmpty makes tables known as real, empty tables, as the engine's own catalog views show them.
func (in *Instance) DefineEmpty(tables ...*table.Table) error {
	for _, t := range tables {
		if old := in.defined[t.Name]; old != nil && sameColumns(old.Columns, t.Columns) {
			continue
		}
		if err := in.createSchema(t.Name.Catalog, t.Name.Schema); err != nil {
			return err
		}
		columns := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			columns[i] = table.Quote(c.Name) + " " + c.Type.SQL()
		}
		if err := in.conn.Exec("CREATE OR REPLACE TABLE " + quoteName(t.Name) + " (" + strings.Join(columns, ", ") + ")"); err != nil {
			return err
		}
		in.defined[t.Name] = t
	}
	return nil
}

// DefineSchemas makes db schemas known that may hold no table.
func (in *Instance) DefineSchemas(catalog string, schemas []string) error {
	for _, s := range schemas {
		if err := in.createSchema(catalog, s); err != nil {
			return err
		}
	}
	return nil
}
