package coordinator

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// runCommand does what a statement of ours says, and makes the query's result from it.
func (c *Coordinator) runCommand(ctx context.Context, q *Query, r Request, command frontend.Command) error {
	switch command.Kind {
	case frontend.KindSet, frontend.KindReset:
		return c.set(q, r, command)
	case frontend.KindUse:
		return c.use(ctx, q, r, command)
	case frontend.KindKill:
		return c.kill(q, r, command.QueryID)
	case frontend.KindExplain:
		return c.explain(ctx, q, r, command.SQL)
	case frontend.KindExplainAnalyze:
		return c.explainAnalyze(ctx, q, r, command.SQL)
	case frontend.KindBegin, frontend.KindCommit, frontend.KindRollback:
		if err := transaction(r, command.Kind); err != nil {
			return err
		}
		return c.answer(q, done())
	case frontend.KindCreate, frontend.KindCreateAs, frontend.KindInsert, frontend.KindUpdate, frontend.KindDelete, frontend.KindDrop:
		return c.write(ctx, q, r, command)
	default:
		return qerr.New(qerr.Unsupported, "this kind of statement is not supported yet")
	}
}

// done is the answer of statements without rows, with the column that DuckDB gives them.
func done() localResult {
	return localResult{
		sql:     `SELECT CAST(NULL AS BOOLEAN) AS "Success" WHERE false`,
		columns: []table.Column{column("Success", table.Boolean)},
	}
}

// set changes the session's settings; the caller keeps them, by QueryState.Settings.
func (c *Coordinator) set(q *Query, r Request, command frontend.Command) error {
	values, err := r.Settings.Reset(command.Name)
	if command.Kind == frontend.KindSet {
		values, err = r.Settings.Set(command.Name, command.Value)
	}
	if err != nil {
		return err
	}
	if values.ResourceGroup() != r.Settings.ResourceGroup() {
		r.Settings = values
		if _, err := c.groupOf(r); err != nil {
			return err
		}
	}
	q.settings = values
	return c.answer(q, done())
}

// use changes where names are looked up. A single name is a db schema, or else a catalog.
func (c *Coordinator) use(ctx context.Context, q *Query, r Request, command frontend.Command) error {
	snapshot, err := c.cfg.Catalog.Snapshot(ctx)
	if err != nil {
		return qerr.Wrap(qerr.IO, "read catalog", err)
	}
	catalog, schema := cmp.Or(command.Catalog, r.Settings.Catalog()), command.Schema
	known := func(catalog, schema string) bool {
		return slices.Contains(snapshot.Catalogs(), catalog) && (schema == systemSchema || slices.Contains(snapshot.Schemas(catalog), schema))
	}
	if command.Catalog == "" && !known(catalog, schema) {
		catalog, schema = schema, settings.DefaultSchema
	}
	if !known(catalog, schema) {
		return qerr.New(qerr.NotFound, "there is no db schema or catalog %q; the db schemas are: %s", command.Schema,
			strings.Join(append(snapshot.Schemas(r.Settings.Catalog()), systemSchema), ", "))
	}
	values, err := r.Settings.Set(settings.Catalog, catalog)
	if err == nil {
		values, err = values.Set(settings.Schema, schema)
	}
	if err != nil {
		return err
	}
	q.settings = values
	return c.answer(q, done())
}

// kill ends a live query of the same user, or any on a server without login.
func (c *Coordinator) kill(q *Query, r Request, id ids.QueryID) error {
	victim, ok := c.registry.find(id)
	if !ok || !mayManage(r.User, victim) {
		return qerr.New(qerr.NotFound, "there is no query %q of this user; sys.queries lists them", id)
	}
	victim.Cancel(qerr.New(qerr.Cancelled, "the query was ended by KILL"))
	columns := []table.Column{column("query_id", table.Varchar), column("state", table.Varchar)}
	return c.answer(q, localResult{
		sql:     "SELECT " + text(string(id)) + " AS query_id, " + text(victim.State().Status.String()) + " AS state",
		columns: columns,
	})
}

// transaction begins or ends a transaction over the session's temporary tables; nothing else can be written yet.
func transaction(r Request, kind frontend.Kind) error {
	if r.Temporary == nil {
		return nil
	}
	if kind == frontend.KindBegin {
		return r.Temporary.Begin()
	}
	return r.Temporary.End(kind == frontend.KindCommit)
}
