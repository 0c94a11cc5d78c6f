package flightx

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// messages is a Stream that keeps what is sent.
type messages struct {
	sent []*flight.FlightData
	fail error
}

func (m *messages) Send(d *flight.FlightData) error {
	if m.fail != nil {
		return m.fail
	}
	m.sent = append(m.sent, d)
	return nil
}

func (m *messages) Recv() (*flight.FlightData, error) {
	if len(m.sent) == 0 {
		return nil, io.EOF
	}
	next := m.sent[0]
	m.sent = m.sent[1:]
	return next, nil
}

// decode reads sent messages back as one table of rows.
func decode(t *testing.T, m *messages) []arrow.RecordBatch {
	t.Helper()
	r, err := flight.NewRecordReader(m)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var batches []arrow.RecordBatch
	for r.Next() {
		batch := r.RecordBatch()
		batch.Retain()
		batches = append(batches, batch)
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return batches
}

// sameRows compares the rows of batches with those of one.
func sameRows(t *testing.T, want arrow.RecordBatch, got []arrow.RecordBatch) {
	t.Helper()
	at := int64(0)
	for _, batch := range got {
		slice := want.NewSlice(at, at+batch.NumRows())
		if !array.RecordEqual(slice, batch) {
			t.Errorf("rows %d to %d differ", at, at+batch.NumRows())
		}
		slice.Release()
		at += batch.NumRows()
	}
	if at != want.NumRows() {
		t.Errorf("%d rows came; want %d", at, want.NumRows())
	}
}

func TestSendSlicesToTheLimit(t *testing.T) {
	mem := checked(t)
	for _, maxBytes := range []int{2 << 10, 5000, 20 << 10, 100 << 10, 10 << 20} {
		batch := sample(mem, 3000)
		middle := batch.NewSlice(17, 2900) // offsets that are not zero
		batch.Retain()
		var m messages
		r := Batches(batch.Schema(), batch, middle)
		if err := Send(context.Background(), &m, r, maxBytes); err != nil {
			t.Fatal(err)
		}
		largest := 0
		for _, d := range m.sent[1:] {
			largest = max(largest, proto.Size(d))
		}
		if largest > maxBytes && maxBytes > 4<<10 { // below, the headers of nine columns alone come near the limit
			t.Errorf("limit %d: a message has %d bytes", maxBytes, largest)
		}
		if n := len(m.sent); maxBytes == 10<<20 && n != 3 {
			t.Errorf("limit %d: %d messages; want the schema and two batches", maxBytes, n)
		}
		got := decode(t, &m)
		first, second := splitAt(got, batch.NumRows())
		sameRows(t, batch, first)
		check := batch.NewSlice(17, 2900)
		sameRows(t, check, second)
		check.Release()
		release(got)
		batch.Release()
	}
}

// splitAt cuts batches after rows; a batch never spans the place, as every batch sent starts its own messages.
func splitAt(batches []arrow.RecordBatch, rows int64) (a, b []arrow.RecordBatch) {
	for i, at := 0, int64(0); i < len(batches); i++ {
		if at == rows {
			return batches[:i], batches[i:]
		}
		at += batches[i].NumRows()
	}
	return batches, nil
}

func TestSliceSizesAreNotWasteful(t *testing.T) {
	mem := checked(t)
	batch := sample(mem, 20000)
	defer batch.Release()
	var m messages
	batch.Retain()
	if err := Send(context.Background(), &m, Batches(batch.Schema(), batch), 100<<10); err != nil {
		t.Fatal(err)
	}
	for i, d := range m.sent[1 : len(m.sent)-1] {
		if size := proto.Size(d); size < 70<<10 {
			t.Errorf("message %d has %d bytes, with a limit of %d", i, size, 100<<10)
		}
	}
	release(decode(t, &m))
}

func TestARowLargerThanTheLimitGoesAlone(t *testing.T) {
	mem := checked(t)
	b := array.NewRecordBuilder(mem, arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.String}}, nil))
	defer b.Release()
	for i := range 10 {
		size := 10
		if i == 4 || i == 5 {
			size = 50_000
		}
		b.Field(0).(*array.StringBuilder).Append(strings.Repeat("x", size))
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	var m messages
	batch.Retain()
	if err := Send(context.Background(), &m, Batches(batch.Schema(), batch), 10_000); err != nil {
		t.Fatal(err)
	}
	got := decode(t, &m)
	defer release(got)
	sameRows(t, batch, got)
	var rows []int64
	for _, g := range got {
		rows = append(rows, g.NumRows())
	}
	if len(rows) != 4 || rows[1] != 1 || rows[2] != 1 {
		t.Errorf("messages of %v rows; want 4, 1, 1, 4", rows)
	}
}

