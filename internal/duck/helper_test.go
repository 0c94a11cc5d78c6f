package duck

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// openEngine opens an engine with two threads that must be idle and empty when the test ends.
func openEngine(t testing.TB, change func(*Config)) *Engine {
	t.Helper()
	cfg := Config{Threads: 2, MemoryBytes: 512 << 20, TempDir: t.TempDir()}
	if change != nil {
		change(&cfg)
	}
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		checkIdle(t, e)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// idleWithin bounds how long DuckDB's threads may take to let go of an interrupted query.
const idleWithin = 20 * time.Second

// checkIdle fails unless the engine gives everything back.
func checkIdle(t testing.TB, e *Engine) {
	t.Helper()
	var u Usage
	for deadline := time.Now().Add(idleWithin); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		u = e.Usage()
		u.MemoryBytes = 0
		if u == (Usage{}) {
			return
		}
	}
	t.Fatalf("the engine is not idle: %+v", u)
}

// readAll reads a stream to its end and closes it; the test releases the batches when it ends.
func readAll(t testing.TB, s *Stream) []arrow.RecordBatch {
	t.Helper()
	defer s.Close()
	var batches []arrow.RecordBatch
	for {
		b, err := s.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return batches
		}
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
		t.Cleanup(b.Release)
	}
}

func streamAll(t testing.TB, e *Engine, sql string) (*arrow.Schema, []arrow.RecordBatch) {
	t.Helper()
	s, err := e.Stream(context.Background(), Job{SQL: sql})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s.Schema(), readAll(t, s)
}

// streamError runs a statement that must fail, and gives its error.
func streamError(t testing.TB, e *Engine, sql string) error {
	t.Helper()
	s, err := e.Stream(context.Background(), Job{SQL: sql})
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		b, err := s.Next(context.Background())
		if errors.Is(err, io.EOF) {
			t.Fatalf("%s: no error", sql)
		}
		if err != nil {
			return err
		}
		b.Release()
	}
}

// number runs a statement with one BIGINT.
func number(t testing.TB, e *Engine, sql string) int64 {
	t.Helper()
	s, err := e.Stream(context.Background(), Job{SQL: sql})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer s.Close()
	b, err := s.Next(context.Background())
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer b.Release()
	return b.Column(0).(*array.Int64).Value(0)
}

// writeFile runs a COPY in another DuckDB: the engine under test writes nothing.
func writeFile(t testing.TB, sql, path string) {
	t.Helper()
	var db bindings.Database
	if bindings.Open("", &db) != bindings.StateSuccess {
		t.Fatal("open the writing database")
	}
	defer bindings.Close(&db)
	var conn bindings.Connection
	bindings.Connect(db, &conn)
	defer bindings.Disconnect(&conn)
	var res bindings.Result
	defer bindings.DestroyResult(&res)
	if bindings.Query(conn, "COPY ("+sql+") TO "+table.Literal(path), &res) != bindings.StateSuccess {
		t.Fatal(bindings.ResultError(&res))
	}
}

// rowsOf counts.
func rowsOf(batches []arrow.RecordBatch) (n int64) {
	for _, b := range batches {
		n += b.NumRows()
	}
	return n
}

// typesOf drops the names.
func typesOf(columns []table.Column) []table.Type {
	types := make([]table.Type, len(columns))
	for i, c := range columns {
		types[i] = c.Type
	}
	return types
}

func describe(t testing.TB, e *Engine, sql string) []table.Column {
	t.Helper()
	c, err := e.connect("")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	columns, err := c.describe(context.Background(), sql)
	if err != nil {
		t.Fatal(err)
	}
	return columns
}
