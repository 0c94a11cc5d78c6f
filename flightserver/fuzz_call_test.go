package flightserver

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// rawCodec sends bytes as they are, so that messages need not be messages.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (rawCodec) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(b)
	return nil
}

// A fuzzer is one caller of TestFuzzFlight.
type fuzzer struct {
	*mutator
	keys    *auth.Keyring
	door    *grpc.ClientConn
	workers []*grpc.ClientConn
	hang    time.Duration
	// codes count how calls of each method ended.
	codes map[string]map[codes.Code]int
	fault func(format string, args ...any)
}

// flightMethods are all entry points of the Flight service, the interesting ones more often.
var flightMethods = []string{"GetFlightInfo", "GetFlightInfo", "GetFlightInfo", "PollFlightInfo", "GetSchema", "DoGet", "DoGet", "DoPut", "DoPut", "DoPut", "DoAction",
	"DoAction", "DoAction", "DoExchange", "Handshake", "ListFlights", "ListActions"}

// call makes one call of some method at some node.
func (f *fuzzer) call() {
	conn, node := f.door, "coordinator"
	service, method := wire.FlightService_ServiceDesc.ServiceName, pick(f.mutator, flightMethods)
	control := pb.File_arbalest_proto.Services().ByName("Membership")
	if f.IntN(4) == 0 {
		conn, node = pick(f.mutator, f.workers), "worker"
		control = pb.File_arbalest_proto.Services().ByName("Tasks")
	}
	var messages []proto.Message
	if f.IntN(20) == 0 { // The cluster's own services, by somebody who is not of the cluster.
		m := control.Methods().Get(f.IntN(control.Methods().Len()))
		service, method = string(control.FullName()), string(m.Name())
		messages = append(messages, f.message(m.Input(), 4))
	} else {
		messages = f.flightMessages(method)
	}
	f.send(conn, node, "/"+service+"/"+method, messages)
}

// flightMessages are those of one call.
func (f *fuzzer) flightMessages(method string) []proto.Message {
	d := &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: f.bytes(3)}
	if f.IntN(8) == 0 {
		d.Type, d.Path = wire.FlightDescriptor_DescriptorType(f.IntN(4)), []string{f.text(), f.text()}[:f.IntN(3)]
	}
	switch method {
	case "DoGet":
		if f.IntN(6) == 0 {
			return []proto.Message{&flight.Ticket{Ticket: f.signed()}}
		}
		return []proto.Message{&flight.Ticket{Ticket: f.bytes(3)}}
	case "DoPut", "DoExchange":
		if f.IntN(30) == 0 {
			d = nil
		} else if f.IntN(2) == 0 {
			d.Cmd = f.put()
		}
		return f.stream(d)
	case "DoAction":
		a := &flight.Action{Type: pick(f.mutator, actions).name, Body: f.bytes(3)}
		if f.IntN(2) == 0 {
			a.Body = f.body(a.GetType())
		}
		return []proto.Message{a}
	case "Handshake":
		return []proto.Message{f.message((&wire.HandshakeRequest{}).ProtoReflect().Descriptor(), 1), &wire.HandshakeRequest{Payload: f.bytes(1)}}
	case "ListFlights":
		return []proto.Message{&wire.Criteria{Expression: []byte(f.text())}}
	case "ListActions":
		return []proto.Message{&wire.Empty{}}
	}
	return []proto.Message{d}
}

// put is a command that a stream of rows goes with.
func (f *fuzzer) put() []byte {
	command := pick(f.mutator, []proto.Message{&wire.CommandStatementIngest{}, &wire.CommandStatementIngest{}, &wire.CommandPreparedStatementQuery{}, &wire.CommandPreparedStatementUpdate{}})
	if _, isIngest := command.(*wire.CommandStatementIngest); isIngest && f.IntN(2) == 0 {
		command = &wire.CommandStatementIngest{Table: "t", Temporary: true, TableDefinitionOptions: &wire.CommandStatementIngest_TableDefinitionOptions{
			IfNotExist: wire.CommandStatementIngest_TableDefinitionOptions_TABLE_NOT_EXIST_OPTION_CREATE,
			IfExists:   wire.CommandStatementIngest_TableDefinitionOptions_TABLE_EXISTS_OPTION_REPLACE}}
	} else {
		command = f.message(command.ProtoReflect().Descriptor(), 2)
	}
	b, err := packCommand(command)
	if err != nil {
		return nil
	}
	return b
}

// body is what an action wants: its own request, packed if it is one of Flight SQL.
func (f *fuzzer) body(action string) []byte {
	sql := wire.File_FlightSql_proto.Messages().ByName(protoreflect.Name("Action" + action + "Request"))
	plain := wire.File_Flight_proto.Messages().ByName(protoreflect.Name(action + "Request"))
	if sql != nil {
		b, err := packCommand(f.message(sql, 3))
		if err != nil {
			return nil
		}
		return b
	}
	if plain == nil {
		return nil
	}
	b, err := proto.Marshal(f.message(plain, 3))
	if err != nil {
		return nil
	}
	return b
}

