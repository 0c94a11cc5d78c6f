package flightx

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/flight"
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

// codec is gRPC's protobuf codec, but for FlightData: outgoing frames are handed to gRPC as they are, and incoming ones are
// parsed with one copy of the body instead of two.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// A frame is a FlightData message already encoded. Whoever makes it holds one reference to its buffers and gives it to
// Marshal, hence to gRPC.
type frame struct{ buffers mem.BufferSlice }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if f, ok := v.(*frame); ok {
		return f.buffers, nil
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if fd, ok := v.(*flight.FlightData); ok && parseFlightData(data, fd) {
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

// parseFlightData reads the common form of the message: header, metadata and body as the last field. It reports false for
// anything else (a descriptor, unknown or repeated fields, damage), which the general codec then reads or refuses.
func parseFlightData(data mem.BufferSlice, fd *flight.FlightData) bool {
	r := data.Reader()
	defer func() { _ = r.Close() }()
	var header, metadata, body []byte
	for r.Remaining() > 0 {
		tag, ok := readVarint(r)
		if !ok || protowire.Type(tag&7) != protowire.BytesType {
			return false
		}
		size, ok := readVarint(r)
		if !ok || size > uint64(r.Remaining()) {
			return false
		}
		var into *[]byte
		switch tag >> 3 {
		case fieldHeader:
			into = &header
		case fieldAppMetadata:
			into = &metadata
		case fieldBody:
			into = &body
		default:
			return false
		}
		if *into != nil {
			return false
		}
		*into = make([]byte, size)
		if n, err := readFull(r, *into); err != nil || n != len(*into) {
			return false
		}
	}
	fd.DataHeader, fd.AppMetadata, fd.DataBody = header, metadata, body
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

// newFrame encodes a FlightData message whose body is bodyBytes long and is written by fill.
func newFrame(header []byte, bodyBytes int, fill func([]byte) error) (*frame, error) {
	size := protowire.SizeTag(fieldHeader) + protowire.SizeBytes(len(header)) +
		protowire.SizeTag(fieldBody) + protowire.SizeBytes(bodyBytes)
	buffer := frames.Get(size)
	b := (*buffer)[:0]
	b = protowire.AppendTag(b, fieldHeader, protowire.BytesType)
	b = protowire.AppendBytes(b, header)
	b = protowire.AppendTag(b, fieldBody, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(bodyBytes))
	if len(b)+bodyBytes != size {
		frames.Put(buffer)
		return nil, fmt.Errorf("a message of %d bytes was announced, %d came", size, len(b)+bodyBytes)
	}
	if err := fill(b[len(b):size]); err != nil {
		frames.Put(buffer)
		return nil, err
	}
	*buffer = b[:size]
	return &frame{mem.BufferSlice{mem.NewBuffer(buffer, &frames)}}, nil
}
