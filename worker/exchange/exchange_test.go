package exchange

import (
	"context"
	"errors"
	"fmt"
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

// output is an Output with one batch a partition.
type output struct {
	batches  []arrow.RecordBatch
	bytes    int64
	released bool
}

func newOutput(mem memory.Allocator, bytes int64, values ...int64) *output {
	o := &output{bytes: bytes}
	for _, v := range values {
		o.batches = append(o.batches, numbers(mem, v))
	}
	return o
}

func (o *output) Partitions() int                   { return len(o.batches) }
func (o *output) Batches(p int) []arrow.RecordBatch { return o.batches[p : p+1] }
func (o *output) Rows(int) int64                    { return 1 }
func (o *output) Bytes(int) int64                   { return o.bytes }
func (o *output) Release() {
	for _, b := range o.batches {
		b.Release()
	}
	o.released = true
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

func wantKind(t *testing.T, err error, kind qerr.Kind) {
	t.Helper()
	if err == nil || qerr.KindOf(err) != kind {
		t.Fatalf("error %v, of kind %v; want kind %v", err, qerr.KindOf(err), kind)
	}
}

func task(n int) ids.TaskKey {
	return ids.TaskKey{Query: "q", Task: ids.TaskIndex(n), Attempt: 1}
}

func TestStoreKeepsToItsBudget(t *testing.T) {
	mem := checked(t)
	s := NewStore(100)
	if err := s.Put(task(1), schema, newOutput(mem, 20, 1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	tooMuch := newOutput(mem, 41, 1)
	wantKind(t, s.Put(task(2), schema, tooMuch), qerr.Resource)
	if !tooMuch.released {
		t.Error("an output that was refused was not freed")
	}
	wantKind(t, s.Put(task(1), schema, newOutput(mem, 1, 1)), qerr.Internal)
	wantKind(t, s.Reserve(41), qerr.Resource)
	if err := s.Reserve(40); err != nil {
		t.Fatal(err)
	}
	if n, bytes := s.Usage(); n != 1 || bytes != 100 || s.Free() != 0 {
		t.Errorf("%d outputs, %d bytes, %d free", n, bytes, s.Free())
	}
	s.Unreserve(40)
	s.Drop(task(1))
	s.Drop(task(1))
	if n, bytes := s.Usage(); n != 0 || bytes != 0 {
		t.Errorf("%d outputs, %d bytes", n, bytes)
	}
}

func TestWhatWasTakenOutlivesTheOutput(t *testing.T) {
	mem := checked(t)
	s := NewStore(100)
	if err := s.Put(task(1), schema, newOutput(mem, 1, 10, 11, 12)); err != nil {
		t.Fatal(err)
	}
	got, batches, err := s.Take(task(1), []uint32{2, 0})
	if err != nil || !got.Equal(schema) {
		t.Fatal(got, err)
	}
	s.Drop(task(1))
	if v := values(batches); len(v) != 2 || v[0] != 12 || v[1] != 10 {
		t.Errorf("took %v", v)
	}
	releaseAll(batches)
	_, _, err = s.Take(task(1), []uint32{0})
	wantKind(t, err, qerr.NotFound)
}

func TestTakeOfNoSuchPartition(t *testing.T) {
	s := NewStore(100)
	if err := s.Put(task(1), schema, newOutput(checked(t), 1, 10)); err != nil {
		t.Fatal(err)
	}
	defer s.Drop(task(1))
	for _, p := range []uint32{1, 1 << 31} {
		_, _, err := s.Take(task(1), []uint32{0, p})
		wantKind(t, err, qerr.User)
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
	s := NewStore(1 << 20)
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
	inputs, err := Fetch(context.Background(), s, sources)
	if err != nil {
		t.Fatal(err)
	}
	for i, input := range inputs {
		got := values(input.Batches)
		if len(got) != 40 {
			t.Fatalf("input %d has %v", i, got)
		}
		for k, v := range got {
			if v != int64(100*i+k/2) {
				t.Fatalf("input %d has %v", i, got)
			}
		}
	}
	if _, bytes := s.Usage(); bytes == 0 {
		t.Error("fetched batches are not counted")
	}
	for _, input := range inputs {
		input.Release()
		input.Release()
	}
	if _, bytes := s.Usage(); bytes != 0 {
		t.Errorf("%d bytes are still reserved", bytes)
	}
}

func TestSharedInputsCostNothing(t *testing.T) {
	mem := checked(t)
	s := NewStore(10)
	batch := numbers(mem, 1)
	inputs, err := Fetch(context.Background(), s, []Source{{Schema: schema, Producers: []Producer{{Shared: true,
		Open: func(context.Context) (flightx.Reader, error) { return flightx.Batches(schema, batch), nil }}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, bytes := s.Usage(); bytes != 0 {
		t.Errorf("%d bytes are reserved", bytes)
	}
	inputs[0].Release()
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
			s := NewStore(c.bytesMax)
			good := numbers(mem, 1)
			_, err := Fetch(context.Background(), s, []Source{{Name: "exchange_0", Schema: schema, Producers: []Producer{
				{Key: task(1), Worker: "w1", Shared: true, Open: func(context.Context) (flightx.Reader, error) { return flightx.Batches(schema, good), nil }},
				{Key: task(2), Worker: "w2", Open: func(context.Context) (flightx.Reader, error) { return c.open(mem) }},
			}}})
			wantKind(t, err, c.kind)
			var e *qerr.Error
			if c.kind == qerr.FetchFailed && (!errors.As(err, &e) || e.Producer != task(2) || e.Worker != "w2") {
				t.Errorf("the error does not name the producer: %#v", err)
			}
			if _, bytes := s.Usage(); bytes != 0 {
				t.Errorf("%d bytes are still reserved", bytes)
			}
		})
	}
}

func TestAnEndedContextIsNoFetchFailure(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	_, err := Fetch(ctx, NewStore(1), []Source{{Schema: schema, Producers: []Producer{{Open: func(ctx context.Context) (flightx.Reader, error) {
		cancel(qerr.New(qerr.Deadline, "too late"))
		return nil, ctx.Err()
	}}}}})
	wantKind(t, err, qerr.Deadline)
}
