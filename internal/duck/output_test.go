package duck

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func partition(t testing.TB, e *Engine, sql string, partitions int) *Output {
	t.Helper()
	o, err := e.Partition(context.Background(), Job{SQL: sql}, partitions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Release)
	return o
}

func TestPartitionScatters(t *testing.T) {
	e := openEngine(t, nil)
	const rows, partitions = 500_000, 7
	for _, ty := range []string{"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"} {
		o := partition(t, e, fmt.Sprintf("SELECT i, (i %% %d)::%s FROM range(%d) t(i)", partitions, ty, rows), partitions)
		var sum, n int64
		for p := range partitions {
			var here int64
			for _, b := range o.Batches(p) {
				here += b.NumRows()
				for _, v := range b.Column(0).(*array.Int64).Int64Values() {
					sum += v
					if v%partitions != int64(p) {
						t.Fatalf("%s: %d is in partition %d", ty, v, p)
					}
				}
			}
			if here != o.Rows(p) || o.Bytes(p) != here*8 {
				t.Errorf("%s: partition %d has %d rows, %d bytes; %d rows counted", ty, p, o.Rows(p), o.Bytes(p), here)
			}
			n += here
		}
		if n != rows || sum != rows*(rows-1)/2 {
			t.Errorf("%s: %d rows with sum %d", ty, n, sum)
		}
		o.Release()
	}
}

func TestPartitionNumbers(t *testing.T) {
	e := openEngine(t, nil)
	o := partition(t, e, "SELECT i, CASE WHEN i % 2 = 0 THEN 3 END FROM range(100) t(i)", 4)
	if o.Rows(0) != 50 || o.Rows(3) != 50 {
		t.Errorf("NULL is not partition 0: %d and %d rows", o.Rows(0), o.Rows(3))
	}
	for _, number := range []string{"4", "-1", "255::UTINYINT", "18446744073709551615::UBIGINT", "'-170141183460469231731687303715884105728'::HUGEINT"} {
		_, err := e.Partition(context.Background(), Job{SQL: "SELECT i, " + number + " FROM range(10) t(i)"}, 4)
		if !qerr.Is(err, qerr.Internal) {
			t.Errorf("partition %s of 4: %v", number, err)
		}
	}
	for _, number := range []string{"'1'", "1.0::DOUBLE", "[1]"} {
		if _, err := e.Partition(context.Background(), Job{SQL: "SELECT 1, " + number}, 4); !qerr.Is(err, qerr.Internal) {
			t.Errorf("partition %s: %v", number, err)
		}
	}
	for _, n := range []int{0, -1, partitionsMax + 1} {
		if _, err := e.Partition(context.Background(), Job{SQL: "SELECT 1, 0"}, n); !qerr.Is(err, qerr.Internal) {
			t.Errorf("%d partitions: %v", n, err)
		}
	}
}

func TestPartitionOneAndNone(t *testing.T) {
	e := openEngine(t, nil)
	o := partition(t, e, "SELECT i, i::VARCHAR AS s FROM range(200000) t(i) -- with a comment at the end", 1)
	if o.Partitions() != 1 || o.Rows(0) != 200_000 {
		t.Errorf("%d partitions, %d rows", o.Partitions(), o.Rows(0))
	}
	for _, b := range o.Batches(0) {
		if b.NumRows() > 70_000 {
			t.Errorf("a batch has %d rows", b.NumRows())
		}
	}
	for _, partitions := range []int{1, 5} {
		empty := partition(t, e, "SELECT i, 0 FROM range(10) t(i) WHERE i > 10", partitions)
		for p := range partitions {
			if empty.Rows(p) != 0 || empty.Bytes(p) != 0 || len(empty.Batches(p)) != 0 {
				t.Errorf("partition %d of nothing is not empty", p)
			}
		}
	}
}

func TestPartitionBudget(t *testing.T) {
	e := openEngine(t, nil)
	_, err := e.Partition(context.Background(), Job{SQL: "SELECT i, i::VARCHAR || repeat('x', 100), i % 4 FROM range(1000000) t(i)", BytesMax: 10 << 20}, 4)
	if !qerr.Is(err, qerr.Resource) {
		t.Errorf("over the budget: %v", err)
	}
	o, err := e.Partition(context.Background(), Job{SQL: "SELECT i, i % 4 FROM range(100000) t(i)", BytesMax: 10 << 20}, 4)
	if err != nil {
		t.Fatal("within the budget:", err)
	}
	o.Release()
}

func TestPartitionCancel(t *testing.T) {
	e := openEngine(t, nil)
	for _, sql := range []string{
		"SELECT i, j, 0 FROM range(10000000) a(i), range(10000000) b(j) WHERE (i * j) % 1000003 = 1000004",
		"SELECT i, j, i % 16 FROM range(10000000) a(i), range(10000000) b(j) WHERE (i * j) % 1003 = 4",
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		_, err := e.Partition(ctx, Job{SQL: sql}, 16)
		cancel()
		if !qerr.Is(err, qerr.Deadline) {
			t.Errorf("%v, want kind DEADLINE", err)
		}
	}
}

