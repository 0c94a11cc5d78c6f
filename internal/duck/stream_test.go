package duck

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/util"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// endless is a statement that no test waits for.
const endless = "SELECT a.i FROM range(10000000) a(i), range(10000000) b(j) WHERE (a.i * b.j) % 1000003 = 1000004"

// endlessRows is one that gives rows for as long as it is asked.
const endlessRows = "SELECT a.i, b.j::VARCHAR FROM range(10000000) a(i), range(10000000) b(j)"

func TestStreamKeepsOrder(t *testing.T) {
	e := openEngine(t, nil)
	const rows = 300_000
	// The UUID needs a cast, which is wrapped around the ORDER BY.
	_, batches := streamAll(t, e, "SELECT i, uuid() AS u FROM range(300000) t(i) ORDER BY i DESC")
	want := int64(rows - 1)
	for _, b := range batches {
		for _, v := range b.Column(0).(*array.Int64).Int64Values() {
			if v != want {
				t.Fatalf("%d where %d should be", v, want)
			}
			want--
		}
	}
	if want != -1 {
		t.Errorf("%d rows are missing", want+1)
	}
}

func TestStreamBatchSizes(t *testing.T) {
	e := openEngine(t, nil)
	for _, c := range []struct {
		name, sql string
		rows      int64
		last      int64 // most rows of a batch
	}{
		{"narrow", "SELECT i FROM range(500000) t(i)", 500_000, clientRowsMax},
		{"wide", "SELECT i, repeat('x', 1000) || i FROM range(50000) t(i)", 50_000, clientBytesMax/1000 + 1},
		{"very wide", "SELECT i, repeat('x', 1000000) || i FROM range(60) t(i)", 60, 3},
		{"wider than a batch", "SELECT repeat('x', 5000000) || i FROM range(5) t(i)", 5, 1},
		{"lists", "SELECT range(i % 3000) FROM range(6000) t(i)", 6_000, clientRowsMax},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, batches := streamAll(t, e, c.sql)
			if n := rowsOf(batches); n != c.rows {
				t.Fatalf("%d rows, want %d", n, c.rows)
			}
			if n := batches[0].NumRows(); n > clientRowsFirst {
				t.Errorf("the first batch has %d rows", n)
			}
			for _, b := range batches {
				// One row may pass the limit, as nothing splits a row, and so may what the estimate misses.
				// of rows that differ within one vector.
				if bytes := util.TotalRecordSize(b); b.NumRows() > 1 && bytes > 2*clientBytesMax || b.NumRows() > c.last {
					t.Errorf("a batch has %d rows and %d bytes", b.NumRows(), bytes)
				}
			}
		})
	}
}

func TestStreamEmpty(t *testing.T) {
	e := openEngine(t, nil)
	schema, batches := streamAll(t, e, "SELECT i, [i] AS l, uuid() AS u FROM range(10) t(i) WHERE i > 10")
	if len(batches) != 0 || schema.NumFields() != 3 {
		t.Errorf("%d batches, schema %s", len(batches), schema)
	}
}

func TestStreamStays(t *testing.T) {
	e := openEngine(t, nil)
	s, err := e.Stream(context.Background(), Job{SQL: "SELECT 1"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Next(context.Background()); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v", err)
		}
	}
	if p := s.Progress(); p != 1 {
		t.Errorf("progress at the end is %v", p)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Next(context.Background()); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("after Close: %v", err)
	}
	if p := s.Progress(); p != 1 {
		t.Errorf("progress after Close is %v", p)
	}
	// The batch is still the caller's.
	if v := b.Column(0).(*array.Int32).Value(0); v != 1 {
		t.Error("the batch changed", v)
	}
	b.Release()
}

