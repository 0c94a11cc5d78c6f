package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/flight"
	"github.com/apache/arrow/go/v15/arrow/flight/flightsql"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

func manyRowsGo(ctx context.Context, c *session) error {
	if _, err := c.ExecuteUpdate(ctx, "CREATE TEMP TABLE many (a BIGINT)"); err != nil {
		return err
	}
	p, err := c.Prepare(ctx, "INSERT INTO many VALUES (?)")
	if err != nil {
		return err
	}
	batch := integers(1, 2, 3)
	p.SetParameters(batch)
	batch.Release()
	n, err := p.ExecuteUpdate(ctx)
	if err := errors.Join(err, p.Close(ctx)); err != nil || n != 3 {
		return fmt.Errorf("%d rows inserted, %w", n, err)
	}
	return errors.Join(c.query(ctx, "SELECT count(*), sum(a) FROM many", "3|6"),
		c.bound(ctx, "SELECT s FROM numbers WHERE n = ?", integers(4, 2, 9), "4", "2", "9"))
}

func temporaryGo(ctx context.Context, c *session) error {
	for _, step := range []struct {
		sql  string
		rows int64
	}{
		{"CREATE TEMP TABLE notes (id INTEGER, note VARCHAR)", -1}, {"INSERT INTO notes VALUES (1, 'one'), (2, 'two'), (3, 'three')", 3},
		{"UPDATE notes SET note = upper(note) WHERE id < 3", 2}, {"DELETE FROM notes WHERE id = 2", 1},
	} {
		if n, err := c.ExecuteUpdate(ctx, step.sql); err != nil || step.rows >= 0 && n != step.rows {
			return fmt.Errorf("%s: %d rows, %w", step.sql, n, err)
		}
	}
	if err := c.query(ctx, "SELECT id, note FROM notes ORDER BY id", "1|ONE", "3|three"); err != nil {
		return err
	}
	other, err := dialGo(ctx, c.setting)
	if err != nil {
		return err
	}
	defer other.Close()
	if err := fails(other.set(ctx, "SELECT * FROM notes"), codes.NotFound, "notes"); err != nil {
		return err
	}
	_, err = c.ExecuteUpdate(ctx, "DROP TABLE notes")
	return err
}

func catalogsGo(ctx context.Context, c *session) error {
	catalogs, err := c.GetCatalogs(ctx)
	if err := c.rows(ctx, catalogs, err, "arbalest"); err != nil {
		return err
	}
	schemas, err := c.GetDBSchemas(ctx, &flightsql.GetDBSchemasOpts{Catalog: proto.String("arbalest"), DbSchemaFilterPattern: proto.String("m%")})
	if err := c.rows(ctx, schemas, err, "arbalest|main"); err != nil {
		return err
	}
	tables, err := c.GetTables(ctx, &flightsql.GetTablesOpts{TableNameFilterPattern: proto.String("n%")})
	if err := c.rows(ctx, tables, err, "arbalest|main|nation|TABLE", "arbalest|main|numbers|TABLE"); err != nil {
		return err
	}
	tables, err = c.GetTables(ctx, &flightsql.GetTablesOpts{DbSchemaFilterPattern: proto.String("main"), TableTypes: []string{"SYSTEM TABLE"}})
	if err := c.rows(ctx, tables, err); err != nil {
		return err
	}
	types, err := c.GetTableTypes(ctx)
	return c.rows(ctx, types, err, "LOCAL TEMPORARY", "SYSTEM TABLE", "TABLE")
}

const numbersSchema = "n int64 x float64 s utf8"

func schemaText(s *arrow.Schema) string {
	var all []string
	for _, f := range s.Fields() {
		all = append(all, f.Name+" "+f.Type.String())
	}
	return strings.Join(all, " ")
}

