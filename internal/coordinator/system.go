package coordinator

import (
	"context"
	"slices"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// systemSchema is the db schema of the system tables.
const systemSchema = "sys"

// tasksRowsMax bounds sys.tasks, newest queries first: its rows are inlined into the statement that reads them.
const tasksRowsMax = 5000

// A systemTable is one of the tables of sys: its columns, and how its rows are taken.
type systemTable struct {
	columns []table.Column
	rows    func(c *Coordinator, ctx context.Context, r Request) ([][]string, error)
}

func column(name string, id table.TypeID) table.Column {
	return table.Column{Name: name, Type: table.Of(id)}
}

// systemTables are all of them. Numbers of rows, bytes and milliseconds are BIGINT or DOUBLE, times TIMESTAMP WITH TIME
// ZONE; NULL is not known or not yet.
var systemTables = map[string]systemTable{
	"workers": {
		columns: []table.Column{
			column("worker_id", table.Varchar), column("incarnation", table.Varchar), column("address", table.Varchar),
			column("advertised", table.Varchar),
			column("status", table.Varchar),    // usable, starting, draining, incompatible, duplicate
			column("reason", table.Varchar),    // why not usable
			column("connected", table.Boolean), // its control stream is up
			column("threads", table.Integer), column("memory_bytes", table.BigInt),
			column("running_tasks", table.BigInt), column("kept_tasks", table.BigInt), column("exchange_bytes", table.BigInt),
			column("engine_bytes", table.BigInt), column("spill_bytes", table.BigInt),
			column("version", table.Varchar), column("duckdb_version", table.Varchar), column("protocol_version", table.Integer),
		},
		rows: workerRows,
	},
	"queries": {
		columns: []table.Column{
			column("query_id", table.Varchar), column("user", table.Varchar), column("session", table.Varchar),
			column("state", table.Varchar),     // queued, running, finished, failed, cancelled, expired
			column("statement", table.Varchar), // cut to 4 KiB; NULL for another user's
			column("stages", table.Integer), column("tasks", table.Integer), column("progress", table.Double),
			column("rows", table.BigInt), column("bytes", table.BigInt), // of the result, as read so far
			column("submitted", table.TimestampTZ), column("started", table.TimestampTZ), column("ended", table.TimestampTZ),
			column("plan_ms", table.Double),
			column("error_kind", table.Varchar), column("error", table.Varchar),
			column("adapted", table.Varchar), // how its plan changed while it ran, by exact sizes
			column("resource_group", table.Varchar),
			column("queued_ms", table.Double), // so far, for one that waits
		},
		rows: queryRows,
	},
	"tasks": { // one row an attempt
		columns: []table.Column{
			column("query_id", table.Varchar), column("stage", table.Integer), column("task", table.Integer), column("attempt", table.Integer),
			column("worker_id", table.Varchar), // NULL is not decided yet
			column("state", table.Varchar),     // waiting, creating, placed, running, finished, failed, cancelled
			column("rows", table.BigInt), column("bytes", table.BigInt), column("spill_bytes", table.BigInt),
			column("elapsed_ms", table.Double), column("progress", table.Double),
			column("error_kind", table.Varchar), column("error", table.Varchar), // why the attempt ended without its rows
		},
		rows: taskRows,
	},
	"settings": {
		columns: []table.Column{
			column("name", table.Varchar), column("value", table.Varchar), column("default_value", table.Varchar),
			column("type", table.Varchar), column("allowed", table.Varchar), column("description", table.Varchar),
		},
		rows: settingRows,
	},
	"tables": {
		columns: []table.Column{
			column("catalog_name", table.Varchar), column("schema_name", table.Varchar), column("table_name", table.Varchar),
			column("format", table.Varchar), column("columns", table.Integer), column("files", table.BigInt), column("bytes", table.BigInt),
			column("rows", table.BigInt), column("rows_exact", table.Boolean), // an estimate unless exact
			column("error", table.Varchar), // why the table cannot be read
		},
		rows: tableRows,
	},
}

// SystemTables lists the names of the system tables, sorted.
func SystemTables() []string {
	names := make([]string, 0, len(systemTables))
	for name := range systemTables {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// SystemTable takes the rows of a table of db schema sys, as the owner of an open server with default settings sees them.
func (c *Coordinator) SystemTable(name string) (*table.Table, error) {
	return c.systemTable(context.Background(), name, Request{Settings: settings.Defaults()})
}

func (c *Coordinator) systemTable(ctx context.Context, name string, r Request) (*table.Table, error) {
	st, ok := systemTables[name]
	if !ok {
		return nil, qerr.New(qerr.NotFound, "there is no system table %q; there are %v", name, SystemTables())
	}
	rows, err := st.rows(c, ctx, r)
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "read "+systemSchema+"."+name, err)
	}
	if rows == nil {
		rows = [][]string{} // no rows, but inline
	}
	return &table.Table{
		Name:    table.Name{Catalog: settings.DefaultCatalog, Schema: systemSchema, Table: name},
		Columns: st.columns, Rows: int64(len(rows)), RowsExact: true, Inline: rows,
	}, nil
}
