package plandb

import (
	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/minidb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// describe prepares one statement and reads its columns and parameters.
func describe(conn bindings.Connection, sql string) (*Description, error) {
	var stmts bindings.ExtractedStatements
	n := bindings.ExtractStatements(conn, sql, &stmts)
	defer bindings.DestroyExtracted(&stmts)
	if msg := bindings.ExtractStatementsError(stmts); msg != "" {
		return nil, minidb.ParseError(msg)
	}
	if n != 1 {
		return nil, qerr.New(qerr.User, "one statement at a time: the text holds %d", n)
	}
	var p bindings.PreparedStatement
	state := bindings.PrepareExtractedStatement(conn, stmts, 0, &p)
	defer bindings.DestroyPrepare(&p)
	if state == bindings.StateError {
		return nil, minidb.ParseError(bindings.PrepareError(p))
	}
	d := &Description{}
	for i := range bindings.PreparedStatementColumnCount(p) {
		lt := bindings.PreparedStatementColumnLogicalType(p, i)
		if lt.Ptr == nil {
			return nil, &Fault{Type: "binder", Message: "the type of a result column could not be resolved"}
		}
		t, err := fromLogicalTypeOnce(lt)
		if err != nil {
			return nil, err
		}
		d.Columns = append(d.Columns, table.Column{Name: bindings.PreparedStatementColumnName(p, i), Type: t})
	}
	for i := range bindings.NParams(p) {
		c := table.Column{Name: bindings.ParameterName(p, i+1), Type: table.Of(table.Null)}
		if lt := bindings.ParamLogicalType(p, i+1); lt.Ptr != nil {
			if t, err := fromLogicalTypeOnce(lt); err == nil {
				c.Type = t
			}
		}
		d.Params = append(d.Params, c)
	}
	return d, nil
}

func fromLogicalTypeOnce(lt bindings.LogicalType) (table.Type, error) {
	defer bindings.DestroyLogicalType(&lt)
	if bindings.GetTypeId(lt) == bindings.TypeInvalid {
		return table.Of(table.Null), nil // It hangs on a parameter without a type.
	}
	return fromLogicalType(lt)
}
