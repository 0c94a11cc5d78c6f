package flightserver

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/arbalest-sql/arbalest/internal/testcluster"
)

// The tests here run against a real coordinator with real workers.

const (
	eventFiles   = 4
	eventPerFile = 5000
)

// real is a cluster with its door.
type real struct {
	*fixture
	cluster *testcluster.Cluster
	t       testing.TB
	data    string // the directory of tables
}

func startReal(t testing.TB, workers int, change func(*Config)) *real {
	t.Helper()
	return startRealWith(t, testcluster.Options{Workers: workers}, eventPerFile, change)
}

// startRealWith is startReal with other options of the cluster, and so many rows in each file.
func startRealWith(t testing.TB, options testcluster.Options, perFile int, change func(*Config)) *real {
	t.Helper()
	dir := t.TempDir()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "kind", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	for file := range eventFiles {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for i := range perFile {
			id := file*perFile + i
			b.Field(0).(*array.Int64Builder).Append(int64(id))
			b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("kind %d", id%3))
		}
		testcluster.WriteParquet(t, filepath.Join(dir, "events", fmt.Sprintf("part-%d.parquet", file)), b.NewRecordBatch(), int64(perFile))
		b.Release()
	}
	r := &real{fixture: &fixture{}, t: t, data: dir}
	options.Data = dir
	options.Door = func(c *testcluster.Cluster) ([]grpc.ServerOption, func(grpc.ServiceRegistrar)) {
		cfg := Config{Queries: FromCoordinator(c.Coordinator), Catalog: c.Catalog, Keys: c.Keys}
		if change != nil {
			change(&cfg)
		}
		var err error
		if r.Server, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Server.Close)
		return []grpc.ServerOption{grpc.ChainUnaryInterceptor(r.UnaryInterceptor), grpc.ChainStreamInterceptor(r.StreamInterceptor)}, r.Register
	}
	r.cluster = testcluster.Start(t, options)
	r.addr = r.cluster.Address
	return r
}

func TestRealStatements(t *testing.T) {
	r := startReal(t, 2, nil)
	c := r.session(t)
	info, err := c.Execute(testContext(t), "SELECT id FROM events")
	if err != nil {
		t.Fatal(err)
	}
	locations := map[string]bool{}
	for _, e := range info.GetEndpoint() {
		for _, l := range e.GetLocation() {
			locations[l.GetUri()] = true
		}
	}
	if len(info.GetEndpoint()) != 2 || len(locations) != 3 || !locations[flight.LocationReuseConnection] {
		t.Errorf("%d endpoints at %v", len(info.GetEndpoint()), locations)
	}
	// A client that ignores locations reads all of it here.
	ids := integers(read(t, c, info))
	slices.Sort(ids)
	if len(ids) != eventFiles*eventPerFile || ids[0] != 0 || ids[len(ids)-1] != int64(len(ids)-1) || len(slices.Compact(ids)) != eventFiles*eventPerFile {
		t.Errorf("%d ids", len(ids))
	}
	if n := query(t, c, "SELECT count(*) FROM events WHERE kind = 'kind 1'"); n[0] != 6667 {
		t.Errorf("count %v", n)
	}
	for sql, want := range map[string]codes.Code{
		"SELEC 1": codes.InvalidArgument, "SELECT nope FROM events": codes.InvalidArgument, "SELECT * FROM evens": codes.NotFound,
		"CREATE TABLE x(a INT)": codes.Unimplemented, "INSERT INTO events VALUES (1, 'x')": codes.Unimplemented,
		"COPY events TO '/tmp/x'": codes.PermissionDenied, "SET threads = 4": codes.InvalidArgument, "SELECT 1; SELECT 2": codes.InvalidArgument,
	} {
		_, err := c.Execute(testContext(t), sql)
		wantCode(t, err, want)
		_, err = c.ExecuteUpdate(testContext(t), sql)
		wantCode(t, err, want)
	}
	r.cluster.Idle(t)
}

