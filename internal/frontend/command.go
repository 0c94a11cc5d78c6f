package frontend

import "github.com/arbalest-sql/arbalest/internal/ids"

// A Kind says what a statement is.
type Kind string

// The kinds of statement.
const (
	// KindQuery gives rows: SELECT and what DuckDB turns into one (FROM, VALUES, SHOW, DESCRIBE, SUMMARIZE). Plan takes it.
	KindQuery Kind = "QUERY"
	// KindSet and KindReset change a session option: Name and Value. USE is a KindSet with Schema (and Catalog).
	KindSet   Kind = "SET"
	KindReset Kind = "RESET"
	// KindUse changes where names are looked up: Catalog (may be empty) and Schema.
	KindUse Kind = "USE"
	// KindExplain and KindExplainAnalyze show the plan of SQL.
	KindExplain        Kind = "EXPLAIN"
	KindExplainAnalyze Kind = "EXPLAIN ANALYZE"
	// KindKill ends query QueryID.
	KindKill Kind = "KILL"
	// KindBegin, KindCommit and KindRollback are transactions.
	KindBegin    Kind = "BEGIN"
	KindCommit   Kind = "COMMIT"
	KindRollback Kind = "ROLLBACK"
)

// The writes of session-temporary tables: Write has their parts.
const (
	KindCreate   Kind = "CREATE TABLE"
	KindCreateAs Kind = "CREATE TABLE AS"
	KindInsert   Kind = "INSERT"
	KindUpdate   Kind = "UPDATE"
	KindDelete   Kind = "DELETE"
	KindDrop     Kind = "DROP TABLE"
)

// A Command is a classified statement with its arguments.
type Command struct {
	Kind Kind
	// SQL is the statement, or the one inside of EXPLAIN; without trailing semicolons.
	SQL string
	// Name and Value are a session option's; Value is a string, bool, int64 or float64.
	Name  string
	Value any
	// Catalog and Schema are USE's. With one name only it is in Schema, and may name a catalog: see Resolve.
	Catalog, Schema string
	QueryID         ids.QueryID
	// Write is set for the writes of temporary tables.
	Write *Write
}

// Rows reports whether running the command gives rows.
func (c Command) Rows() bool {
	return c.Kind == KindQuery || c.Kind == KindExplain || c.Kind == KindExplainAnalyze
}
