package flightserver

import (
	"context"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/arrowtype"
)

func TestGoodHeadersPass(t *testing.T) {
	n := 0
	for _, stream := range goodStreams() {
		for _, m := range stream {
			n++
			if err := checkHeader(m.GetDataHeader()); err != nil {
				t.Errorf("message %d: %v", n, err)
			}
		}
	}
	if n < 30 || checkHeader(nil) != nil {
		t.Errorf("%d messages", n)
	}
}

// Wherever a header's offset or length is made to reach outside of it, it is refused, or has no such meaning there: then the reader
// takes it, within the memory it may have.
func TestDamagedHeaders(t *testing.T) {
	refused := 0
	for _, stream := range goodStreams() {
		for i, m := range stream {
			for at := 0; at+4 <= len(m.GetDataHeader()); at += 4 {
				for _, n := range []uint32{0, 1, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
					header := slices.Clone(m.GetDataHeader())
					binary.LittleEndian.PutUint32(header[at:], n)
					if checkHeader(header) != nil {
						refused++
						continue
					}
					damaged := slices.Clone(stream)
					damaged[i] = &flight.FlightData{DataHeader: header, DataBody: m.GetDataBody()}
					readAll(damaged)
				}
			}
		}
	}
	if refused < 1000 {
		t.Errorf("only %d headers were refused", refused)
	}
}

// wholeStream gives messages as a client's stream does.
type wholeStream struct {
	grpc.ServerStream
	messages []*flight.FlightData
}

func (s *wholeStream) Context() context.Context { return context.Background() }

func (s *wholeStream) Send(*wire.PutResult) error { return nil }

func (s *wholeStream) Recv() (*wire.FlightData, error) {
	if len(s.messages) == 0 {
		return nil, io.EOF
	}
	m := s.messages[0]
	s.messages = s.messages[1:]
	return m, nil
}

// readAll reads a stream as DoPut does, and looks at every value that came through. A panic or a crash is the failure.
func readAll(messages []*flight.FlightData) {
	stream := &wholeStream{messages: messages}
	first, _ := stream.Recv()
	r, err := newPutReader(&putStream{FlightService_DoPutServer: stream, first: first})
	if err != nil {
		return
	}
	defer func() { _ = r.Close() }()
	for {
		batch, err := r.Next(context.Background())
		if err != nil {
			return
		}
		for _, column := range batch.Columns() {
			if _, err := arrowtype.FromArrow(column.DataType()); err != nil {
				continue // What statements never see.
			}
			for i := range min(column.Len(), 100) {
				_ = column.ValueStr(i)
			}
		}
		batch.Release()
	}
}

// FuzzRows gives any bytes as the messages of a stream of rows.
func FuzzRows(f *testing.F) {
	for _, s := range goodStreams() {
		last := s[len(s)-1]
		f.Add(s[0].GetDataHeader(), s[0].GetDataBody(), last.GetDataHeader(), last.GetDataBody())
	}
	f.Fuzz(func(_ *testing.T, schema, dictionary, header, body []byte) {
		readAll([]*flight.FlightData{{DataHeader: schema, DataBody: dictionary}, {DataHeader: header, DataBody: body}, {DataHeader: header, DataBody: dictionary}})
	})
}
