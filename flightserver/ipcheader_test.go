package flightserver

import (
	"context"
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/arrowtype"
)

func TestGoodHeadersPass(t *testing.T) {
	n := 0
	for _, stream := range goodStreams() {
		var headers streamHeaders
		for _, m := range stream {
			n++
			if err := headers.check(m.GetDataHeader()); err != nil {
				t.Errorf("message %d: %v", n, err)
			}
		}
	}
	if n < 30 || new(streamHeaders).check(nil) != nil {
		t.Errorf("%d messages", n)
	}
}

// copied is what a stream's headers are known to say, for one that goes on another way.
func (s streamHeaders) copied() *streamHeaders {
	s.dictionaries = maps.Clone(s.dictionaries)
	return &s
}

// A batch that counts the buffers of fewer columns of views than its schema has is refused, at any depth and in dictionaries: the reader
// would take what lies behind the counts for one.
func TestMissingViewCounts(t *testing.T) {
	view, text := arrow.BinaryTypes.StringView, arrow.BinaryTypes.String
	for _, c := range []struct{ schema, batch arrow.DataType }{
		{view, text},
		{arrow.ListOf(arrow.StructOf(arrow.Field{Name: "v", Type: view})), arrow.ListOf(arrow.StructOf(arrow.Field{Name: "v", Type: text}))},
		{arrow.StructOf(arrow.Field{Name: "v", Type: view}, arrow.Field{Name: "w", Type: view}), arrow.StructOf(arrow.Field{Name: "v", Type: view}, arrow.Field{Name: "w", Type: text})},
		{dictionaryOf(view), dictionaryOf(text)},
	} {
		var headers streamHeaders
		if err := headers.check(streamOf(c.schema)[0].GetDataHeader()); err != nil {
			t.Fatal(err)
		}
		for _, m := range streamOf(c.schema)[1:] {
			if err := headers.check(m.GetDataHeader()); err != nil {
				t.Errorf("%s: %v", c.schema, err)
			}
		}
		if headers.check(streamOf(c.batch)[1].GetDataHeader()) == nil {
			t.Errorf("a batch of %s was taken for one of %s", c.batch, c.schema)
		}
		if headers.check(streamOf(c.schema)[0].GetDataHeader()) == nil {
			t.Error("a second schema was taken")
		}
	}
}

func dictionaryOf(t arrow.DataType) arrow.DataType {
	return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: t}
}

// Wherever a header's offset or length is made to reach outside of it, it is refused, or has no such meaning there: then the reader
// takes it, within the memory it may have.
func TestDamagedHeaders(t *testing.T) {
	refused := 0
	for _, stream := range goodStreams() {
		var before streamHeaders
		for i, m := range stream {
			for at := 0; at+4 <= len(m.GetDataHeader()); at += 4 {
				for _, n := range []uint32{0, 1, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
					header := slices.Clone(m.GetDataHeader())
					binary.LittleEndian.PutUint32(header[at:], n)
					if headers := before.copied(); headers.check(header) != nil {
						refused++
						continue
					}
					damaged := slices.Clone(stream)
					damaged[i] = &flight.FlightData{DataHeader: header, DataBody: m.GetDataBody()}
					readAll(damaged)
				}
			}
			if err := before.check(m.GetDataHeader()); err != nil {
				t.Fatal(err)
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
