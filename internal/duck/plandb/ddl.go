package plandb

import (
	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/minidb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// scratchTable is made and dropped by Columns.
const scratchTable = `arbalest_ddl`

// Single has DuckDB parse a text, which must be one statement of whatever kind.
func (in *Instance) Single(sql string) error {
	var stmts bindings.ExtractedStatements
	n := bindings.ExtractStatements(in.bare.Handle(), sql, &stmts)
	defer bindings.DestroyExtracted(&stmts)
	if msg := bindings.ExtractStatementsError(stmts); msg != "" {
		return in.note(minidb.ParseError(msg))
	}
	if n != 1 {
		return qerr.New(qerr.User, "one statement at a time: the text holds %d; send each by itself", n)
	}
	return nil
}

// Columns reads the columns of a table's definition, the text in parentheses of CREATE TABLE. Constraints, defaults and
// generated columns are Unsupported: nothing of ours would hold them.
func (in *Instance) Columns(definition string) ([]table.Column, error) {
	create := "CREATE TABLE " + scratchTable + " " + definition
	if err := in.Single(create); err != nil { // before anything of it is run: more statements would stay in the instance
		return nil, err
	}
	if err := in.bare.Exec("BEGIN"); err != nil {
		return nil, err
	}
	defer func() { in.broken = in.bare.Exec("ROLLBACK") != nil || in.broken }()
	if err := in.bare.Exec(create); err != nil {
		return nil, in.note(err)
	}
	odd, err := in.bare.Rows("SELECT column_name FROM duckdb_columns() WHERE table_name = '"+scratchTable+"' AND (NOT is_nullable OR column_default IS NOT NULL)"+
		" UNION ALL SELECT constraint_type FROM duckdb_constraints() WHERE table_name = '"+scratchTable+"'", jsonBytesMax)
	if err != nil {
		return nil, err
	}
	if len(odd) > 0 {
		return nil, qerr.New(qerr.Unsupported, "constraints and defaults (%s) are not supported: give the columns of a temporary table by name and type only", *odd[0][0])
	}
	d, err := in.Describe("SELECT * FROM " + scratchTable)
	if err != nil {
		return nil, err
	}
	return d.Columns, nil
}
