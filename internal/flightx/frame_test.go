package flightx

import (
	"bytes"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// TestBatchFrameIsTheMessage compares frames with what protobuf makes of the same batch, for batches of small and large
// buffers and for slices of one, and holds the batch exactly until the last reference to the frame is gone.
func TestBatchFrameIsTheMessage(t *testing.T) {
	alloc := checked(t)
	whole := sample(alloc, 20_000)
	defer whole.Release()
	for _, c := range []struct {
		name     string
		from, to int64
		live     bool // some buffer is large enough not to be copied
	}{{"whole", 0, 20_000, true}, {"slice", 777, 15_001, true}, {"few", 3, 10, false}, {"none", 5, 5, false}} {
		t.Run(c.name, func(t *testing.T) {
			batch := whole.NewSlice(c.from, c.to)
			want, err := copied(batch)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			var live atomic.Int64
			f, err := batchFrame(batch, &live)
			batch.Release()
			if err != nil {
				t.Fatal(err)
			}
			if (live.Load() == 1) != c.live {
				t.Errorf("%d batches are held", live.Load())
			}
			f.buffers.Ref() // as gRPC does
			f.buffers.Free()
			if got := f.buffers.Materialize(); !bytes.Equal(got, encoded) {
				t.Errorf("%d bytes differ from protobuf's %d", len(got), len(encoded))
			}
			var in inbound
			if !in.parse(f.buffers, bodies.get) || !bytes.Equal(in.header, want.DataHeader) || !bytes.Equal(in.body.Bytes(), want.DataBody) {
				t.Error("the frame is not read as it was written")
			}
			in.body.Release()
			f.buffers.Free()
			if live.Load() != 0 {
				t.Error("the batch is still held")
			}
		})
	}
}

// TestForgottenFramesAreCollected drops a frame as gRPC does when its stream has ended.
func TestForgottenFramesAreCollected(t *testing.T) {
	batch := sample(checked(t), 20_000)
	var live atomic.Int64
	func() {
		if _, err := batchFrame(batch, &live); err != nil {
			t.Fatal(err)
		}
	}()
	batch.Release()
	collect(&live)
}

// TestDamagedMessagesAreErrors cuts messages short and turns their bits: what comes out is an error or a batch, never a panic, and
// no body stays behind.
func TestDamagedMessagesAreErrors(t *testing.T) {
	before := bodies.used.Load()
	batch := sample(checked(t), 20_000)
	defer batch.Release()
	data, err := copied(batch)
	if err != nil {
		t.Fatal(err)
	}
	schema := flight.SerializeSchema(batch.Schema(), memory.DefaultAllocator)
	address := serve(t, func(ticket *flight.Ticket, stream flight.FlightService_DoGetServer) error {
		at := int(ticket.GetTicket()[0])
		damaged := &flight.FlightData{DataHeader: bytes.Clone(data.DataHeader), DataBody: data.DataBody}
		if at < 100 {
			damaged.DataBody = data.DataBody[:len(data.DataBody)*at/100]
		} else {
			damaged.DataHeader[len(damaged.DataHeader)*(at-100)/100] ^= 0x55
		}
		if err := stream.Send(&flight.FlightData{DataHeader: schema[8:]}); err != nil {
			return err
		}
		return stream.Send(damaged)
	})
	pool := clients(t, nil)
	var failed int
	for at := byte(0); at < 200; at += 3 {
		r, err := pool.Open(t.Context(), address, false, []byte{at})
		if err != nil {
			t.Fatal(err)
		}
		var got arrow.RecordBatch
		if got, err = r.Next(t.Context()); err == nil {
			got.Release()
		} else {
			failed++
		}
		_ = r.Close()
	}
	if failed < 30 {
		t.Errorf("only %d damaged messages were refused", failed)
	}
	waitUntil(t, func() bool { return bodies.used.Load() <= before })
}

// FuzzInbound compares received messages with what the general codec makes of them.
func FuzzInbound(f *testing.F) {
	b, err := proto.Marshal(&flight.FlightData{DataHeader: []byte("header"), AppMetadata: []byte("m"), DataBody: bytes.Repeat([]byte("body"), 100)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var got inbound
		var want flight.FlightData
		gotErr, wantErr := newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, &got), proto.Unmarshal(b, &want)
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("codec: %v; protobuf: %v", gotErr, wantErr)
		}
		if wantErr == nil && (!bytes.Equal(got.header, want.DataHeader) || !bytes.Equal(got.body.Bytes(), want.DataBody)) {
			t.Fatalf("codec: %v; protobuf: %v", got, &want)
		}
	})
}
