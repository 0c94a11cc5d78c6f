//go:build !race

// The driver shares one header variable between the streams of several endpoints, which the race detector takes for ours.

package flightserver

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/apache/arrow-adbc/go/adbc"
	adbcflight "github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// connect opens an ADBC connection.
func connect(t testing.TB, f *fixture, options map[string]string) adbc.Connection {
	t.Helper()
	all := map[string]string{adbc.OptionKeyURI: "grpc://" + f.addr}
	for k, v := range options {
		all[k] = v
	}
	db, err := adbcflight.NewDriver(memory.DefaultAllocator).NewDatabase(all)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Open(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func adbcStatement(t testing.TB, conn adbc.Connection, sql string) adbc.Statement {
	t.Helper()
	s, err := conn.NewStatement()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.SetSqlQuery(sql); err != nil {
		t.Fatal(err)
	}
	return s
}

func adbcIntegers(t testing.TB, r array.RecordReader) []int64 {
	t.Helper()
	defer r.Release()
	var all []int64
	for r.Next() {
		all = append(all, r.RecordBatch().Column(0).(*array.Int64).Int64Values()...)
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(all)
}

func TestADBCStatements(t *testing.T) {
	f := start(t, nil)
	conn := connect(t, f, nil)
	r, n, err := adbcStatement(t, conn, "rows 3 4").ExecuteQuery(testContext(t))
	if err != nil || n != -1 {
		t.Fatal(n, err)
	}
	if got := adbcIntegers(t, r); len(got) != 12 || !slices.IsSorted(got) {
		t.Errorf("got %v", got)
	}
	if _, err := adbcStatement(t, conn, "SET arbalest.partitions 6").ExecuteUpdate(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if r, _, err = adbcStatement(t, conn, "rows 1 1").ExecuteQuery(testContext(t)); err != nil {
		t.Fatal(err)
	}
	adbcIntegers(t, r)
	if last, _ := f.fake.last(); last.Settings.Partitions() != 6 {
		t.Error("the driver does not keep its session")
	}
	_, _, err = adbcStatement(t, conn, "fail").ExecuteQuery(testContext(t))
	if e := (adbc.Error{}); !errors.As(err, &e) || e.Code != adbc.StatusInvalidArgument {
		t.Errorf("error %v", err)
	}
	schema, err := adbcStatement(t, conn, "rows 3 4").(adbc.StatementExecuteSchema).ExecuteSchema(testContext(t))
	if err != nil || !schema.Equal(numberSchema) {
		t.Errorf("schema %v, %v", schema, err)
	}
}

func TestADBCPartitions(t *testing.T) {
	f := start(t, nil)
	conn, other := connect(t, f, nil), connect(t, f, nil)
	_, parts, _, err := adbcStatement(t, conn, "rows 2 3").ExecutePartitions(testContext(t))
	if err != nil || parts.NumPartitions != 3 {
		t.Fatal(parts.NumPartitions, err)
	}
	// Each can be read on another connection of the same user.
	var all []int64
	for _, id := range parts.PartitionIDs {
		r, err := other.ReadPartition(testContext(t), id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, adbcIntegers(t, r)...)
	}
	if !slices.Equal(all, []int64{0, 1, 2, 3, 4, 5}) {
		t.Errorf("got %v", all)
	}
}

// Incremental execution is PollFlightInfo.
func TestADBCIncremental(t *testing.T) {
	f := start(t, nil)
	s := adbcStatement(t, connect(t, f, nil), "block")
	if err := s.SetOption(adbc.OptionKeyIncremental, adbc.OptionValueEnabled); err != nil {
		t.Fatal(err)
	}
	go func() {
		eventually(t, "the statement runs", func() bool {
			f.fake.mu.Lock()
			defer f.fake.mu.Unlock()
			return len(f.fake.submitted) == 1
		})
		_, q := f.fake.last()
		q.make = func(int) []arrow.RecordBatch { return nil }
		q.place(2, "")
	}()
	_, parts, _, err := s.ExecutePartitions(testContext(t))
	if err != nil || parts.NumPartitions != 2 {
		t.Fatal(parts.NumPartitions, err)
	}
	_, parts, _, err = s.ExecutePartitions(testContext(t))
	if err != nil || parts.NumPartitions != 0 {
		t.Error(parts.NumPartitions, err)
	}
}

func TestADBCParameters(t *testing.T) {
	f := start(t, nil)
	s := adbcStatement(t, connect(t, f, nil), "params ?")
	if err := s.Prepare(testContext(t)); err != nil {
		t.Fatal(err)
	}
	schema, err := s.GetParameterSchema()
	if err != nil || schema.NumFields() != 1 {
		t.Errorf("parameters %v, %v", schema, err)
	}
	for _, rows := range [][]int64{{7}, {3, 1, 2}} {
		if err := s.Bind(testContext(t), integersBatch(t, rows...)); err != nil {
			t.Fatal(err)
		}
		r, _, err := s.ExecuteQuery(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := adbcIntegers(t, r); !slices.Equal(got, rows) {
			t.Errorf("got %v, want %v", got, rows)
		}
	}
}

// The Python driver turns autocommit off at once, which begins a transaction.
func TestADBCTransactions(t *testing.T) {
	f := start(t, nil)
	conn := connect(t, f, nil)
	if err := conn.(adbc.PostInitOptions).SetOption(adbc.OptionKeyAutoCommit, adbc.OptionValueDisabled); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(context.Context) error{conn.Commit, conn.Rollback} {
		r, _, err := adbcStatement(t, conn, "rows 1 1").ExecuteQuery(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		adbcIntegers(t, r)
		if err := end(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.(adbc.PostInitOptions).SetOption(adbc.OptionKeyAutoCommit, adbc.OptionValueEnabled); err != nil {
		t.Fatal(err)
	}
}

func TestADBCMetadata(t *testing.T) {
	f := start(t, withUsers)
	conn := connect(t, f, map[string]string{adbc.OptionKeyUsername: "anna", adbc.OptionKeyPassword: "anna!"})
	options := conn.(adbc.PostInitOptions)
	for key, value := range map[string]string{adbc.OptionKeyCurrentCatalog: "lake", "adbc.flight.sql.session.option.arbalest.partitions": "12"} {
		if err := options.SetOption(key, value); err != nil {
			t.Error(key, err)
		}
	}
	got, err := conn.(adbc.GetSetOptions).GetOption(adbc.OptionKeyCurrentCatalog)
	if err != nil || got != "lake" {
		t.Errorf("current catalog %q, %v", got, err)
	}
	if err := options.SetOption(adbc.OptionKeyCurrentCatalog, "nowhere"); err == nil {
		t.Error("a catalog that does not exist was set")
	}
	catalog, schema := "arbalest", "main"
	s, err := conn.GetTableSchema(testContext(t), &catalog, &schema, "orders")
	if err != nil || s.NumFields() != len(ordersTable.Columns) {
		t.Errorf("table schema %v, %v", s, err)
	}
	r, err := conn.GetObjects(testContext(t), adbc.ObjectDepthAll, nil, nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	rows := int64(0)
	for r.Next() {
		rows += r.RecordBatch().NumRows()
	}
	if rows != 2 || r.Err() != nil {
		t.Errorf("%d catalogs, %v", rows, r.Err())
	}
	types, err := conn.GetTableTypes(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	defer types.Release()
	if !types.Next() || !slices.Equal(texts([]arrow.RecordBatch{types.RecordBatch()}, 0), []string{"LOCAL TEMPORARY", "SYSTEM TABLE", "TABLE"}) {
		t.Error("table types")
	}
	info, err := conn.GetInfo(testContext(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer info.Release()
	if !info.Next() || info.RecordBatch().NumRows() < 5 {
		t.Error("info")
	}
}

// TestADBCReal reads from the workers themselves, as their user.
func TestADBCReal(t *testing.T) {
	r := startReal(t, 2, withUsers)
	conn := connect(t, r.fixture, map[string]string{adbc.OptionKeyUsername: "zoe", adbc.OptionKeyPassword: "zoe!"})
	reader, _, err := adbcStatement(t, conn, "SELECT id FROM events").ExecuteQuery(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(adbcIntegers(t, reader)); n != eventFiles*eventPerFile {
		t.Errorf("%d rows", n)
	}
	r.cluster.Idle(t)
}
