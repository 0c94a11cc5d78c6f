package frontend

import (
	"context"
	"errors"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// faultKinds classifies DuckDB's errors by their type. What is not listed is a fault of the statement: the planner runs
// nothing but statements.
var faultKinds = map[string]qerr.Kind{
	"permission": qerr.PermissionDenied, "internal": qerr.Internal, "fatal": qerr.Internal, "out of memory": qerr.Resource,
	"interrupt": qerr.Cancelled, "io": qerr.PermissionDenied,
}

// faultError turns an error of the planning database into one for the client.
func faultError(err error) error {
	var fault *plandb.Fault
	if errors.Is(err, errPlanDeadline) {
		return qerr.New(qerr.Resource, "the statement took too long to plan; split it up or simplify it")
	}
	if !errors.As(err, &fault) {
		return qerr.Wrap(qerr.Internal, "plan statement", err)
	}
	kind, ok := faultKinds[fault.Type]
	if !ok {
		kind = qerr.User
	}
	e := qerr.New(kind, "%s", fault.Error())
	e.Position = fault.Position
	if kind == qerr.PermissionDenied {
		e.Msg += "; statements read the catalog's tables, not files by path: put the file into a data directory and name its table"
	}
	return e
}

// unknownTable says that a table does not exist, and which ones are near.
func unknownTable(r *Request, ref *reference) error {
	if looksLikeFile(ref) {
		e := qerr.New(qerr.PermissionDenied, "reading the file %q by its path is refused: statements read the catalog's tables; "+
			"put the file into a data directory and name its table (SHOW TABLES lists them)", ref.table)
		e.Position = ref.position
		return e
	}
	msg := "Catalog Error: Table with name " + ref.String() + " does not exist!"
	if near := nearTables(r, ref); len(near) > 0 {
		msg += " Did you mean " + strings.Join(near, ", ") + "?"
	}
	e := qerr.New(qerr.NotFound, "%s", msg)
	e.Position = ref.position
	return e
}

func looksLikeFile(ref *reference) bool {
	return ref.schema == "" && (strings.ContainsAny(ref.table, "/\\*") || strings.Contains(ref.table, ".") && fileLike(ref.table))
}

func fileLike(name string) bool {
	name = strings.ToLower(name)
	for _, ext := range []string{".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson", ".gz", ".zst", ".txt", ".db", ".duckdb", ".arrow", ".xlsx"} {
		if strings.HasSuffix(name, ext) {
			return true
		}
	}
	return false
}

// nearTables lists near names, each as short as the session may write it.
func nearTables(r *Request, ref *reference) []string {
	if r.Snapshot == nil {
		return nil
	}
	byTable := map[string]string{}
	var have []string
	for _, n := range r.Snapshot.Names() {
		short := n.String()
		if strings.EqualFold(n.Catalog, r.Settings.Catalog()) {
			short = n.Schema + "." + n.Table
			if strings.EqualFold(n.Schema, r.Settings.Schema()) {
				short = n.Table
			}
		}
		if _, ok := byTable[n.Table]; !ok {
			have = append(have, n.Table)
		}
		byTable[n.Table] = short
	}
	if strings.EqualFold(ref.schema, systemSchema) {
		for _, name := range systemTables {
			have, byTable[name] = append(have, name), systemSchema+"."+name
		}
	}
	near := NearestNames(ref.table, have)
	for i, n := range near {
		near[i] = byTable[n]
	}
	return near
}

// stopped reports whether an error is the end of ctx, rather than of the planner's own deadline.
func stopped(ctx context.Context) bool { return ctx.Err() != nil }