func TestStreamCancel(t *testing.T) {
	e := openEngine(t, nil)
	killed := qerr.New(qerr.Unavailable, "the worker drains")
	for _, c := range []struct {
		name, sql string
		context   func() (context.Context, context.CancelFunc)
		kind      qerr.Kind
	}{
		{"before", endless, func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return ctx, cancel
		}, qerr.Cancelled},
		{"deadline", endless, func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 20*time.Millisecond)
		}, qerr.Deadline},
		{"between rows", endlessRows, func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 20*time.Millisecond)
		}, qerr.Deadline},
		{"cause", endless, func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(20*time.Millisecond, func() { cancel(killed) })
			return ctx, func() { cancel(nil) }
		}, qerr.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := e.Stream(context.Background(), Job{SQL: c.sql})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			ctx, cancel := c.context()
			defer cancel()
			for {
				b, err := s.Next(ctx)
				if err == nil {
					b.Release()
					continue
				}
				if !qerr.Is(err, c.kind) {
					t.Errorf("%v, want kind %v", err, c.kind)
				}
				return
			}
		})
	}
}

// TestStreamCloseInterrupts closes a stream while another goroutine waits in Next.
func TestStreamCloseInterrupts(t *testing.T) {
	e := openEngine(t, nil)
	for _, sql := range []string{endless, endlessRows} {
		s, err := e.Stream(context.Background(), Job{SQL: sql})
		if err != nil {
			t.Fatal(err)
		}
		began := make(chan struct{})
		var reader sync.WaitGroup
		reader.Go(func() {
			close(began)
			for {
				b, err := s.Next(context.Background())
				if err != nil {
					return
				}
				b.Release()
			}
		})
		<-began
		for s.Progress() < 0 { // asked while the query runs
			t.Error("negative progress")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		reader.Wait()
	}
}

func TestStreamErrorHalfway(t *testing.T) {
	e := openEngine(t, nil)
	s, err := e.Stream(context.Background(), Job{SQL: "SELECT CASE WHEN i = 200000 THEN 'x' ELSE '1' END::INTEGER FROM range(400000) t(i) ORDER BY i"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for err == nil {
		var b interface{ Release() }
		if b, err = s.Next(context.Background()); err == nil {
			b.Release()
		}
	}
	if !qerr.Is(err, qerr.User) {
		t.Errorf("%v, want kind USER", err)
	}
	if _, again := s.Next(context.Background()); again != err { //nolint:errorlint // the very same
		t.Errorf("then: %v", again)
	}
}

func TestStreamTimeZone(t *testing.T) {
	e := openEngine(t, nil)
	for zone, want := range map[string]string{"": "1992-09-20 12:00:00+00", "Asia/Tokyo": "1992-09-20 21:00:00+09"} {
		s, err := e.Stream(context.Background(), Job{SQL: "SELECT x, x::VARCHAR FROM (SELECT TIMESTAMPTZ '1992-09-20 12:00:00+00' AS x)", TimeZone: zone})
		if err != nil {
			t.Fatal(err)
		}
		b := readAll(t, s)[0]
		if got := b.Column(1).ValueStr(0); got != want {
			t.Errorf("in %q: %s, want %s", zone, got, want)
		}
		if zone != "" && b.Schema().Field(0).Type.String() != "timestamp[us, tz="+zone+"]" {
			t.Errorf("in %q: type %s", zone, b.Schema().Field(0).Type)
		}
	}
	if _, err := e.Stream(context.Background(), Job{SQL: "SELECT 1", TimeZone: "Nowhere/Land'; SELECT 2; --"}); !qerr.Is(err, qerr.User) {
		t.Errorf("a wrong zone: %v", err)
	}
}

// TestStreamWrongColumns gives columns that are not the statement's: it must be an error, as the kernel reads by them.
func TestStreamWrongColumns(t *testing.T) {
	e := openEngine(t, nil)
	for _, types := range [][]table.Type{
		{table.Of(table.Integer)},
		{table.Of(table.Varchar)},
		{table.Of(table.BigInt), table.Of(table.BigInt)},
		{{ID: table.List, Fields: []table.Field{{Type: table.Of(table.BigInt)}}}},
	} {
		columns := make([]table.Column, len(types))
		for i, ty := range types {
			columns[i].Type = ty
		}
		s, err := e.Stream(context.Background(), Job{SQL: "SELECT 1::BIGINT", Columns: columns})
		if err == nil {
			s.Close()
		}
		if !qerr.Is(err, qerr.Internal) {
			t.Errorf("%v: %v", types, err)
		}
	}
}
