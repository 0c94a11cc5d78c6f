package flightx

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that codec falls back to
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of Flight's FlightData message.
const (
	fieldDescriptor  = 1
	fieldHeader      = 2
	fieldAppMetadata = 3
	fieldBody        = 1000
)

// codec is gRPC's protobuf codec, but for FlightData: outgoing frames are handed to gRPC as they are, and incoming messages are
// parsed with one copy of the body, into memory that is not cleared before.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if f, ok := v.(*frame); ok {
		return f.buffers, nil
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch m := v.(type) {
	case *inbound:
		if m.parse(data, bodies.get) {
			return nil
		}
		// A peer of another kind; what the general codec makes of it lies on the Go heap.
		var fd flight.FlightData
		if err := c.CodecV2.Unmarshal(data, &fd); err != nil {
			return err
		}
		m.header, m.metadata, m.body = fd.DataHeader, fd.AppMetadata, memory.NewBufferBytes(fd.DataBody)
		return nil
	case *flight.FlightData:
		var in inbound
		if in.parse(data, heapBuffer) {
			m.DataHeader, m.AppMetadata, m.DataBody = in.header, in.metadata, in.body.Bytes()
			return nil
		}
	}
	return c.CodecV2.Unmarshal(data, v)
}

// inbound is a received message for RecvMsg. Whoever receives into it releases the body.
type inbound struct {
	header, metadata []byte
	body             *memory.Buffer
}

func heapBuffer(size int) *memory.Buffer { return memory.NewBufferBytes(make([]byte, size)) }

// parse reads the common form of the message: header, metadata and body as the last field. It reports false for anything else
// (a descriptor, unknown or repeated fields, damage), which the general codec then reads or refuses.
func (m *inbound) parse(data mem.BufferSlice, allocate func(size int) *memory.Buffer) (parsed bool) {
	r := data.Reader()
	defer func() { _ = r.Close() }()
	var got inbound
	defer func() {
		if parsed {
			*m = got
		} else if got.body != nil {
			got.body.Release()
		}
	}()
	for r.Remaining() > 0 {
		tag, ok := readVarint(r)
		if !ok || protowire.Type(tag&7) != protowire.BytesType {
			return false
		}
		size, ok := readVarint(r)
		if !ok || size > uint64(r.Remaining()) {
			return false
		}
		var into []byte
		switch field := tag >> 3; {
		case field == fieldHeader && got.header == nil:
			got.header = make([]byte, size)
			into = got.header
		case field == fieldAppMetadata && got.metadata == nil:
			got.metadata = make([]byte, size)
			into = got.metadata
		case field == fieldBody && got.body == nil:
			got.body = allocate(int(size))
			into = got.body.Bytes()
		default:
			return false
		}
		if n, err := readFull(r, into); err != nil || n != len(into) {
			return false
		}
	}
	if got.body == nil {
		got.body = memory.NewBufferBytes([]byte{})
	}
	return true
}

func readFull(r *mem.Reader, b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := r.Read(b[done:])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func readVarint(r *mem.Reader) (uint64, bool) {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, false
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v, true
		}
	}
	return 0, false
}

// codecMark is the context key by which Send knows that the stream's server has our codec.
type codecMark struct{}

// markStream is a stream interceptor that tells handlers of our codec; it goes with the codec in ServerOptions.
func markStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(srv, &markedStream{stream, context.WithValue(stream.Context(), codecMark{}, true)})
}

type markedStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // the stream's own context, as gRPC's interface has it
}

func (s *markedStream) Context() context.Context { return s.ctx }