// signed is a ticket or a handle whose signature is good, and whose contents nobody would sign.
func (f *fuzzer) signed() []byte {
	if f.IntN(2) == 0 {
		h := &pb.Handle{Kind: pick(f.mutator, []string{"prepared", "poll", "transaction", "savepoint", "x"}), Subject: "anna", Session: "s1",
			ExpiresUnixMs: 1 << 60, Body: f.noise(f.IntN(24))}
		b, _ := f.keys.SignHandle(h)
		return b
	}
	t := &pb.Ticket{Audience: pb.Audience(f.IntN(4)), Key: &pb.TaskKey{QueryId: f.text(), Stage: f.Uint32(), Task: f.Uint32(), Attempt: f.Uint32()},
		WorkerId: pick(f.mutator, []string{"w1", "w2", "w3", ""}), Incarnation: f.text(), Subject: pick(f.mutator, []string{"anna", "", "zoe"}),
		Partitions: []uint32{f.Uint32()}, ExpiresUnixMs: pick(f.mutator, fuzzNumbers)}
	b, _ := f.keys.SignTicket(t)
	return b
}

// headers are whom a call comes from: a user most of the time.
func (f *fuzzer) headers() []string {
	token := f.keys.IssueToken(auth.Claims{Subject: "anna", Session: fmt.Sprintf("s%d", f.IntN(3)), Expires: time.Now().Add(time.Hour)})
	switch f.IntN(20) {
	case 0:
		return nil
	case 1:
		return []string{"authorization", "Bearer " + string(f.ascii(f.damage([]byte(token))))}
	case 2:
		return []string{"cookie", "arbalest_session=" + string(f.ascii(f.noise(40)))}
	case 3:
		return []string{auth.CredentialHeader, string(f.ascii(f.noise(40)))}
	}
	return []string{"authorization", "Bearer " + token}
}

// ascii makes bytes fit for a header.
func (*fuzzer) ascii(b []byte) []byte {
	for i := range b {
		b[i] = ' ' + b[i]%95
	}
	return b
}

// send makes a call, reads what comes and judges how it ended.
func (f *fuzzer) send(conn *grpc.ClientConn, node, method string, messages []proto.Message) {
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(context.Background(), f.headers()...), f.hang)
	defer cancel()
	readable := true
	var sent [][]byte
	for _, m := range messages {
		b, err := proto.Marshal(m)
		if err != nil {
			continue // A text that is not UTF-8: a client could not send it.
		}
		if f.IntN(12) == 0 {
			b, readable = f.damage(b), false
		}
		sent = append(sent, b)
	}
	begin := time.Now()
	err := f.exchange(ctx, conn, method, sent)
	code := status.Code(err)
	name := node + " " + method[strings.LastIndex(method, "/")+1:]
	if f.codes[name] == nil {
		f.codes[name] = map[codes.Code]int{}
	}
	f.codes[name][code]++
	// gRPC says Internal itself where a message cannot be read, or there are more or less than one where one is due.
	its := !readable && strings.Contains(fmt.Sprint(err), "unmarshal") || strings.Contains(fmt.Sprint(err), "cardinality violation")
	bad := code == codes.Unknown || code == codes.Internal && !its
	if bad || time.Since(begin) >= f.hang { // DeadlineExceeded before that is the server's: a result that nobody read in time.
		text := ""
		for _, b := range sent {
			text += "\n\t" + hex.EncodeToString(b[:min(len(b), 2048)])
		}
		f.fault("%s after %s: %v%s", name, time.Since(begin).Round(time.Millisecond), err, text)
	}
}

// exchange sends and reads, and learns what a client of the server would: tickets, handles, descriptors.
func (f *fuzzer) exchange(ctx context.Context, conn *grpc.ClientConn, method string, sent [][]byte) error {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method, grpc.ForceCodec(rawCodec{}))
	if err != nil {
		return err
	}
	for _, b := range sent {
		if stream.SendMsg(&b) != nil {
			break // The reply says why.
		}
	}
	if f.IntN(30) == 0 {
		return status.Error(codes.Canceled, "the caller goes away")
	}
	_ = stream.CloseSend()
	for range fuzzReplies {
		var b []byte
		if err := stream.RecvMsg(&b); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		f.learn(method, b)
	}
	return nil
}

func (f *fuzzer) learn(method string, b []byte) {
	learnInfo := func(i *wire.FlightInfo) {
		for _, e := range i.GetEndpoint() {
			f.keep(e.GetTicket().GetTicket())
		}
		f.keep(i.GetFlightDescriptor().GetCmd())
	}
	switch method[strings.LastIndex(method, "/")+1:] {
	case "GetFlightInfo":
		var i wire.FlightInfo
		if proto.Unmarshal(b, &i) == nil {
			learnInfo(&i)
		}
	case "PollFlightInfo":
		var p wire.PollInfo
		if proto.Unmarshal(b, &p) == nil {
			learnInfo(p.GetInfo())
			f.keep(p.GetFlightDescriptor().GetCmd())
		}
	case "DoAction":
		var r wire.Result
		var packed anypb.Any
		if proto.Unmarshal(b, &r) != nil || proto.Unmarshal(r.GetBody(), &packed) != nil {
			return
		}
		if m, err := packed.UnmarshalNew(); err == nil {
			m.ProtoReflect().Range(func(d protoreflect.FieldDescriptor, v protoreflect.Value) bool {
				if d.Kind() == protoreflect.BytesKind {
					f.keep(bytes.Clone(v.Bytes()))
				}
				return true
			})
		}
	case "DoPut":
		var r wire.PutResult
		var bound wire.DoPutPreparedStatementResult
		if proto.Unmarshal(b, &r) == nil && proto.Unmarshal(r.GetAppMetadata(), &bound) == nil {
			f.keep(bound.GetPreparedStatementHandle())
		}
	}
}