func TestRealSession(t *testing.T) {
	r := startReal(t, 1, nil)
	c := r.session(t)
	read1 := func(sql string) string {
		t.Helper()
		info, err := c.Execute(testContext(t), sql)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(texts(read(t, c, info), 0), ",")
	}
	partitions := "SELECT value FROM sys.settings WHERE name = 'arbalest.partitions'"
	if got := read1(partitions); got != "0" {
		t.Errorf("partitions %s", got)
	}
	read1("SET arbalest.partitions = 5")
	if got := read1(partitions); got != "5" {
		t.Errorf("partitions %s after SET", got)
	}
	if n, err := c.ExecuteUpdate(testContext(t), "RESET arbalest.partitions"); n != 0 || err != nil {
		t.Errorf("RESET: %d, %v", n, err)
	}
	if errs := set(t, c, map[string]any{"arbalest.task_attempts": int64(2), "TimeZone": "Asia/Tokyo"}); len(errs) != 0 {
		t.Error(errs)
	}
	if got := read1("SELECT value FROM sys.settings WHERE name IN ('arbalest.partitions', 'arbalest.task_attempts') ORDER BY name"); got != "0,2" {
		t.Errorf("settings %s", got)
	}
	if got := read1("SELECT CAST(TIMESTAMPTZ '2024-01-01 00:00:00+00' AS VARCHAR)"); got != "2024-01-01 09:00:00+09" {
		t.Errorf("time %s", got)
	}
	_, err := c.Execute(testContext(t), "SET schema = 'nowhere'")
	wantCode(t, err, codes.NotFound)
	read1("SET schema = 'sys'")
	if got := read1("SELECT count(*) > 0 FROM settings"); got != "true" {
		t.Errorf("schema: %s", got)
	}
	r.cluster.Idle(t)
}

