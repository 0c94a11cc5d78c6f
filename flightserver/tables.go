package flightserver

import (
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

const (
	// systemSchema is the db schema of the system tables, in the default catalog.
	systemSchema = "sys"

	tableType       = "TABLE"
	systemTableType = "SYSTEM TABLE"
	temporaryType   = "LOCAL TEMPORARY"
)

// tableTypes are all that GetTables tells of.
var tableTypes = []string{temporaryType, systemTableType, tableType}

// A listed table, as GetTables tells it.
type listed struct {
	name table.Name
	kind string
	// columns are those of a temporary table; others are loaded.
	columns []table.Column
}

// listTables lists what the command asks for, in the order that the protocol wants: by catalog, db schema, table.
func (s *Server) listTables(c caller, snapshot *catalog.Snapshot, m *wire.CommandGetTables) []listed {
	want := newFilter(m.Catalog, m.DbSchemaFilterPattern, m.TableNameFilterPattern)
	kinds := m.GetTableTypes()
	var all []listed
	add := func(name table.Name, kind string) {
		if want.table(name) && (len(kinds) == 0 || slices.Contains(kinds, kind)) {
			all = append(all, listed{name: name, kind: kind})
		}
	}
	for _, name := range snapshot.Names() {
		add(name, tableType)
	}
	for _, name := range s.cfg.SystemTables {
		add(table.Name{Catalog: settings.DefaultCatalog, Schema: systemSchema, Table: name}, systemTableType)
	}
	for _, v := range s.sessions.temporary(c).In(0).List() {
		before := len(all)
		add(table.Name{Catalog: frontend.TemporaryCatalog, Schema: settings.DefaultSchema, Table: v.Name}, temporaryType)
		if len(all) > before {
			all[before].columns = v.Columns
		}
		v.Release()
	}
	slices.SortFunc(all, func(a, b listed) int {
		if c := strings.Compare(a.name.Catalog, b.name.Catalog); c != 0 {
			return c
		}
		if c := strings.Compare(a.name.Schema, b.name.Schema); c != 0 {
			return c
		}
		return strings.Compare(a.name.Table, b.name.Table)
	})
	return all
}

func (s *Server) getTables(ctx context.Context, m *wire.CommandGetTables) (arrow.RecordBatch, error) {
	snapshot, err := s.cfg.Catalog.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	tables := s.listTables(callerOf(ctx), snapshot, m)
	schema := schema_ref.Tables
	var schemas [][]byte
	if m.GetIncludeSchema() {
		schema = schema_ref.TablesWithIncludedSchema
		timeZone := s.sessions.settings(callerOf(ctx)).TimeZone()
		for _, t := range tables {
			b, err := s.tableSchema(ctx, snapshot, t, timeZone)
			if err != nil {
				return nil, err
			}
			schemas = append(schemas, b)
		}
	}
	return s.rows(schema, func(b *array.RecordBuilder) {
		for i, t := range tables {
			text(b, 0, t.name.Catalog)
			text(b, 1, t.name.Schema)
			text(b, 2, t.name.Table)
			text(b, 3, t.kind)
			if schemas != nil {
				b.Field(4).(*array.BinaryBuilder).Append(schemas[i]) // By schema_ref.
			}
		}
	}), nil
}

// tableSchema is a table's schema as an IPC stream without batches. A table that cannot be read has no columns, and does not
// keep the others from being listed; only the end of the call is an error.
func (s *Server) tableSchema(ctx context.Context, snapshot *catalog.Snapshot, t listed, timeZone string) ([]byte, error) {
	var columns []table.Column
	loaded, err := s.loadTable(ctx, snapshot, t)
	switch {
	case err == nil:
		columns = loaded.Columns
	case ctx.Err() != nil:
		return nil, qerr.Wrap(qerr.Cancelled, "list tables", ctx.Err())
	default:
		s.cfg.Log.Warn().Err(err).Stringer("table", t.name).Msg("a table is listed without its columns")
	}
	return s.serialize(columnsSchema(t.name, columns, timeZone)), nil
}

func (s *Server) loadTable(ctx context.Context, snapshot *catalog.Snapshot, t listed) (*table.Table, error) {
	if t.kind == temporaryType {
		return &table.Table{Name: t.name, Columns: t.columns}, nil
	}
	if t.kind == systemTableType {
		return s.cfg.Queries.SystemTable(t.name.Table)
	}
	return snapshot.Table(ctx, t.name)
}
