package compat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// goFeatures measures arrow-go's Flight SQL client of today: every call that its type has.
func goFeatures(ctx context.Context, k *kit) error {
	s := k.setting
	return measure(ctx, "flightsql-v18", moduleVersion("github.com/apache/arrow-go/v18"), []feature{
		{"login", loginGo(s)}, {"token", tokenGo(s)}, {"tls", tlsGo(s)}, {"session", s.with(sessionGo)},
		{"session options", s.with(sessionOptionsGo)}, {"prepared", s.with(preparedGo)}, {"parameters", s.with(parametersGo)},
		{"many rows bound", s.with(manyRowsGo)}, {"temporary tables", s.with(temporaryGo)}, {"ingest", s.with(ingestGo)},
		{"transactions", s.with(transactionsGo)}, {"savepoints", s.with(savepointsGo)}, {"catalogs", s.with(catalogsGo)},
		{"table schema", s.with(tableSchemaGo)}, {"keys", s.with(keysGo)}, {"type info", s.with(typeInfoGo)},
		{"server info", s.with(serverInfoGo)}, {"streaming", s.with(streamingGo)}, {"endpoints", s.with(endpointsGo)},
		{"partitions", s.with(partitionsGo)}, {"poll", s.with(pollGo)}, {"cancel", s.with(cancelGo)}, {"timeout", s.with(timeoutGo)},
		{"renew", s.with(renewGo)}, {"25 workers", workersGo(s)}, {"10 M rows", s.with(largeGo)}, {"50 connections", connectionsGo(s)},
		{"data frames", func(context.Context) error {
			return notApplicable("the client has no data frames, only Arrow's batches")
		}},
		{"plain flight", s.with(plainGo)},
	})
}

// leave closes the session and the connection.
func (c *goClient) leave(ctx context.Context) error {
	_, err := c.CloseSession(ctx, &flight.CloseSessionRequest{})
	return errors.Join(err, c.Close())
}

func sessionOptionsGo(ctx context.Context, c *goClient) error {
	put := func(name string, value any) (*flight.SetSessionOptionsResult, error) {
		v, err := flight.NewSessionOptionValue(value)
		if err != nil {
			return nil, err
		}
		return c.SetSessionOptions(ctx, &flight.SetSessionOptionsRequest{SessionOptions: map[string]*flight.SessionOptionValue{name: &v}})
	}
	if r, err := put("arbalest.partitions", int64(5)); err != nil || len(r.GetErrors()) > 0 {
		return fmt.Errorf("set: %v, %w", r, err)
	}
	if r, err := put("no.such.option", "1"); err != nil || len(r.GetErrors()) != 1 {
		return fmt.Errorf("set an option that is none: %v, %w", r, err)
	}
	r, err := c.GetSessionOptions(ctx, &flight.GetSessionOptionsRequest{})
	if err != nil || r.GetSessionOptions()["arbalest.partitions"].GetInt64Value() != 5 {
		return fmt.Errorf("get: %v, %w", r, err)
	}
	if err := c.query(ctx, sessionValue, "5"); err != nil {
		return err
	}
	if _, err := put("arbalest.partitions", nil); err != nil {
		return err
	}
	return c.query(ctx, sessionValue, "0")
}

func manyRowsGo(ctx context.Context, c *goClient) error {
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

func temporaryGo(ctx context.Context, c *goClient) error {
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

func ingestGo(ctx context.Context, c *goClient) error {
	load := func(missing flightsql.TableDefinitionOptionsTableNotExistOption, exists flightsql.TableDefinitionOptionsTableExistsOption, values ...int64) (int64, error) {
		batch := integers(values...)
		defer batch.Release()
		reader, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
		if err != nil {
			return 0, err
		}
		defer reader.Release()
		return c.ExecuteIngest(ctx, reader, &flightsql.ExecuteIngestOpts{Table: "loaded", Temporary: true,
			TableDefinitionOptions: &flightsql.TableDefinitionOptions{IfNotExist: missing, IfExists: exists}})
	}
	const create, fail = flightsql.TableDefinitionOptionsTableNotExistOptionCreate, flightsql.TableDefinitionOptionsTableNotExistOptionFail
	_, err := load(fail, flightsql.TableDefinitionOptionsTableExistsOptionAppend, 1)
	if err := fails(err, codes.NotFound, "loaded"); err != nil {
		return err
	}
	for _, step := range []struct {
		missing flightsql.TableDefinitionOptionsTableNotExistOption
		exists  flightsql.TableDefinitionOptionsTableExistsOption
		values  []int64
		after   string
	}{
		{create, flightsql.TableDefinitionOptionsTableExistsOptionFail, []int64{1, 2, 3}, "3|6"},
		{fail, flightsql.TableDefinitionOptionsTableExistsOptionAppend, []int64{4}, "4|10"},
		{create, flightsql.TableDefinitionOptionsTableExistsOptionAppend, []int64{5}, "5|15"},
		{create, flightsql.TableDefinitionOptionsTableExistsOptionReplace, []int64{7, 8}, "2|15"},
	} {
		if n, err := load(step.missing, step.exists, step.values...); err != nil || n != int64(len(step.values)) {
			return fmt.Errorf("%d rows, %w", n, err)
		}
		if err := c.query(ctx, "SELECT count(*), sum(p) FROM loaded", step.after); err != nil {
			return err
		}
	}
	_, err = load(create, flightsql.TableDefinitionOptionsTableExistsOptionFail, 1)
	return fails(err, codes.AlreadyExists, "loaded")
}

func catalogsGo(ctx context.Context, c *goClient) error {
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

func tableSchemaGo(ctx context.Context, c *goClient) error {
	info, err := c.GetTables(ctx, &flightsql.GetTablesOpts{TableNameFilterPattern: proto.String("numbers"), IncludeSchema: true})
	if err != nil {
		return err
	}
	err = c.each(ctx, info, func(batch arrow.RecordBatch) error {
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

func keysGo(ctx context.Context, c *goClient) error {
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

func typeInfoGo(ctx context.Context, c *goClient) error {
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

func serverInfoGo(ctx context.Context, c *goClient) error {
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

func pollGo(ctx context.Context, c *goClient) error {
	if err := c.set(ctx, "SET arbalest.distributed = 'always'"); err != nil {
		return err
	}
	p, err := c.Prepare(ctx, c.setting.Slow)
	if err != nil {
		return err
	}
	for name, poll := range map[string]func(*flight.FlightDescriptor) (*flight.PollInfo, error){
		"statement": func(retry *flight.FlightDescriptor) (*flight.PollInfo, error) {
			return c.ExecutePoll(ctx, c.setting.Slow, retry)
		},
		"prepared": func(retry *flight.FlightDescriptor) (*flight.PollInfo, error) { return p.ExecutePoll(ctx, retry) },
	} {
		var seen []float64
		var retry *flight.FlightDescriptor
		var info *flight.FlightInfo
		for first := true; first || retry != nil; first = false {
			r, err := poll(retry)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			retry, info = r.GetFlightDescriptor(), r.GetInfo()
			seen = append(seen, r.GetProgress())
		}
		if !slices.IsSorted(seen) || len(seen) < 2 || seen[len(seen)-1] != 1 {
			return fmt.Errorf("%s: the progress was %v", name, seen)
		}
		if got, err := c.texts(ctx, info, nil); err != nil || len(got) != 2 {
			return fmt.Errorf("%s: %q, %w", name, got, err)
		}
	}
	return p.Close(ctx)
}

func plainGo(ctx context.Context, c *goClient) error {
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
