package duck

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// goBatch makes a batch of (BIGINT, VARCHAR) on the Go heap.
func goBatch(t testing.TB, mem memory.Allocator, from, to int) arrow.RecordBatch {
	t.Helper()
	b := array.NewRecordBuilder(mem, arrowtype.WireSchema(inputTypes))
	defer b.Release()
	for i := from; i < to; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("%d and some text", i))
	}
	rec := b.NewRecordBatch()
	t.Cleanup(rec.Release)
	return rec
}

var inputTypes = []table.Type{table.Of(table.BigInt), table.Of(table.Varchar)}

func addInput(t testing.TB, e *Engine, types []table.Type, batches ...arrow.RecordBatch) *Input {
	t.Helper()
	in, err := e.AddInput(types, batches)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Remove)
	return in
}

func TestInputIsATable(t *testing.T) {
	e := openEngine(t, nil)
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	t.Run("", func(t *testing.T) {
		var batches []arrow.RecordBatch
		rows := 0
		for _, n := range []int{0, 1, 5, 100_000, 0, 3000, 2047, 2049, 70_000, 0} { // small ones, large ones, empty ones
			batches = append(batches, goBatch(t, mem, rows, rows+n))
			rows += n
		}
		in := addInput(t, e, inputTypes, batches...)
		for sql, want := range map[string]int64{
			"SELECT count(*) FROM (%[1]s)":                                                                                                int64(rows),
			"SELECT sum(c0)::BIGINT FROM (%[1]s)":                                                                                         int64(rows) * int64(rows-1) / 2,
			"SELECT count(DISTINCT c1) FROM (%[1]s)":                                                                                      int64(rows),
			"SELECT count(*) FROM (%[1]s) WHERE c1 = c0 || ' and some text'":                                                              int64(rows),
			"SELECT count(*) FROM (%[1]s) a JOIN (%[1]s) b ON a.c0 = b.c0 AND a.c1 = b.c1":                                                int64(rows),
			"SELECT count(*) FROM (%[1]s) a JOIN (%[1]s) b ON a.c0 = b.c0 + 1":                                                            int64(rows - 1),
			"WITH x AS NOT MATERIALIZED (%[1]s) SELECT count(*) FROM x, (SELECT max(c0) AS m FROM x) WHERE x.c0 <= m":                     int64(rows),
			"SELECT count(*) FROM (SELECT c0 FROM (%[1]s) UNION ALL SELECT c0 FROM (%[1]s))":                                              int64(2 * rows),
			"SELECT max(len(c1)) FROM (%[1]s) WHERE c0 = 99999":                                                                           int64(len("99999 and some text")),
			"SELECT estimated_cardinality FROM (SELECT 177102::BIGINT AS estimated_cardinality) WHERE 0 < (SELECT count(*) FROM (%[1]s))": 177102,
		} {
			if got := number(t, e, fmt.Sprintf(sql, in.SQL())); got != want {
				t.Errorf("%s: %d, want %d", sql, got, want)
			}
		}
	})
}

func TestInputOfNothing(t *testing.T) {
	e := openEngine(t, nil)
	empty := goBatch(t, memory.DefaultAllocator, 0, 0)
	for name, batches := range map[string][]arrow.RecordBatch{"no batch": nil, "no rows": {empty, empty}} {
		in := addInput(t, e, inputTypes, batches...)
		if n := number(t, e, "SELECT count(*) FROM ("+in.SQL()+")"); n != 0 {
			t.Errorf("%s: %d rows", name, n)
		}
		if n := number(t, e, "SELECT count(*) FROM range(5) t(i) LEFT JOIN ("+in.SQL()+") ON c0 = i WHERE c1 IS NULL"); n != 5 {
			t.Errorf("%s: outer join gives %d rows", name, n)
		}
	}
}

