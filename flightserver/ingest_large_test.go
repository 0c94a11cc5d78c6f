package flightserver

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
)

// produced is a reader of batches of one integer column, made one at a time; before is called with the number of the next.
type produced struct {
	array.RecordReader // of no batch, for the schema
	rows, batches      int
	text               string // in each row
	before             func(batch int)
	next               int
	now                arrow.RecordBatch
}

var producedSchema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.BinaryTypes.String}}, nil)

func newProduced(t testing.TB, rows, batches int, before func(batch int)) *produced {
	t.Helper()
	none, err := array.NewRecordReader(producedSchema, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(none.Release)
	const text = "a text of some length, so that rows have a usual size: a hundred bytes, or some more than that"
	return &produced{RecordReader: none, rows: rows, batches: batches, text: text, before: before}
}

func (p *produced) Next() bool {
	if p.now != nil {
		p.now.Release()
		p.now = nil
	}
	if p.next == p.batches {
		return false
	}
	p.before(p.next)
	b := array.NewRecordBuilder(memory.DefaultAllocator, producedSchema)
	defer b.Release()
	for i := range p.rows {
		b.Field(0).(*array.Int64Builder).Append(int64(p.next*p.rows + i))
		b.Field(1).(*array.StringBuilder).Append(p.text)
	}
	p.next++
	p.now = b.NewRecordBatch()
	return true
}

func (p *produced) RecordBatch() arrow.RecordBatch { return p.now }
func (p *produced) Record() arrow.RecordBatch      { return p.now }

// A million rows go through, and at no time are more than some of them in memory: those on their way, in messages and copies of them.
func TestIngestMillionRows(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the sessions are closed
	w := newWriter(t, r)
	live := func() uint64 {
		runtime.GC()
		runtime.GC() // what pools hold goes with the second one
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	base, most := live(), uint64(0)
	const rows, batches, rowBytes = 20_000, 50, 3*94 + 12
	const heapMax = 264 << 20 // of 294 MB in all: what is on its way is there several times, at client, coordinator and worker
	reader := newProduced(t, rows, batches, func(batch int) {
		if batch%5 == 4 {
			most = max(most, live())
		}
	})
	reader.text = strings.Repeat(reader.text, 3)
	n, err := w.ExecuteIngest(testContext(t), reader, ingestOptions(true, "create", "million"))
	if err != nil || n != rows*batches {
		t.Fatal(n, err)
	}
	w.see("SELECT count(*), count(DISTINCT n), min(n), max(n), min(length(s)), max(length(s)) FROM million", "1000000,1000000,0,999999,282,282")
	left := live()
	t.Logf("the heap was %d bytes before, %d at most and %d after", base, most, left)
	if most > base+heapMax || left > base+rows*batches*rowBytes/2 {
		t.Error("that is too much")
	}
}

// A worker that dies in the midst takes rows with it that it has kept: the ingest fails as one to be sent again, and leaves nothing.
func TestIngestLosesWorker(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the sessions are closed
	w := newWriter(t, r)
	var killed atomic.Bool
	reader := newProduced(t, 50_000, 12, func(batch int) { // of 5 MB
		if batch != 8 {
			return
		}
		victim := r.cluster.Workers[1]
		eventually(t, "the worker keeps rows", func() bool { return victim.Worker.Usage().Kept > 0 && victim.Worker.Usage().Running == 0 })
		victim.Kill()
		killed.Store(true)
	})
	_, err := w.ExecuteIngest(testContext(t), reader, ingestOptions(true, "create", "half"))
	wantCode(t, err, codes.Unavailable)
	if !killed.Load() {
		t.Error("nobody was killed")
	}
	w.refuse("SELECT count(*) FROM half", codes.NotFound, "half")
	ingest(t, w.Client, true, "create", "half", integersBatch(t, 1, 2))
	w.see("SELECT count(*) FROM half", "2")
}