func TestPartitionErrors(t *testing.T) {
	e := openEngine(t, nil)
	for sql, kind := range map[string]qerr.Kind{
		"SELECT CASE WHEN i = 200000 THEN 'x' ELSE '1' END::INTEGER, i % 4 FROM range(400000) t(i)": qerr.User,
		"SELECT nothing, 0": qerr.User,
		"SELEC 1, 0":        qerr.User,
		"SELECT 1, 0) TO '/tmp/x' (FORMAT csv); COPY (SELECT 1, 0": qerr.User,
		"SELECT 1, 0; SELECT 2, 0":                                 qerr.User,
		"SELECT 1, 0 FROM arbalest_input(12345)":                   qerr.User,
	} {
		if _, err := e.Partition(context.Background(), Job{SQL: sql, Columns: []table.Column{{Type: table.Of(table.Integer)}}}, 4); !qerr.Is(err, kind) {
			t.Errorf("%s: %v (kind %v), want kind %v", sql, err, qerr.KindOf(err), kind)
		}
	}
	wrong := []table.Column{{Type: table.Of(table.Varchar)}}
	if _, err := e.Partition(context.Background(), Job{SQL: "SELECT 1, 0", Columns: wrong}, 4); !qerr.Is(err, qerr.Internal) {
		t.Errorf("wrong columns: %v", err)
	}
}

// TestUsageCountsBatches releases outputs, batches and columns in turn.
func TestUsageCountsBatches(t *testing.T) {
	e := openEngine(t, nil)
	o := partition(t, e, "SELECT i, i::VARCHAR AS s, i % 4 FROM range(100000) t(i)", 4)
	u := e.Usage()
	var held, count int64
	for p := range o.Partitions() {
		held += o.Bytes(p)
		count += int64(len(o.Batches(p)))
	}
	if u.Batches != count || u.Bytes < held || u.Bytes > held*9/8+count*1024 || u.Connections != 0 {
		t.Errorf("usage is %+v for %d batches of %d bytes", u, count, held)
	}
	kept := o.Batches(1)[0]
	kept.Retain()
	o.Release()
	o.Release()
	if u := e.Usage(); u.Batches != 1 || u.Bytes == 0 {
		t.Errorf("usage is %+v with one batch kept", u)
	}
	column := kept.Column(1)
	column.Retain()
	kept.Release()
	if u := e.Usage(); u.Batches != 1 || u.Bytes == 0 {
		t.Errorf("usage is %+v with one column kept", u)
	}
	column.Release()
}

// TestBatchesOutliveEngine reads a batch whose engine is closed.
func TestBatchesOutliveEngine(t *testing.T) {
	e, err := Open(Config{Threads: 1, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	o, err := e.Partition(context.Background(), Job{SQL: "SELECT 'a text of some length' AS s"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if s := o.Batches(0)[0].Column(0).ValueStr(0); s != "a text of some length" {
		t.Error(s)
	}
	o.Release()
	if _, err := e.Stream(context.Background(), Job{SQL: "SELECT 1"}); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("a closed engine: %v", err)
	}
	if _, err := e.AddInput([]table.Type{table.Of(table.Integer)}, nil); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("a closed engine: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error("closing twice:", err)
	}
}

func TestJobsOneAfterAnother(t *testing.T) {
	e := openEngine(t, nil)
	for i := range 100 {
		o := partition(t, e, fmt.Sprintf("SELECT i, i::VARCHAR || ' %d' AS s, [i] AS l, i %% 4 FROM range(3000) t(i)", i), 4)
		in, err := e.AddInput(typesOf(describe(t, e, "SELECT 1::BIGINT, '', [1::BIGINT]")), o.Batches(i%4))
		if err != nil {
			t.Fatal(err)
		}
		if n := number(t, e, "SELECT count(*) FROM ("+in.SQL()+") WHERE c0 % 4 = c2[1] % 4"); n != 750 {
			t.Fatalf("job %d: %d rows", i, n)
		}
		in.Remove()
		o.Release()
		checkIdle(t, e)
	}
}

func TestJobsAtOnce(t *testing.T) {
	e := openEngine(t, nil)
	var jobs sync.WaitGroup
	for j := range 8 {
		jobs.Go(func() {
			for range 5 {
				if err := roundTrip(e, j); err != nil {
					t.Error(err)
				}
			}
		})
	}
	jobs.Wait()
}

// roundTrip partitions, reads back, joins with itself, and checks the sum.
func roundTrip(e *Engine, seed int) error {
	ctx := context.Background()
	o, err := e.Partition(ctx, Job{SQL: fmt.Sprintf("SELECT i + %d AS c0, (i + %d)::VARCHAR || ' and more' AS c1, i %% 4 FROM range(20000) t(i)", seed, seed)}, 4)
	if err != nil {
		return err
	}
	defer o.Release()
	var all []arrow.RecordBatch
	for p := range 4 {
		all = append(all, o.Batches(p)...)
	}
	in, err := e.AddInput([]table.Type{table.Of(table.BigInt), table.Of(table.Varchar)}, all)
	if err != nil {
		return err
	}
	defer in.Remove()
	s, err := e.Stream(ctx, Job{SQL: fmt.Sprintf("SELECT sum(a.c0)::BIGINT FROM (%[1]s) a JOIN (%[1]s) b USING (c1)", in.SQL())})
	if err != nil {
		return err
	}
	defer s.Close()
	b, err := s.Next(ctx)
	if err != nil {
		return err
	}
	defer b.Release()
	if got, want := b.Column(0).(*array.Int64).Value(0), int64(19999*10000+20000*seed); got != want {
		return fmt.Errorf("job %d: sum is %d, want %d", seed, got, want)
	}
	return nil
}

// TestOutputSchema compares the batches' schema with the wire schema.
func TestOutputSchema(t *testing.T) {
	e := openEngine(t, nil)
	sql := "SELECT 1 AS a, 'x' AS a, [{'b': 1.5}] AS c, 0"
	o := partition(t, e, sql, 2)
	columns := describe(t, e, sql)
	if want := arrowtype.WireSchema(typesOf(columns[:3])); !o.Batches(0)[0].Schema().Equal(want) {
		t.Errorf("schema is %s, want %s", o.Batches(0)[0].Schema(), want)
	}
}
