package flightx

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// aliasBytesMin is the size from which a batch's buffer is handed to gRPC as it is; what is smaller is copied together, as each
// piece of a message costs an entry in gRPC's lists, and gRPC counts no references to buffers of up to 1 KiB.
const aliasBytesMin = 4 << 10

// A frame is a FlightData message already encoded. Whoever makes it holds one reference to its buffers and gives it to
// Marshal, hence to gRPC.
type frame struct{ buffers mem.BufferSlice }

// A pin keeps a batch while gRPC reads its buffers. It is the pool that they go back to.
type pin struct {
	held *held
	left atomic.Int64 // buffers that gRPC has
}

// held is what a pin keeps; it is given back once.
type held struct {
	batch   arrow.RecordBatch
	payload ipc.Payload
	given   atomic.Bool
	live    *atomic.Int64 // counts those of one stream
}

func (h *held) give() {
	if !h.given.Swap(true) {
		h.payload.Release()
		h.batch.Release()
		h.live.Add(-1)
	}
}

// Get implements mem.BufferPool; it is never called.
func (p *pin) Get(length int) *[]byte {
	b := make([]byte, length)
	return &b
}

// Put implements mem.BufferPool.
func (p *pin) Put(*[]byte) {
	if p.left.Add(-1) == 0 {
		p.held.give()
	}
}

// batchFrame encodes a batch without copying its large buffers: gRPC writes them to the connection from where they are, and the
// batch is retained until it has, and counted in live. gRPC forgets the messages of a stream that ends early without freeing
// them; those are left to the collector.
func batchFrame(batch arrow.RecordBatch, live *atomic.Int64) (*frame, error) {
	payload, err := ipc.GetRecordBatchPayload(batch, ipc.WithAllocator(memory.DefaultAllocator))
	if err != nil {
		return nil, err
	}
	batch.Retain()
	live.Add(1)
	h := &held{batch: batch, payload: payload, live: live}
	var body pieces
	if err := payload.SerializeBody(&body); err != nil {
		h.give()
		return nil, err
	}
	meta := payload.Meta()
	defer meta.Release()
	head := protowire.AppendTag(nil, fieldHeader, protowire.BytesType)
	head = protowire.AppendBytes(head, meta.Bytes())
	head = protowire.AppendTag(head, fieldBody, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(body.bytes))
	return &frame{body.slice(head, h)}, nil
}

// pieces take a body apart as it is written: what is large is kept in place, what is small is copied together.
type pieces struct {
	bytes int
	small []byte
	list  []piece
}

// A piece is a large buffer, or a stretch of the small ones.
type piece struct {
	large    []byte
	from, to int
}

// Write implements io.Writer.
func (p *pieces) Write(b []byte) (int, error) {
	p.bytes += len(b)
	if len(b) >= aliasBytesMin {
		p.list = append(p.list, piece{large: b})
		return len(b), nil
	}
	from := len(p.small)
	p.small = append(p.small, b...)
	if n := len(p.list); n > 0 && p.list[n-1].large == nil {
		p.list[n-1].to = len(p.small)
	} else if len(b) > 0 {
		p.list = append(p.list, piece{from: from, to: len(p.small)})
	}
	return len(b), nil
}

// slice makes gRPC's buffers of a message's head and the pieces. What they refer to is given back when gRPC has freed all.
func (p *pieces) slice(head []byte, h *held) mem.BufferSlice {
	out := make(mem.BufferSlice, 0, 1+len(p.list))
	out = append(out, mem.SliceBuffer(head))
	keeper := &pin{held: h}
	for i := range p.list {
		one := &p.list[i]
		if one.large == nil {
			out = append(out, mem.SliceBuffer(p.small[one.from:one.to]))
			continue
		}
		keeper.left.Add(1)
		out = append(out, mem.NewBuffer(&one.large, keeper))
	}
	if keeper.left.Load() == 0 {
		h.give()
	} else {
		runtime.AddCleanup(keeper, (*held).give, h)
	}
	return out
}

// headerFrame encodes a message that has no body.
func headerFrame(header []byte) *frame {
	b := protowire.AppendTag(nil, fieldHeader, protowire.BytesType)
	return &frame{mem.BufferSlice{mem.SliceBuffer(protowire.AppendBytes(b, header))}}
}

// forgottenAfter is when the collector is asked, after a stream ended early, for what gRPC forgot of it: first when its writer will
// have seen the end, and last when a broken connection has been given up.
var forgottenAfter = []time.Duration{2 * time.Millisecond, 50 * time.Millisecond, time.Second}

// collect frees the batches of a stream that ended early, soon. What the writer still holds, for a reader that stopped to read but
// stays, goes when the reader does.
func collect(live *atomic.Int64) {
	for _, after := range forgottenAfter {
		time.AfterFunc(after, func() {
			if live.Load() > 0 {
				runtime.GC()
			}
		})
	}
}
