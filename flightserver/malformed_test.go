package flightserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// refuses are the codes that bad input may end in.
var refuses = map[codes.Code]bool{codes.InvalidArgument: true, codes.Unauthenticated: true, codes.Unimplemented: true, codes.NotFound: true}

func wantRefused(t testing.TB, what string, err error) {
	t.Helper()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if !refuses[status.Code(err)] {
		t.Errorf("%s: %v", what, err)
	}
}

// badCommands are bytes where a packed command belongs.
func badCommands(t testing.TB) map[string][]byte {
	t.Helper()
	pack := func(url string, value []byte) []byte {
		b, err := proto.Marshal(&anypb.Any{TypeUrl: url, Value: value})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	command := func(m proto.Message) []byte { return descriptor(t, m).GetCmd() }
	return map[string][]byte{
		"nothing": nil, "garbage": []byte("\xff\xfe\xfd"), "text": []byte("SELECT 1"), "zeroes": make([]byte, 100),
		"no type":         pack("", nil),
		"foreign type":    pack("type.googleapis.com/google.protobuf.Duration", nil),
		"unknown command": pack(commandPrefix+"CommandGetEverything", nil),
		"broken command":  pack(commandPrefix+"CommandStatementQuery", []byte("\x0a\xff")),
		"not UTF-8":       pack(commandPrefix+"CommandStatementQuery", []byte("\x0a\x02\xff\xff")),
		"substrait":       command(&wire.CommandStatementSubstraitPlan{Plan: &wire.SubstraitPlan{Plan: []byte("x")}}),
		"result":          command(&wire.DoPutUpdateResult{}),
		"handle of none":  command(&wire.CommandPreparedStatementQuery{}),
		"handle forged":   command(&wire.CommandPreparedStatementQuery{PreparedStatementHandle: []byte("\x0a\x01x\x12\x01y\x1a\x01z")}),
		"poll forged":     command(&wire.TicketStatementQuery{StatementHandle: []byte("abc")}),
	}
}

func TestMalformedDescriptorsAndTickets(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	ctx := testContext(t)
	descriptors := map[string]*flight.FlightDescriptor{
		"empty": {}, "long path": {Type: flight.DescriptorPATH, Path: []string{"a", "b", "c", "d"}}, "path with command": {Type: flight.DescriptorPATH, Cmd: descriptor(t, &wire.CommandGetTables{}).GetCmd()},
	}
	for name, b := range badCommands(t) {
		descriptors[name] = &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: b}
		stream, err := c.Client.DoGet(ctx, &flight.Ticket{Ticket: b})
		if err == nil {
			_, err = stream.Recv()
		}
		wantRefused(t, "DoGet "+name, err)
	}
	for name, d := range descriptors {
		_, err := c.Client.GetFlightInfo(ctx, d)
		wantRefused(t, "GetFlightInfo "+name, err)
		_, err = c.Client.PollFlightInfo(ctx, d)
		wantRefused(t, "PollFlightInfo "+name, err)
		_, err = c.Client.GetSchema(ctx, d)
		wantRefused(t, "GetSchema "+name, err)
		wantRefused(t, "DoPut "+name, put(t, f, &flight.FlightData{FlightDescriptor: d}))
		r, err := c.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: &flight.FlightInfo{FlightDescriptor: d}})
		if r.GetStatus() != flight.CancelStatusNotCancellable {
			wantRefused(t, "CancelFlightInfo "+name, err)
		}
	}
	query(t, c, "rows 1 1")
}

