package relay

import (
	"fmt"

	"google.golang.org/grpc/mem"
)

// A message is one gRPC message as bytes.
type message struct{ data mem.BufferSlice }

// raw passes messages without reading them. It is named as the codec that both ends use.
type raw struct{}

// Name implements encoding.CodecV2.
func (raw) Name() string { return "proto" }

// Marshal implements encoding.CodecV2; it gives the message's reference away.
func (raw) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(*message)
	if !ok {
		return nil, fmt.Errorf("relay: a %T is no raw message", v)
	}
	return m.data, nil
}

// Unmarshal implements encoding.CodecV2.
func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*message)
	if !ok {
		return fmt.Errorf("relay: a %T is no raw message", v)
	}
	data.Ref()
	m.data = data
	return nil
}
