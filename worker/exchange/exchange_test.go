package exchange

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var schema = arrow.NewSchema([]arrow.Field{{Name: "c0", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)

func checked(t *testing.T) memory.Allocator {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

func numbers(mem memory.Allocator, values ...int64) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	return b.NewRecordBatch()
}

// open makes a store whose end is checked; configure may be nil.
func open(t *testing.T, cfg Config) *Store {
	t.Helper()
	if cfg.SpillDir == "" {
		cfg.SpillDir = t.TempDir()
	}
	s, err := OpenStore(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if u := s.Usage(); u != (Usage{}) {
			t.Errorf("the store still holds %+v", u)
		}
		if s.dir != nil {
			if left := files(t, s.dir.Path()); len(left) != 0 {
				t.Errorf("files are left: %v", left)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left := files(t, cfg.SpillDir); len(left) != 0 {
			t.Errorf("directories are left: %v", left)
		}
	})
	return s
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// write puts one batch into each partition.
func write(t *testing.T, s *Store, key ids.TaskKey, mem memory.Allocator, bytes int64, spill bool, values ...int64) (*Writer, error) {
	t.Helper()
	w, err := s.Begin(key, schema, len(values), spill)
	if err != nil {
		return nil, err
	}
	for p, v := range values {
		if err := w.Put(p, numbers(mem, v), bytes); err != nil {
			w.Abort()
			return w, err
		}
	}
	return w, nil
}

func put(t *testing.T, s *Store, key ids.TaskKey, mem memory.Allocator, bytes int64, spill bool, values ...int64) Stats {
	t.Helper()
	w, err := write(t, s, key, mem, bytes, spill, values...)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	w.Abort() // nothing any more
	return stats
}

// read reads a reader to its end and closes it.
func read(t *testing.T, r flightx.Reader) ([]int64, error) {
	t.Helper()
	defer func() { _ = r.Close() }()
	var batches []arrow.RecordBatch
	defer func() { releaseAll(batches) }()
	for {
		batch, err := r.Next(context.Background())
		if flightx.AtEnd(err) {
			return values(batches), nil
		}
		if err != nil {
			return nil, err
		}
		batches = append(batches, batch)
	}
}

func values(batches []arrow.RecordBatch) (all []int64) {
	for _, b := range batches {
		all = append(all, b.Column(0).(*array.Int64).Int64Values()...)
	}
	return all
}

func releaseAll(batches []arrow.RecordBatch) {
	for _, b := range batches {
		b.Release()
	}
}

func wantKind(t *testing.T, err error, kind qerr.Kind, texts ...string) {
	t.Helper()
	if err == nil || qerr.KindOf(err) != kind {
		t.Fatalf("error %v, of kind %v; want kind %v", err, qerr.KindOf(err), kind)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Fatalf("error %q; want %q in it", err, text)
		}
	}
}

func task(n int) ids.TaskKey {
	return ids.TaskKey{Query: "q", Task: ids.TaskIndex(n), Attempt: 1}
}

func TestWithoutADiskTheBudgetIsTheEnd(t *testing.T) {
	mem := checked(t)
	s := open(t, Config{BytesMax: 100, QueryBytesMax: 80})
	put(t, s, task(1), mem, 20, false, 1, 2, 3)
	_, err := write(t, s, task(2), mem, 21, false, 1)
	wantKind(t, err, qerr.Resource)
	other := ids.TaskKey{Query: "other"}
	_, err = write(t, s, other, mem, 41, false, 1)
	wantKind(t, err, qerr.Resource)
	put(t, s, other, mem, 40, true, 1) // there is no disk to go to
	if u := s.Usage(); u != (Usage{Outputs: 2, Bytes: 100}) {
		t.Errorf("usage %+v", u)
	}
	w, err := write(t, s, task(1), mem, 0, false, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Commit()
	wantKind(t, err, qerr.Internal)
	for _, key := range []ids.TaskKey{task(1), task(1), other} {
		s.Drop(key)
	}
}

func TestWhatWasTakenOutlivesTheOutput(t *testing.T) {
	for _, spill := range []bool{false, true} {
		mem := checked(t)
		s := open(t, Config{BytesMax: 100, SpillBytesMax: 1 << 20})
		put(t, s, task(1), mem, 1, spill, 10, 11, 12)
		r, err := s.Open(task(1), []uint32{2, 0})
		if err != nil || !r.Schema().Equal(schema) {
			t.Fatal(err)
		}
		s.Drop(task(1))
		if v, err := read(t, r); err != nil || len(v) != 2 || v[0] != 12 || v[1] != 10 {
			t.Errorf("took %v, %v", v, err)
		}
		_, err = s.Open(task(1), []uint32{0})
		wantKind(t, err, qerr.NotFound)
	}
}

func TestNoSuchPartition(t *testing.T) {
	for _, spill := range []bool{false, true} {
		s := open(t, Config{BytesMax: 100, SpillBytesMax: 1 << 20})
		put(t, s, task(1), checked(t), 1, spill, 10)
		for _, p := range []uint32{1, 1 << 31} {
			_, err := s.Open(task(1), []uint32{0, p})
			wantKind(t, err, qerr.User)
		}
		s.Drop(task(1))
	}
}

// failing is a Reader that ends with an error.
type failing struct {
	flightx.Reader
	err error
}

func (f failing) Next(ctx context.Context) (arrow.RecordBatch, error) {
	batch, err := f.Reader.Next(ctx)
	if err != nil {
		err = f.err
	}
	return batch, err
}

func TestFetchKeepsTheProducersOrder(t *testing.T) {
	mem := checked(t)
	s := open(t, Config{BytesMax: 1 << 20})
	sources := make([]Source, 2)
	for i := range sources {
		sources[i] = Source{Name: fmt.Sprintf("exchange_%d", i), Schema: schema}
		for j := range 20 {
			first, second := numbers(mem, int64(100*i+j)), numbers(mem, int64(100*i+j))
			sources[i].Producers = append(sources[i].Producers, Producer{Key: task(j), Open: func(context.Context) (flightx.Reader, error) {
				return flightx.Batches(schema, first, second), nil
			}})
		}
	}
	inputs, err := Fetch(context.Background(), s, Request{Sources: sources})
	if err != nil {
		t.Fatal(err)
	}
	checkOrder(t, inputs)
	if s.Usage().Bytes == 0 {
		t.Error("fetched batches are not counted")
	}
	inputs.Release()
	inputs.Release()
}

// checkOrder wants 20 producers' pairs 100*i + j in both inputs.
func checkOrder(t *testing.T, inputs *Inputs) {
	t.Helper()
	for i, batches := range inputs.Batches {
		got := values(batches)
		if len(got) != 40 {
			t.Fatalf("input %d has %v", i, got)
		}
		for k, v := range got {
			if v != int64(100*i+k/2) {
				t.Fatalf("input %d has %v", i, got)
			}
		}
	}
}

func TestInputsFromTheOwnMemoryCostNothing(t *testing.T) {
	mem := checked(t)
	s := open(t, Config{BytesMax: 10})
	put(t, s, task(1), mem, 10, false, 7)
	inputs, err := Fetch(context.Background(), s, Request{Sources: []Source{{Schema: schema, Producers: []Producer{{Key: task(1),
		Open: func(context.Context) (flightx.Reader, error) { return s.Open(task(1), []uint32{0}) }}}}}})
	if err != nil {
		t.Fatal(err)
	}
	s.Drop(task(1))
	// The input holds it still, and it counts once.
	if u := s.Usage(); u != (Usage{Bytes: 10}) || values(inputs.Batches[0])[0] != 7 {
		t.Errorf("usage %+v", u)
	}
	inputs.Release()
}

func TestFetchFails(t *testing.T) {
	for name, c := range map[string]struct {
		bytesMax int64
		open     func(mem memory.Allocator) (flightx.Reader, error)
		kind     qerr.Kind
	}{
		"at opening": {1 << 20, func(memory.Allocator) (flightx.Reader, error) {
			return nil, qerr.New(qerr.Unavailable, "gone")
		}, qerr.FetchFailed},
		"midway": {1 << 20, func(mem memory.Allocator) (flightx.Reader, error) {
			return failing{flightx.Batches(schema, numbers(mem, 1)), qerr.New(qerr.Unavailable, "gone")}, nil
		}, qerr.FetchFailed},
		"a panic": {1 << 20, func(memory.Allocator) (flightx.Reader, error) { panic("a bug") }, qerr.Internal}, //nolint:forbidigo // what the recover is for
		"over budget": {2000, func(mem memory.Allocator) (flightx.Reader, error) {
			return flightx.Batches(schema, numbers(mem, 1), numbers(mem, 2), numbers(mem, make([]int64, 1000)...)), nil
		}, qerr.Resource},
		"other columns": {1 << 20, func(memory.Allocator) (flightx.Reader, error) {
			return flightx.Batches(arrow.NewSchema([]arrow.Field{{Name: "c0", Type: arrow.BinaryTypes.String}}, nil)), nil
		}, qerr.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			mem := checked(t)
			s := open(t, Config{BytesMax: c.bytesMax})
			put(t, s, task(1), mem, 1, false, 1)
			defer s.Drop(task(1))
			_, err := Fetch(context.Background(), s, Request{Sources: []Source{{Name: "exchange_0", Schema: schema, Producers: []Producer{
				{Key: task(1), Worker: "w1", Open: func(context.Context) (flightx.Reader, error) { return s.Open(task(1), []uint32{0}) }},
				{Key: task(2), Worker: "w2", Open: func(context.Context) (flightx.Reader, error) { return c.open(mem) }},
			}}}})
			wantKind(t, err, c.kind)
			var e *qerr.Error
			if c.kind == qerr.FetchFailed && (!errors.As(err, &e) || e.Producer != task(2) || e.Worker != "w2") {
				t.Errorf("the error does not name the producer: %#v", err)
			}
			if bytes := s.Usage().Bytes; bytes != 1 {
				t.Errorf("%d bytes are still booked", bytes)
			}
		})
	}
}

func TestAnEndedContextIsNoFetchFailure(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	_, err := Fetch(ctx, open(t, Config{BytesMax: 1}), Request{Sources: []Source{{Schema: schema, Producers: []Producer{{Open: func(ctx context.Context) (flightx.Reader, error) {
		cancel(qerr.New(qerr.Deadline, "too late"))
		return nil, ctx.Err()
	}}}}}})
	wantKind(t, err, qerr.Deadline)
}