// put sends messages and returns the error of the reply.
func put(t testing.TB, f *fixture, messages ...*flight.FlightData) error {
	t.Helper()
	stream, err := f.session(t).Client.DoPut(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := stream.Send(m); err != nil {
			break // The reply says why.
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	return err
}

func TestMalformedPut(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	p := prepareStatement(t, c, "params ?")
	bind := descriptor(t, &wire.CommandPreparedStatementQuery{PreparedStatementHandle: p.Handle()})
	update := descriptor(t, &wire.CommandPreparedStatementUpdate{PreparedStatementHandle: p.Handle()})
	for name, messages := range map[string][]*flight.FlightData{
		"nothing":           {},
		"no descriptor":     {{}},
		"no descriptor II":  {{DataHeader: []byte("x"), DataBody: []byte("y")}},
		"query":             {{FlightDescriptor: descriptor(t, &wire.CommandStatementQuery{Query: "rows 1 1"})}},
		"ingest":            {{FlightDescriptor: descriptor(t, &wire.CommandStatementIngest{Table: "t"})}},
		"bind nothing":      {{FlightDescriptor: bind}},
		"bind garbage":      {{FlightDescriptor: bind, DataHeader: []byte("garbage"), DataBody: []byte("garbage")}},
		"bind short header": {{FlightDescriptor: bind, DataHeader: []byte{1}}},
		"update garbage":    {{FlightDescriptor: update, DataHeader: make([]byte, 64)}},
	} {
		wantRefused(t, name, put(t, f, messages...))
	}
	query(t, c, "rows 1 1")
}

func TestMalformedActions(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	names := []string{"", "Nonsense"}
	for _, a := range actions {
		names = append(names, a.name)
	}
	for _, name := range names {
		for what, body := range badCommands(t) {
			stream, err := c.Client.DoAction(testContext(t), &flight.Action{Type: name, Body: body})
			if err != nil {
				t.Fatal(err)
			}
			_, err = stream.Recv()
			// An empty message is a good request of the session actions, and others may look like one.
			bare := name == flight.GetSessionOptionsActionType || name == flight.SetSessionOptionsActionType || name == flight.CloseSessionActionType
			if !bare || err != nil {
				wantRefused(t, fmt.Sprintf("%s with %s", name, what), err)
			}
		}
	}
}

// Not one method of the service is left without an answer.
func TestWholeService(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	ctx := testContext(t)
	list, err := c.Client.ListFlights(ctx, &flight.Criteria{Expression: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("ListFlights: %v", err)
	}
	known, err := c.Client.ListActions(ctx, &flight.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		a, err := known.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || a.GetType() == "" || a.GetDescription() == "" {
			t.Fatal(a, err)
		}
		n++
	}
	if n != 13 { // Ten of the library's server, and the three of sessions that it forgets.
		t.Errorf("%d actions", n)
	}
	exchange, err := c.Client.DoExchange(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = exchange.Send(&flight.FlightData{FlightDescriptor: &flight.FlightDescriptor{}})
	_, err = exchange.Recv()
	wantCode(t, err, codes.Unimplemented)
	_, err = c.RenewFlightEndpoint(ctx, &flight.RenewFlightEndpointRequest{})
	wantCode(t, err, codes.InvalidArgument)
}

// FuzzBytes gives any bytes to every entry point that takes some. A panic would show as an internal error.
func FuzzBytes(f *testing.F) {
	for _, b := range badCommands(f) {
		f.Add(b, b)
	}
	for _, m := range []proto.Message{&wire.CommandStatementQuery{Query: "rows 1 1"}, &wire.CommandGetTables{IncludeSchema: true}, &wire.CommandGetSqlInfo{Info: []uint32{0, 1 << 31}},
		&wire.CommandStatementUpdate{Query: "rows 1 1"}, &wire.ActionCreatePreparedStatementRequest{Query: "params ?"}, &wire.ActionCancelQueryRequest{Info: []byte("x")}} {
		f.Add(descriptor(f, m).GetCmd(), []byte("x"))
	}
	fix := start(f, nil)
	c := fix.session(f)
	f.Fuzz(func(t *testing.T, command, data []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		check := func(what string, err error) {
			if code := status.Code(err); code == codes.Internal || code == codes.Unknown || code == codes.DeadlineExceeded {
				t.Errorf("%s: %v", what, err)
			}
		}
		d := &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: command}
		_, err := c.Client.GetFlightInfo(ctx, d)
		check("GetFlightInfo", err)
		_, err = c.Client.GetSchema(ctx, d)
		check("GetSchema", err)
		_, err = c.Client.PollFlightInfo(ctx, d)
		check("PollFlightInfo", err)
		get, err := c.Client.DoGet(ctx, &flight.Ticket{Ticket: command})
		for err == nil {
			_, err = get.Recv()
		}
		check("DoGet", notEOF(err))
		stream, err := c.Client.DoPut(ctx)
		if err == nil {
			_ = stream.Send(&flight.FlightData{FlightDescriptor: d, DataHeader: data, DataBody: data})
			_ = stream.CloseSend()
			_, err = stream.Recv()
		}
		check("DoPut", notEOF(err))
		for _, a := range actions {
			for _, body := range [][]byte{command, data} {
				run, err := c.Client.DoAction(ctx, &flight.Action{Type: a.name, Body: body})
				for err == nil {
					_, err = run.Recv()
				}
				check("DoAction "+a.name, notEOF(err))
			}
		}
	})
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
