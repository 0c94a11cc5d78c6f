package contest

import (
	"context"
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/oracle/gen"
	"github.com/arbalest-sql/arbalest/internal/duck/plaindb"
)

// CopySystemTable gives db a copy of the columns of sys.settings that no session changes, so that statements over both it
// and files can be compared.
func (a *Arena) CopySystemTable(ctx context.Context, db *plaindb.DB) (gen.Table, error) {
	t := gen.Table{Name: "sys.settings", System: true, Columns: []gen.Column{
		{Name: "name", Type: "VARCHAR", Class: gen.Text}, {Name: "description", Type: "VARCHAR", Class: gen.Text},
	}}
	r, err := a.Run(ctx, Draw(0)[0], "SELECT name, description FROM sys.settings")
	if err != nil {
		return t, err
	}
	defer r.Release()
	statements := []string{"CREATE SCHEMA sys", "CREATE TABLE sys.settings(name VARCHAR, description VARCHAR)"}
	for _, row := range oracle.FromBatches(r.Schema, r.Batches).Cells {
		quote := func(c oracle.Cell) string { return "'" + strings.ReplaceAll(c.Text, "'", "''") + "'" }
		values := []string{quote(row[0]), quote(row[1])}
		t.Rows = append(t.Rows, values)
		statements = append(statements, "INSERT INTO sys.settings VALUES ("+strings.Join(values, ", ")+")")
	}
	for _, s := range statements {
		if err := db.Exec(s); err != nil {
			return t, fmt.Errorf("copy %s: %w", t.Name, err)
		}
	}
	return t, nil
}
