package duck

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

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
	t.Errorf("the engine is not idle: %+v", u)
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