// tracked is a Reader that says what happened to it.
type tracked struct {
	Reader
	deferred bool
	events   []string
	fail     error
}

func (r *tracked) SchemaDeferred() bool { return r.deferred }
func (r *tracked) SchemaSent()          { r.events = append(r.events, "schema sent") }
func (r *tracked) Next(ctx context.Context) (arrow.RecordBatch, error) {
	batch, err := r.Reader.Next(ctx)
	if AtEnd(err) && r.fail != nil {
		err = r.fail
	}
	r.events = append(r.events, "next")
	return batch, err
}

func TestWhenTheSchemaGoesOut(t *testing.T) {
	mem := checked(t)
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	for name, c := range map[string]struct {
		deferred bool
		batches  int
		fail     error
		want     string
		messages int
	}{
		"at once":                  {false, 1, nil, "schema sent,next,next", 2},
		"deferred":                 {true, 1, nil, "next,schema sent,next", 2},
		"deferred without a batch": {true, 0, nil, "next,schema sent", 1},
		"deferred and failed":      {true, 0, errors.New("no"), "next", 0},
		"at once and failed":       {false, 0, errors.New("no"), "schema sent,next", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var batches []arrow.RecordBatch
			for range c.batches {
				b := array.NewRecordBuilder(mem, schema)
				b.Field(0).(*array.Int64Builder).Append(1)
				batches = append(batches, b.NewRecordBatch())
				b.Release()
			}
			r := &tracked{Reader: Batches(schema, batches...), deferred: c.deferred, fail: c.fail}
			var m messages
			err := Send(context.Background(), &m, r, MessageBytesMax)
			if (err != nil) != (c.fail != nil) {
				t.Fatal(err)
			}
			if got := strings.Join(r.events, ","); got != c.want || len(m.sent) != c.messages {
				t.Errorf("%s, %d messages; want %s, %d", got, len(m.sent), c.want, c.messages)
			}
		})
	}
}

func TestSendReleasesOnEveryError(t *testing.T) {
	mem := checked(t)
	batch := sample(mem, 100)
	defer batch.Release()
	open := func() Reader {
		batch.Retain()
		batch.Retain()
		return Batches(batch.Schema(), batch, batch)
	}
	r := open()
	wantKind(t, Send(context.Background(), &messages{fail: io.EOF}, r, 1000), qerr.Cancelled)
	_ = r.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(qerr.New(qerr.Deadline, "too late"))
	r = open()
	wantKind(t, Send(ctx, &messages{}, r, 1000), qerr.Deadline)
	_ = r.Close()
	_ = r.Close()
	dictionary := arrow.NewSchema([]arrow.Field{{Name: "d", Type: arrow.ListOf(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8,
		ValueType: arrow.BinaryTypes.String})}}, nil)
	wantKind(t, Send(context.Background(), &messages{}, Batches(dictionary), 1000), qerr.Internal)
}

func wantKind(t *testing.T, err error, kind qerr.Kind) {
	t.Helper()
	if err == nil || qerr.KindOf(err) != kind {
		t.Fatalf("error %v, of kind %v; want kind %v", err, qerr.KindOf(err), kind)
	}
}

func TestBatchBytesBoundsTheMessage(t *testing.T) {
	mem := checked(t)
	for _, rows := range []int{0, 1, 2, 63, 64, 65, 1000} {
		batch := sample(mem, rows)
		var m messages
		batch.Retain()
		if err := Send(context.Background(), &m, Batches(batch.Schema(), batch), 1<<30); err != nil {
			t.Fatal(err)
		}
		if rows > 0 {
			if size := int64(proto.Size(m.sent[1])); size > BatchBytes(batch) {
				t.Errorf("%d rows: estimated %d bytes, the message has %d", rows, BatchBytes(batch), size)
			}
		}
		batch.Release()
	}
}

func BenchmarkSend(b *testing.B) {
	mem := memory.NewGoAllocator()
	batch := sample(mem, 20000)
	defer batch.Release()
	b.SetBytes(BatchBytes(batch))
	b.ReportAllocs()
	for b.Loop() {
		batch.Retain()
		if err := Send(context.Background(), &messages{}, Batches(batch.Schema(), batch), MessageBytesMax); err != nil {
			b.Fatal(err)
		}
	}
}
