package exchange

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/internal/flightx"
)

// TestInputsOverBudgetAreMapped fetches more than fits, with slices, NULLs and nested columns among them.
func TestInputsOverBudgetAreMapped(t *testing.T) {
	mem := checked(t)
	nested := arrow.NewSchema([]arrow.Field{{Name: "c0", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "c1", Type: arrow.ListOf(arrow.StructOf(arrow.Field{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
			arrow.Field{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true})), Nullable: true}}, nil)
	random := rand.New(rand.NewPCG(1, 2))
	batch := func() arrow.RecordBatch {
		b := array.NewRecordBuilder(mem, nested)
		defer b.Release()
		list := b.Field(1).(*array.ListBuilder)
		entry := list.ValueBuilder().(*array.StructBuilder)
		for range 300 {
			if random.IntN(5) == 0 {
				b.Field(0).AppendNull()
				list.AppendNull()
				continue
			}
			b.Field(0).(*array.Int64Builder).Append(random.Int64())
			list.Append(true)
			for range random.IntN(4) {
				entry.Append(true)
				entry.FieldBuilder(0).(*array.StringBuilder).Append(strings.Repeat("x", random.IntN(40)))
				entry.FieldBuilder(1).(*array.BooleanBuilder).Append(random.IntN(2) == 0)
			}
		}
		whole := b.NewRecordBatch()
		defer whole.Release()
		return whole.NewSlice(17, 250)
	}
	var batches []arrow.RecordBatch
	for range 10 {
		batches = append(batches, batch())
	}
	batches = append(batches, batches[0].NewSlice(0, 0))
	defer releaseAll(batches)
	for name, request := range map[string]Request{"over budget": {}, "always": {Spill: true}} {
		limit := int64(40_000)
		if request.Spill {
			limit = 1 << 30
		}
		s := open(t, Config{BytesMax: limit, SpillBytesMax: 1 << 20})
		request.Query = "q"
		request.Sources = []Source{{Schema: nested, Producers: []Producer{{Open: func(context.Context) (flightx.Reader, error) {
			for _, b := range batches {
				b.Retain()
			}
			return flightx.Batches(nested, slices.Clone(batches)...), nil
		}}}}}
		inputs, err := Fetch(context.Background(), s, request)
		if err != nil {
			t.Fatal(name, err)
		}
		u := s.Usage()
		if u.SpillFiles != 1 || u.SpillBytes == 0 || u.SpillBytes != inputs.SpillBytes || u.Bytes > limit || request.Spill != (u.Bytes == 0) {
			t.Errorf("%s: usage %+v", name, u)
		}
		if left := files(t, s.dir.Path()); len(left) != 0 {
			t.Errorf("%s: the files have names: %v", name, left)
		}
		for i, b := range batches {
			if !array.RecordEqual(b, inputs.Batches[0][i]) {
				t.Fatalf("%s: batch %d differs", name, i)
			}
		}
		// The mapping stays as long as somebody has a batch of it.
		last := inputs.Batches[0][9]
		last.Retain()
		inputs.Release()
		if u := s.Usage(); u.SpillFiles != 1 || !array.RecordEqual(batches[9], last) {
			t.Errorf("%s: usage %+v", name, u)
		}
		last.Release()
	}
}

func TestManyProducersOverBudgetKeepTheirOrder(t *testing.T) {
	mem := memory.NewGoAllocator()
	s := open(t, Config{BytesMax: 20_000, SpillBytesMax: 1 << 20})
	sources := make([]Source, 2)
	for i := range sources {
		sources[i] = Source{Schema: schema}
		for j := range 20 {
			first, second := numbers(mem, int64(100*i+j)), numbers(mem, int64(100*i+j))
			sources[i].Producers = append(sources[i].Producers, Producer{Key: task(j), Open: func(context.Context) (flightx.Reader, error) {
				return flightx.Batches(schema, first, second), nil
			}})
		}
	}
	inputs, err := Fetch(context.Background(), s, Request{Query: "q", Sources: sources})
	if err != nil {
		t.Fatal(err)
	}
	if u := s.Usage(); u.SpillBytes == 0 || u.Bytes == 0 {
		t.Errorf("usage %+v", u)
	}
	checkOrder(t, inputs)
	inputs.Release()
}