func TestRealMetadata(t *testing.T) {
	r := startReal(t, 1, nil)
	c := r.session(t)
	name := "events"
	info, err := c.GetTables(testContext(t), &flightsql.GetTablesOpts{TableNameFilterPattern: &name, IncludeSchema: true})
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, c, info)[0]
	table, err := flight.DeserializeSchema(b.Column(4).(*array.Binary).Value(0), memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.GetExecuteSchema(testContext(t), "SELECT * FROM events")
	if err != nil {
		t.Fatal(err)
	}
	result, err := flight.DeserializeSchema(s.GetSchema(), memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	if table.NumFields() != 2 || result.NumFields() != 2 {
		t.Fatalf("table %v, result %v", table, result)
	}
	for i := range table.NumFields() {
		a, b := table.Field(i), result.Field(i)
		if a.Name != b.Name || !arrow.TypeEqual(a.Type, b.Type) || a.Nullable != b.Nullable {
			t.Errorf("column %d: %v in the table, %v in the result", i, a, b)
		}
	}
	for _, row := range rowsOf(t, c, &wire.CommandGetTables{TableTypes: []string{systemTableType}}) {
		cells := strings.Split(row, "|")
		if _, err := c.Execute(testContext(t), fmt.Sprintf("SELECT * FROM %s.%s.%s", cells[0], cells[1], cells[2])); err != nil {
			t.Errorf("%s is listed, but: %v", row, err)
		}
	}
}

func TestRealPoll(t *testing.T) {
	r := startReal(t, 2, nil)
	c := r.session(t)
	var poll *flight.PollInfo
	var retry *flight.FlightDescriptor
	for {
		var err error
		if poll, err = c.ExecutePoll(testContext(t), "SELECT kind, count(*) FROM events GROUP BY kind", retry); err != nil {
			t.Fatal(err)
		}
		if retry = poll.GetFlightDescriptor(); retry == nil {
			break
		}
	}
	rows := 0
	for _, b := range read(t, c, poll.GetInfo()) {
		rows += int(b.NumRows())
	}
	if rows != 3 {
		t.Errorf("%d rows", rows)
	}
	r.cluster.Idle(t)
}

// endless is a query that would run for ever.
const endless = "SELECT count(*) FROM events a, events b, events c, events d WHERE a.id + b.id + c.id + d.id = -1"

func TestRealCancelAndDisconnect(t *testing.T) {
	r := startReal(t, 2, nil)
	c := r.session(t)
	query(t, c, "SELECT 1::BIGINT")
	for name, end := range map[string]func(p *flight.PollInfo) error{
		"CancelFlightInfo": func(p *flight.PollInfo) error {
			_, err := c.CancelFlightInfo(testContext(t), &flight.CancelFlightInfoRequest{Info: p.GetInfo()})
			return err
		},
		"KILL": func(p *flight.PollInfo) error {
			info, err := c.Execute(testContext(t), fmt.Sprintf("KILL '%s'", p.GetInfo().GetAppMetadata()))
			if err == nil {
				read(t, c, info)
			}
			return err
		},
	} {
		p, err := c.ExecutePoll(testContext(t), endless, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := end(p); err != nil {
			t.Error(name, err)
		}
		if retry := p.GetFlightDescriptor(); retry != nil {
			_, err = c.ExecutePoll(testContext(t), endless, retry)
			wantCode(t, err, codes.Canceled)
		}
		r.cluster.Idle(t)
	}
	// A client that goes away while it waits or reads.
	ctx, cancel := context.WithCancel(testContext(t))
	ended := make(chan error, 1)
	go func() {
		info, err := c.Execute(ctx, endless)
		if err == nil {
			var stream *flight.Reader
			if stream, err = c.DoGet(ctx, info.GetEndpoint()[0].GetTicket()); err == nil {
				stream.Release()
			}
		}
		ended <- err
	}()
	eventually(t, "a task runs", func() bool {
		return slices.ContainsFunc(r.cluster.Workers, func(n *testcluster.Node) bool { return n.Engine.Usage().Connections > 0 })
	})
	cancel()
	wantCode(t, <-ended, codes.Canceled)
	r.cluster.Idle(t)
}

// TestRealParameters binds a value of each Arrow type, and asks the engine what it saw.
func TestRealParameters(t *testing.T) {
	r := startReal(t, 1, nil)
	c := r.session(t)
	for _, tt := range []struct {
		arrow arrow.DataType
		json  string
		want  string // typeof and text
	}{
		{arrow.FixedWidthTypes.Boolean, "true", "BOOLEAN true"},
		{arrow.PrimitiveTypes.Int8, "-128", "TINYINT -128"},
		{arrow.PrimitiveTypes.Int16, "-32768", "SMALLINT -32768"},
		{arrow.PrimitiveTypes.Int32, "-2147483648", "INTEGER -2147483648"},
		{arrow.PrimitiveTypes.Int64, "-9223372036854775808", "BIGINT -9223372036854775808"},
		{arrow.PrimitiveTypes.Uint8, "255", "UTINYINT 255"},
		{arrow.PrimitiveTypes.Uint16, "65535", "USMALLINT 65535"},
		{arrow.PrimitiveTypes.Uint32, "4294967295", "UINTEGER 4294967295"},
		{arrow.PrimitiveTypes.Uint64, "18446744073709551615", "UBIGINT 18446744073709551615"},
		{arrow.PrimitiveTypes.Float32, "1.5", "FLOAT 1.5"},
		{arrow.PrimitiveTypes.Float64, "0.1", "DOUBLE 0.1"},
		{&arrow.Decimal128Type{Precision: 12, Scale: 3}, `"-123456789.125"`, "DECIMAL(12,3) -123456789.125"},
		{arrow.BinaryTypes.String, `"it's \"quoted\"; größe 日本"`, `VARCHAR it's "quoted"; größe 日本`},
		{arrow.BinaryTypes.LargeString, `"large"`, "VARCHAR large"},
		{arrow.BinaryTypes.Binary, `"AP8="`, `BLOB \x00\xFF`},
		{arrow.FixedWidthTypes.Date32, `"2024-02-29"`, "DATE 2024-02-29"},
		{arrow.FixedWidthTypes.Date64, `"2024-02-29"`, "DATE 2024-02-29"},
		{arrow.FixedWidthTypes.Time32s, `"23:59:59"`, "TIME 23:59:59"},
		{arrow.FixedWidthTypes.Time64us, `"23:59:59.999999"`, "TIME 23:59:59.999999"},
		{&arrow.TimestampType{Unit: arrow.Second}, `"2024-02-29 12:34:56"`, "TIMESTAMP_S 2024-02-29 12:34:56"},
		{&arrow.TimestampType{Unit: arrow.Millisecond}, `"2024-02-29 12:34:56.789"`, "TIMESTAMP_MS 2024-02-29 12:34:56.789"},
		{&arrow.TimestampType{Unit: arrow.Microsecond}, `"2024-02-29 12:34:56.789012"`, "TIMESTAMP 2024-02-29 12:34:56.789012"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, `"2024-02-29 12:34:56.789012345"`, "TIMESTAMP_NS 2024-02-29 12:34:56.789012345"},
		{&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, `"2024-02-29 12:34:56Z"`, "TIMESTAMP WITH TIME ZONE 2024-02-29 12:34:56+00"},
		{arrow.ListOf(arrow.PrimitiveTypes.Int32), "[1, null, 3]", "INTEGER[] [1, NULL, 3]"},
		{arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "b c", Type: arrow.BinaryTypes.String, Nullable: true}),
			`{"a": 1, "b c": "x"}`, `STRUCT(a INTEGER, "b c" VARCHAR) {'a': 1, 'b c': x}`},
		{arrow.BinaryTypes.String, "null", "VARCHAR NULL"},
		{arrow.PrimitiveTypes.Int32, "null", "INTEGER NULL"},
		{arrow.ListOf(arrow.BinaryTypes.String), "null", "VARCHAR[] NULL"},
	} {
		p := prepareStatement(t, c, "SELECT typeof(?1) || ' ' || coalesce(CAST(?1 AS VARCHAR), 'NULL') AS seen, ?1 AS value")
		batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "1", Type: tt.arrow, Nullable: true}}, nil),
			strings.NewReader(`[{"1": `+tt.json+`}]`))
		if err != nil {
			t.Fatal(tt.arrow, err)
		}
		p.SetParameters(batch)
		batch.Release()
		info, err := p.Execute(testContext(t))
		if err != nil {
			t.Errorf("%s %s: %v", tt.arrow, tt.json, err)
			continue
		}
		got := read(t, c, info)
		if seen := texts(got, 0); len(seen) != 1 || seen[0] != tt.want {
			t.Errorf("%s %s: the engine saw %q, want %q", tt.arrow, tt.json, seen, tt.want)
		}
		if err := p.Close(testContext(t)); err != nil {
			t.Error(err)
		}
	}
	r.cluster.Idle(t)
}