func tableSchemaGo(ctx context.Context, c *session) error {
	info, err := c.GetTables(ctx, &flightsql.GetTablesOpts{TableNameFilterPattern: proto.String("numbers"), IncludeSchema: true})
	if err != nil {
		return err
	}
	err = c.each(ctx, info, func(batch arrow.Record) error {
		schema, err := flight.DeserializeSchema(batch.Column(4).(*array.Binary).Value(0), memory.DefaultAllocator)
		if err != nil || schemaText(schema) != numbersSchema {
			return fmt.Errorf("the schema is %v, %w", schema, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	result, err := c.GetExecuteSchema(ctx, "SELECT * FROM numbers")
	if err != nil {
		return err
	}
	schema, err := flight.DeserializeSchema(result.GetSchema(), memory.DefaultAllocator)
	if err != nil || schemaText(schema) != numbersSchema {
		return fmt.Errorf("the schema is %v, %w", schema, err)
	}
	return nil
}

func keysGo(ctx context.Context, c *session) error {
	numbers := flightsql.TableRef{Table: "numbers"}
	for name, call := range map[string]func() (*flight.FlightInfo, error){
		"primary":  func() (*flight.FlightInfo, error) { return c.GetPrimaryKeys(ctx, numbers) },
		"exported": func() (*flight.FlightInfo, error) { return c.GetExportedKeys(ctx, numbers) },
		"imported": func() (*flight.FlightInfo, error) { return c.GetImportedKeys(ctx, numbers) },
		"cross": func() (*flight.FlightInfo, error) {
			return c.GetCrossReference(ctx, numbers, flightsql.TableRef{Table: "nation"})
		},
	} {
		info, err := call()
		if err := c.rows(ctx, info, err); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, call := range map[string]func() (*flight.SchemaResult, error){
		"primary":  func() (*flight.SchemaResult, error) { return c.GetPrimaryKeysSchema(ctx) },
		"exported": func() (*flight.SchemaResult, error) { return c.GetExportedKeysSchema(ctx) },
		"imported": func() (*flight.SchemaResult, error) { return c.GetImportedKeysSchema(ctx) },
		"cross":    func() (*flight.SchemaResult, error) { return c.GetCrossReferenceSchema(ctx) },
		"catalogs": func() (*flight.SchemaResult, error) { return c.GetCatalogsSchema(ctx) },
		"schemas":  func() (*flight.SchemaResult, error) { return c.GetDBSchemasSchema(ctx) },
		"tables":   func() (*flight.SchemaResult, error) { return c.GetTablesSchema(ctx, &flightsql.GetTablesOpts{}) },
		"types":    func() (*flight.SchemaResult, error) { return c.GetTableTypesSchema(ctx) },
		"info":     func() (*flight.SchemaResult, error) { return c.GetSqlInfoSchema(ctx) },
		"xdbc":     func() (*flight.SchemaResult, error) { return c.GetXdbcTypeInfoSchema(ctx) },
	} {
		result, err := call()
		if err != nil || len(result.GetSchema()) == 0 {
			return fmt.Errorf("schema of %s: %w", name, err)
		}
	}
	return nil
}

func typeInfoGo(ctx context.Context, c *session) error {
	bigint := int32(-5) // of XDBC
	info, err := c.GetXdbcTypeInfo(ctx, &bigint)
	one, err := c.texts(ctx, info, err)
	if err != nil || len(one) == 0 || !strings.HasPrefix(one[0], "BIGINT|-5|") {
		return fmt.Errorf("of BIGINT: %q, %w", one, err)
	}
	info, err = c.GetXdbcTypeInfo(ctx, nil)
	every, err := c.texts(ctx, info, err)
	if err != nil || len(every) <= len(one) {
		return fmt.Errorf("of all: %q, %w", every, err)
	}
	return nil
}

func serverInfoGo(ctx context.Context, c *session) error {
	info, err := c.GetSqlInfo(ctx, []flightsql.SqlInfo{flightsql.SqlInfoFlightSqlServerName, flightsql.SqlInfoFlightSqlServerTransaction})
	got, err := c.texts(ctx, info, err)
	if err != nil || len(got) != 2 || !strings.Contains(got[0], "Arbalest") {
		return fmt.Errorf("got %q, %w", got, err)
	}
	info, err = c.GetSqlInfo(ctx, nil)
	got, err = c.texts(ctx, info, err)
	if err != nil || len(got) < 80 {
		return fmt.Errorf("%d of all, %w", len(got), err)
	}
	return nil
}

func plainGo(ctx context.Context, c *session) error {
	stream, err := c.Client.Client.ListFlights(ctx, &flight.Criteria{Expression: []byte("nation")})
	if err != nil {
		return err
	}
	listed, err := stream.Recv()
	if err != nil {
		return err
	}
	info, err := c.Client.Client.GetFlightInfo(ctx, listed.GetFlightDescriptor())
	if got, err := c.texts(ctx, info, err); err != nil || len(got) != 25 {
		return fmt.Errorf("%d rows by path %v, %w", len(got), listed.GetFlightDescriptor().GetPath(), err)
	}
	exchange, err := c.Client.Client.DoExchange(ctx)
	if err != nil {
		return err
	}
	_, err = exchange.Recv()
	return fails(err, codes.Unimplemented, "DoGet")
}