func TestInputUnknown(t *testing.T) {
	e := openEngine(t, nil)
	in := addInput(t, e, inputTypes, goBatch(t, memory.DefaultAllocator, 0, 10))
	sql := in.SQL()
	in.Remove()
	in.Remove()
	for _, sql := range []string{sql, "FROM arbalest_input(0)", "FROM arbalest_input(-1)", "FROM arbalest_input(NULL)"} {
		if err := streamError(t, e, sql); !qerr.Is(err, qerr.User) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	// A COPY's handle is not an input's, nor the other way round.
	live := addInput(t, e, inputTypes)
	if err := streamError(t, e, fmt.Sprintf("COPY (SELECT 1) TO '%s' (FORMAT arbalest_sink, HANDLE %d)", e.sinkDir, live.handle)); err == nil {
		t.Error("an input's handle works as a sink's")
	}
}

func TestInputWrongSchema(t *testing.T) {
	e := openEngine(t, nil)
	batch := goBatch(t, memory.DefaultAllocator, 0, 10)
	for _, types := range [][]table.Type{
		{table.Of(table.BigInt)},
		{table.Of(table.BigInt), table.Of(table.Blob)},
		{table.Of(table.Integer), table.Of(table.Varchar)},
		{table.Of(table.BigInt), table.Of(table.Varchar), table.Of(table.Varchar)},
		{},
	} {
		if _, err := e.AddInput(types, []arrow.RecordBatch{batch}); !qerr.Is(err, qerr.Internal) {
			t.Errorf("%v: %v", types, err)
		}
	}
	if _, err := e.AddInput([]table.Type{table.Of("MYSTERY")}, nil); !qerr.Is(err, qerr.Unsupported) {
		t.Errorf("an unknown type: %v", err)
	}
}

// TestInputRemovedWhileRead removes an input under a running stream: the batches must stay until the stream is closed.
func TestInputRemovedWhileRead(t *testing.T) {
	e := openEngine(t, nil)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	batch := goBatch(t, mem, 0, 400_000)
	in := addInput(t, e, inputTypes, batch)
	s, err := e.Stream(context.Background(), Job{SQL: in.SQL()})
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Release()
	in.Remove()
	if u := e.Usage(); u.Inputs != 1 {
		t.Errorf("%d inputs while a plan reads it", u.Inputs)
	}
	if n := first.NumRows() + rowsOf(readAll(t, s)); n != 400_000 {
		t.Errorf("%d rows", n)
	}
	if u := e.Usage(); u.Inputs != 0 {
		t.Errorf("%d inputs after the stream", u.Inputs)
	}
}

// TestInputNullStruct reads members of a NULL struct and array whose own values are not NULL in Arrow.
func TestInputNullStruct(t *testing.T) {
	e := openEngine(t, nil)
	types := []table.Type{{ID: table.Struct, Fields: []table.Field{{Name: "a", Type: table.Of(table.BigInt)}}},
		{ID: table.Array, Size: 2, Fields: []table.Field{{Type: table.Of(table.BigInt)}}}}
	numbers := array.NewInt64Builder(memory.DefaultAllocator)
	defer numbers.Release()
	numbers.AppendValues([]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, nil)
	all := numbers.NewInt64Array()
	defer all.Release()
	ten := array.NewSlice(all, 0, 10)
	defer ten.Release()
	everyOther := memory.NewBufferBytes([]byte{0b01010101, 0b01})
	schema := arrowtype.WireSchema(types)
	columns := make([]arrow.Array, 2)
	for i, child := range []arrow.Array{ten, all} {
		data := array.NewData(schema.Field(i).Type, 10, []*memory.Buffer{everyOther}, []arrow.ArrayData{child.Data()}, 5, 0)
		defer data.Release()
		columns[i] = array.MakeFromData(data)
		defer columns[i].Release()
	}
	batch := array.NewRecordBatch(schema, columns, 10)
	defer batch.Release()
	in := addInput(t, e, types, batch)
	for _, expression := range []string{"c0", "c0.a", "c1", "c1[1]", "c1[2]"} {
		if n := number(t, e, "SELECT count("+expression+") FROM ("+in.SQL()+")"); n != 5 {
			t.Errorf("%s has %d values, want 5", expression, n)
		}
	}
}