func TestRealManyRows(t *testing.T) {
	r := startReal(t, 2, nil)
	c := r.session(t)
	p := prepareStatement(t, c, "SELECT ?::BIGINT * 10 AS ten, count(*) FROM events WHERE id < ?")
	if s := p.ParameterSchema(); s.NumFields() != 2 {
		t.Fatalf("parameters %v", s)
	}
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "b", Type: arrow.PrimitiveTypes.Int32, Nullable: true}}, nil),
		strings.NewReader(`[{"a": 3, "b": 100}, {"a": 1, "b": 7}, {"a": 2, "b": null}]`))
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	p.SetParameters(batch)
	info, err := p.Execute(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, c, info)
	if tens, counts := texts(got, 0), texts(got, 1); !slices.Equal(tens, []string{"30", "10", "20"}) || !slices.Equal(counts, []string{"100", "7", "0"}) {
		t.Errorf("got %v and %v", tens, counts)
	}
	// A parameter that is a column takes the type of what is bound, in the announced schema too (read checks).
	p = prepareStatement(t, c, "SELECT ? AS v")
	p.SetParameters(integersBatch(t, 4, 5))
	if got := integers(run(t, c, p)); !slices.Equal(got, []int64{4, 5}) {
		t.Errorf("got %v", got)
	}
	r.cluster.Idle(t)
}

// With users, what the coordinator hands out is good at the workers for the same user, and only there.
func TestRealUsers(t *testing.T) {
	r := startReal(t, 2, withUsers)
	anna, zoe := as(t, r.fixture, "anna"), as(t, r.fixture, "zoe")
	info, err := anna.Execute(testContext(t), "SELECT id FROM events")
	if err != nil {
		t.Fatal(err)
	}
	_, err = zoe.DoGet(testContext(t), info.GetEndpoint()[0].GetTicket())
	wantCode(t, err, codes.NotFound)
	if n := len(integers(read(t, anna, info))); n != eventFiles*eventPerFile {
		t.Errorf("%d rows", n)
	}
	r.cluster.Idle(t)
}
