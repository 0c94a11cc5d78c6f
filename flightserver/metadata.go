package flightserver

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// metadataSchema is the schema of a metadata command's rows; ok is false for other commands.
func metadataSchema(command proto.Message) (schema *arrow.Schema, ok bool) {
	switch m := command.(type) {
	case *wire.CommandGetCatalogs:
		return schema_ref.Catalogs, true
	case *wire.CommandGetDbSchemas:
		return schema_ref.DBSchemas, true
	case *wire.CommandGetTables:
		if m.GetIncludeSchema() {
			return schema_ref.TablesWithIncludedSchema, true
		}
		return schema_ref.Tables, true
	case *wire.CommandGetTableTypes:
		return schema_ref.TableTypes, true
	case *wire.CommandGetSqlInfo:
		return schema_ref.SqlInfo, true
	case *wire.CommandGetXdbcTypeInfo:
		return schema_ref.XdbcTypeInfo, true
	case *wire.CommandGetPrimaryKeys:
		return schema_ref.PrimaryKeys, true
	case *wire.CommandGetExportedKeys:
		return schema_ref.ExportedKeys, true
	case *wire.CommandGetImportedKeys:
		return schema_ref.ImportedKeys, true
	case *wire.CommandGetCrossReference:
		return schema_ref.CrossReference, true
	}
	return nil, false
}

// metadataInfo sends the client back with the command itself as the ticket: its rows are made when they are read.
func (s *Server) metadataInfo(d *wire.FlightDescriptor, schema *arrow.Schema) *wire.FlightInfo {
	return &wire.FlightInfo{Schema: s.serialize(schema), FlightDescriptor: echo(d), TotalRecords: -1, TotalBytes: -1,
		Endpoint: []*wire.FlightEndpoint{{Ticket: &wire.Ticket{Ticket: d.GetCmd()}}}}
}

// metadata makes the rows of a metadata command, as one batch: ADBC's GetTableSchema reads no further. Nil is no rows.
func (s *Server) metadata(ctx context.Context, command proto.Message) (arrow.RecordBatch, error) {
	switch m := command.(type) {
	case *wire.CommandGetCatalogs:
		snapshot, err := s.cfg.Catalog.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		return s.rows(schema_ref.Catalogs, func(b *array.RecordBuilder) {
			for _, name := range s.visibleCatalogs(ctx, snapshot) {
				text(b, 0, name)
			}
		}), nil
	case *wire.CommandGetDbSchemas:
		return s.getDBSchemas(ctx, m)
	case *wire.CommandGetTables:
		return s.getTables(ctx, m)
	case *wire.CommandGetTableTypes:
		return s.rows(schema_ref.TableTypes, func(b *array.RecordBuilder) {
			for _, t := range tableTypes {
				text(b, 0, t)
			}
		}), nil
	case *wire.CommandGetSqlInfo:
		return s.info.batch(s.mem, m.GetInfo()), nil
	case *wire.CommandGetXdbcTypeInfo:
		return s.rows(schema_ref.XdbcTypeInfo, func(b *array.RecordBuilder) { appendTypeInfo(b, m.DataType) }), nil
	}
	// Keys: Parquet, CSV and JSON files declare none.
	return nil, nil
}

// rows builds one batch.
func (s *Server) rows(schema *arrow.Schema, fill func(*array.RecordBuilder)) arrow.RecordBatch {
	b := array.NewRecordBuilder(s.mem, schema)
	defer b.Release()
	fill(b)
	return b.NewRecordBatch()
}

func text(b *array.RecordBuilder, column int, value string) {
	b.Field(column).(*array.StringBuilder).Append(value) // By schema_ref; a test builds each.
}

func (s *Server) getDBSchemas(ctx context.Context, m *wire.CommandGetDbSchemas) (arrow.RecordBatch, error) {
	snapshot, err := s.cfg.Catalog.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	want := newFilter(m.Catalog, m.DbSchemaFilterPattern, nil)
	return s.rows(schema_ref.DBSchemas, func(b *array.RecordBuilder) {
		for _, catalog := range s.visibleCatalogs(ctx, snapshot) {
			schemas := dbSchemas(snapshot, catalog)
			if catalog == frontend.TemporaryCatalog {
				schemas = withName(schemas, settings.DefaultSchema)
			}
			for _, name := range schemas {
				if want.schema(catalog, name) {
					text(b, 0, catalog)
					text(b, 1, name)
				}
			}
		}
	}), nil
}

// visibleCatalogs are the catalogs that the caller sees: with that of temporary tables when its session has some.
func (s *Server) visibleCatalogs(ctx context.Context, snapshot *catalog.Snapshot) []string {
	names := catalogs(snapshot)
	if s.sessions.temporary(callerOf(ctx)).In(0).Any() {
		names = withName(names, frontend.TemporaryCatalog)
	}
	return names
}
