package flightserver

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
)

// A mutator makes messages that are nearly right: filled in by their descriptors with words that mean something to the server, and
// then, some of them, damaged as bytes. The same seed makes the same messages, as far as the server's answers are the same.
type mutator struct {
	*rand.Rand
	// pool are bytes that the server gave or takes: tickets, handles, descriptors' commands, IPC headers and bodies.
	pool [][]byte
	// streams are the messages of good IPC streams.
	streams [][]*flight.FlightData
}

// fuzzWords are texts that go where a text belongs.
var fuzzWords = []string{"", "SELECT 1", "SELECT id, kind FROM events", "SELECT count(*) FROM events GROUP BY kind", "SELECT * FROM events ORDER BY id LIMIT 3",
	"SELECT ?", "SELECT ?::INTEGER + $2", "SET arbalest.partitions = 3", "SET arbalest.results = 'spool'", "RESET arbalest.results", "CREATE TEMP TABLE t AS SELECT 1 AS id",
	"INSERT INTO t VALUES (2)", "UPDATE t SET id = 1", "DELETE FROM t", "DROP TABLE IF EXISTS t", "EXPLAIN SELECT * FROM events", "EXPLAIN ANALYZE SELECT kind FROM events",
	"KILL 'x'", "BEGIN", "COMMIT", "ROLLBACK", "SHOW TABLES", "DESCRIBE events", "SELECT * FROM sys.queries", "SELEC", "SELECT 'a", "SELECT \x00", ";;", "events", "t", "main",
	"arbalest", "temp", "%", "_", `\`, "ev%", "\"", "é日本", "catalog", "schema", "arbalest.partitions", "s1"}

// fuzzNumbers are numbers at the edges of what they count.
var fuzzNumbers = []int64{0, 1, 2, -1, 7, 8, 100, 127, 128, 255, 256, 4096, 65535, 65536, math.MaxInt32, math.MinInt32, math.MaxUint32, math.MaxInt64, math.MinInt64}

func pick[T any](m *mutator, from []T) T { return from[m.IntN(len(from))] }

// keep remembers bytes of the server's for later messages.
func (m *mutator) keep(b []byte) {
	const poolMax = 200
	switch {
	case len(b) == 0 || len(b) > 64<<10:
	case len(m.pool) < poolMax:
		m.pool = append(m.pool, b)
	default:
		m.pool[m.IntN(poolMax)] = b
	}
}

func (m *mutator) text() string {
	switch m.IntN(12) {
	case 0:
		return string(m.damage([]byte(pick(m, fuzzWords))))
	case 1:
		return pick(m, fuzzWords) + " " + pick(m, fuzzWords)
	}
	return pick(m, fuzzWords)
}

func (m *mutator) bytes(depth int) []byte {
	switch n := m.IntN(10); {
	case n < 5 && len(m.pool) > 0:
		return pick(m, m.pool)
	case n < 6 && len(m.pool) > 0:
		return m.damage(pick(m, m.pool))
	case n < 9 && depth > 0:
		return m.packed(depth - 1)
	}
	return m.noise(m.IntN(64))
}

func (m *mutator) noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return b
}

// packed is any message of the protocols, packed into an Any, most of the time under its own name.
func (m *mutator) packed(depth int) []byte {
	files := []protoreflect.FileDescriptor{wire.File_FlightSql_proto, wire.File_FlightSql_proto, wire.File_Flight_proto}
	message := m.message(pick(m, messagesOf(files...)), depth)
	body, err := proto.Marshal(message)
	if err != nil {
		return nil // A text that is not UTF-8.
	}
	name := commandPrefix + string(message.ProtoReflect().Descriptor().Name())
	switch m.IntN(20) {
	case 0:
		body = m.damage(body)
	case 1:
		name = commandPrefix + m.text()
	case 2:
		return body
	}
	b, err := proto.Marshal(&anypb.Any{TypeUrl: name, Value: body})
	if err != nil {
		return nil
	}
	return b
}

func messagesOf(files ...protoreflect.FileDescriptor) (all []protoreflect.MessageDescriptor) {
	for _, f := range files {
		for i := range f.Messages().Len() {
			all = append(all, f.Messages().Get(i))
		}
	}
	return all
}

// message fills in a message by its descriptor.
func (m *mutator) message(d protoreflect.MessageDescriptor, depth int) proto.Message {
	out := dynamicpb.NewMessage(d)
	fields := d.Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case m.IntN(4) == 0:
		case f.IsMap():
			for range m.IntN(3) {
				out.Mutable(f).Map().Set(m.value(out, f.MapKey(), depth).MapKey(), m.value(out, f.MapValue(), depth))
			}
		case f.IsList():
			for range m.IntN(4) {
				out.Mutable(f).List().Append(m.value(out, f, depth))
			}
		default:
			out.Set(f, m.value(out, f, depth))
		}
	}
	return out
}

func (m *mutator) value(_ *dynamicpb.Message, f protoreflect.FieldDescriptor, depth int) protoreflect.Value {
	n := pick(m, fuzzNumbers)
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(m.IntN(2) == 0)
	case protoreflect.EnumKind:
		if m.IntN(10) > 0 {
			n = int64(f.Enum().Values().Get(m.IntN(f.Enum().Values().Len())).Number())
		}
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(n)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(n))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(n))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(pick(m, []float64{float64(n), math.NaN(), math.Inf(1), 0.5}))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(m.text())
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(m.bytes(depth))
	}
	if depth <= 0 {
		return protoreflect.ValueOfMessage(dynamicpb.NewMessage(f.Message()))
	}
	return protoreflect.ValueOfMessage(m.message(f.Message(), depth-1).ProtoReflect())
}

// damage changes bytes as faulty clients and networks do.
func (m *mutator) damage(b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + m.IntN(3) {
		if len(b) == 0 {
			return m.noise(m.IntN(16))
		}
		at := m.IntN(len(b))
		switch m.IntN(7) {
		case 0:
			b[at] ^= 1 << m.IntN(8)
		case 1:
			b[at] = byte(m.Uint32())
		case 2:
			b = b[:at]
		case 3:
			b = append(b[:at:at], b[min(len(b), at+1+m.IntN(16)):]...)
		case 4:
			b = append(b[:at:at], append(m.noise(1+m.IntN(16)), b[at:]...)...)
		case 5:
			b = append(b[:at:at], append(bytes.Clone(b[at:min(len(b), at+1+m.IntN(32))]), b[at:]...)...)
		default: // A length or an offset.
			if at+8 <= len(b) {
				binary.LittleEndian.PutUint64(b[at:], uint64(pick(m, fuzzNumbers)))
			} else if at+4 <= len(b) {
				binary.LittleEndian.PutUint32(b[at:], uint32(pick(m, fuzzNumbers)))
			}
		}
	}
	return b
}

// stream is the messages of an IPC stream, whole or damaged, with a descriptor.
func (m *mutator) stream(d *flight.FlightDescriptor) []proto.Message {
	var out []proto.Message
	for i, data := range pick(m, m.streams) {
		one := &flight.FlightData{DataHeader: data.GetDataHeader(), DataBody: data.GetDataBody(), AppMetadata: data.GetAppMetadata()}
		if i == 0 {
			one.FlightDescriptor = d
		}
		switch m.IntN(40) {
		case 0:
			one.DataHeader = m.damage(one.GetDataHeader())
		case 1:
			one.DataBody = m.damage(one.GetDataBody())
		case 2:
			one.DataBody = nil
		case 3:
			one.DataHeader = nil
		case 4:
			one.DataHeader = pick(m, pick(m, m.streams)).GetDataHeader()
		case 5:
			out = append(out, one)
		case 6:
			continue
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		out = append(out, &flight.FlightData{FlightDescriptor: d})
	}
	return out
}
