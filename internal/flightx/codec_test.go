package flightx

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// FuzzFlightData compares the codec with the general one, the message cut into pieces as it comes from the network.
func FuzzFlightData(f *testing.F) {
	for _, m := range []*flight.FlightData{
		{},
		{DataHeader: []byte("header"), DataBody: bytes.Repeat([]byte("body"), 100)},
		{DataHeader: []byte("h"), AppMetadata: []byte("m")},
		{FlightDescriptor: &flight.FlightDescriptor{Cmd: []byte("x")}, DataBody: []byte("b")},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, 7)
		f.Add(append(b, b...), 1)
	}
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		var pieces mem.BufferSlice
		for rest := b; len(rest) > 0; {
			n := min(max(piece, 1), len(rest))
			pieces = append(pieces, mem.SliceBuffer(rest[:n]))
			rest = rest[n:]
		}
		var got, want flight.FlightData
		gotErr, wantErr := newCodec().Unmarshal(pieces, &got), proto.Unmarshal(b, &want)
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("codec: %v; protobuf: %v", gotErr, wantErr)
		}
		if wantErr == nil && (!bytes.Equal(got.DataHeader, want.DataHeader) || !bytes.Equal(got.DataBody, want.DataBody) ||
			!bytes.Equal(got.AppMetadata, want.AppMetadata) || !proto.Equal(got.FlightDescriptor, want.FlightDescriptor)) {
			t.Fatalf("codec: %v; protobuf: %v", &got, &want)
		}
	})
}
