package flightserver

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// guarded counts every call that comes through the door to planner, engine or catalog.
type guarded struct {
	Queries
	Catalog
	calls atomic.Int64
}

func (g *guarded) Submit(ctx context.Context, r coordinator.Request) (Query, error) {
	g.calls.Add(1)
	return g.Queries.Submit(ctx, r)
}

func (g *guarded) Describe(ctx context.Context, r coordinator.Request) (*frontend.Description, error) {
	g.calls.Add(1)
	return g.Queries.Describe(ctx, r)
}

func (g *guarded) Owner(ctx context.Context, id ids.QueryID, life string) (Query, coordinator.Place, error) {
	g.calls.Add(1)
	return g.Queries.Owner(ctx, id, life)
}

func (g *guarded) Open(ctx context.Context, ticket []byte, subject string) (flightx.Reader, error) {
	g.calls.Add(1)
	return g.Queries.Open(ctx, ticket, subject)
}

func (g *guarded) Renew(ticket []byte, subject string) (coordinator.Endpoint, error) {
	g.calls.Add(1)
	return g.Queries.Renew(ticket, subject)
}

func (g *guarded) Ingest(ctx context.Context, r coordinator.Request, in coordinator.Ingest, rows flightx.Reader) (int64, error) {
	g.calls.Add(1)
	return g.Queries.Ingest(ctx, r, in, rows)
}

func (g *guarded) SystemTable(name string) (*table.Table, error) {
	g.calls.Add(1)
	return g.Queries.SystemTable(name)
}

func (g *guarded) Snapshot(ctx context.Context) (*catalog.Snapshot, error) {
	g.calls.Add(1)
	return g.Catalog.Snapshot(ctx)
}

// send calls any method with any messages, and returns how the call ended.
func send(ctx context.Context, conn *grpc.ClientConn, method string, messages ...proto.Message) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := stream.SendMsg(m); err != nil {
			break // The reply says why.
		}
	}
	_ = stream.CloseSend()
	for {
		// Unknown fields take whatever comes.
		if err := stream.RecvMsg(&wire.Empty{}); err != nil {
			return err
		}
	}
}

// messages are good messages for each method of the Flight service: all commands and actions with what a logged-in user holds.
func messages(t *testing.T, f *fixture, handle, ticket []byte) map[string][][]proto.Message {
	t.Helper()
	var commands [][]byte
	all := wire.File_FlightSql_proto.Messages()
	for i := range all.Len() {
		commands = append(commands, descriptor(t, dynamicpb.NewMessage(all.Get(i))).GetCmd())
	}
	for _, m := range []proto.Message{&wire.CommandStatementQuery{Query: "rows 1 1"}, &wire.CommandStatementUpdate{Query: "rows 1 1"},
		&wire.CommandPreparedStatementQuery{PreparedStatementHandle: handle}, &wire.CommandPreparedStatementUpdate{PreparedStatementHandle: handle},
		&wire.CommandGetTables{IncludeSchema: true}, &wire.ActionCreatePreparedStatementRequest{Query: "rows 1 1"},
		&wire.ActionClosePreparedStatementRequest{PreparedStatementHandle: handle},
		&wire.CommandStatementIngest{Table: "t", TableDefinitionOptions: &wire.CommandStatementIngest_TableDefinitionOptions{
			IfNotExist: wire.CommandStatementIngest_TableDefinitionOptions_TABLE_NOT_EXIST_OPTION_CREATE,
			IfExists:   wire.CommandStatementIngest_TableDefinitionOptions_TABLE_EXISTS_OPTION_FAIL}}} {
		commands = append(commands, descriptor(t, m).GetCmd())
	}
	found := map[string][][]proto.Message{"ListFlights": {{&wire.Criteria{}}}, "ListActions": {{&wire.Empty{}}}, "Handshake": nil,
		"DoGet": {{&wire.Ticket{Ticket: ticket}}}}
	for _, c := range commands {
		d := &wire.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: c}
		for _, method := range []string{"GetFlightInfo", "PollFlightInfo", "GetSchema"} {
			found[method] = append(found[method], []proto.Message{d})
		}
		found["DoGet"] = append(found["DoGet"], []proto.Message{&wire.Ticket{Ticket: c}})
		for _, method := range []string{"DoPut", "DoExchange"} {
			found[method] = append(found[method], []proto.Message{&wire.FlightData{FlightDescriptor: d}})
		}
		for _, a := range actions {
			found["DoAction"] = append(found["DoAction"], []proto.Message{&wire.Action{Type: a.name, Body: c}})
		}
	}
	path := &wire.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"orders"}}
	found["GetFlightInfo"] = append(found["GetFlightInfo"], []proto.Message{path})
	info := &wire.FlightInfo{Endpoint: []*wire.FlightEndpoint{{Ticket: &wire.Ticket{Ticket: ticket}}}}
	for name, m := range map[string]proto.Message{flight.CancelFlightInfoActionType: &wire.CancelFlightInfoRequest{Info: info},
		flight.RenewFlightEndpointActionType: &wire.RenewFlightEndpointRequest{Endpoint: info.GetEndpoint()[0]},
		flight.SetSessionOptionsActionType:   &wire.SetSessionOptionsRequest{}} {
		body, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		found["DoAction"] = append(found["DoAction"], []proto.Message{&wire.Action{Type: name, Body: body}})
	}
	return found
}

// No request without a good login reaches planner, engine or catalog: not by any method of the services of a coordinator, not with any
// command or action, not with a ticket or handle of somebody who is logged in.
func TestUnauthenticatedRequestsReachNothing(t *testing.T) {
	begin := time.Now()
	var minutes atomic.Int64 // Each call is later by one, so that it is refused for itself.
	g := &guarded{}
	f := start(t, func(c *Config) {
		withUsers(c)
		g.Queries, g.Catalog = c.Queries, c.Catalog
		c.Queries, c.Catalog = g, g
		c.Now = func() time.Time { return begin.Add(time.Duration(minutes.Load()) * time.Minute) }
		c.TokenTTL, c.LoginMax, c.SessionIdleMax = 1000*time.Hour, 2000*time.Hour, 2000*time.Hour
	})

	// What anna holds.
	c := f.session(t)
	ctx := metadata.AppendToOutgoingContext(testContext(t), "authorization", basic("anna:anna!"))
	info, err := c.Execute(ctx, "rows 1 1")
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Prepare(ctx, "params ?")
	if err != nil {
		t.Fatal(err)
	}
	ticket := info.GetEndpoint()[0].GetTicket().GetTicket()
	known := messages(t, f, p.Handle(), ticket)

	conn, err := grpc.NewClient(f.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	stranger := auth.GenerateKeyring().IssueToken(auth.Claims{Subject: "anna", Session: "s", Expires: begin.Add(2000 * time.Hour)})
	const nodes = "the cluster's credential"
	shown := map[string][]string{
		"nothing":               nil,
		"wrong password":        {"authorization", basic("anna:zoe!")},
		"token of another key":  {"authorization", "Bearer " + stranger},
		"token of nobody":       {"authorization", "Bearer abc"},
		"forged cookie":         {"cookie", cookieName + "=" + stranger},
		"expired":               {"authorization", "Bearer " + f.cfg.Keys.IssueToken(auth.Claims{Subject: "anna", Session: "s", Expires: begin})},
		"anonymous":             {"authorization", "Bearer " + f.cfg.Keys.IssueToken(auth.Claims{Session: "s", Expires: begin.Add(2000 * time.Hour)})},
		"a ticket":              {"authorization", "Bearer arb1." + base64.RawURLEncoding.EncodeToString(ticket)},
		nodes:                   {auth.CredentialHeader, f.cfg.Keys.Credential(begin)},
		"a handshake's payload": {tokenHeader, stranger},
	}
	before, sent := g.calls.Load(), 0
	for service, about := range f.grpc.GetServiceInfo() {
		if service == "grpc.health.v1.Health" {
			continue // Open to load balancers, and knows nothing.
		}
		for _, m := range about.Methods {
			method := "/" + service + "/" + m.Name
			bodies := known[m.Name]
			if service != wire.FlightService_ServiceDesc.ServiceName {
				bodies = [][]proto.Message{{emptyRequest(t, service, m.Name)}}
			} else if bodies == nil && m.Name != "Handshake" {
				t.Errorf("the test knows no messages for %s", method)
			}
			for what, headers := range shown {
				if what == nodes && service == pb.Membership_ServiceDesc.ServiceName {
					continue // A node may join; at the clients' door it is nobody.
				}
				for _, body := range bodies {
					minutes.Add(1)
					sent++
					err := send(metadata.AppendToOutgoingContext(testContext(t), headers...), conn, method, body...)
					if code := status.Code(err); code != codes.Unauthenticated {
						t.Fatalf("%s with %s: %v", method, what, err)
					}
				}
			}
		}
	}
	if n := g.calls.Load() - before; n != 0 || sent < 1000 {
		t.Errorf("%d of %d requests came through", n, sent)
	}
	if f.Usage().Sessions != 1 {
		t.Errorf("%+v is held, of one user", f.Usage())
	}
	// The same requests of somebody who is logged in do come through, so that the test could see it.
	for _, method := range []string{"GetFlightInfo", "DoGet", "DoPut", "DoAction", "ListFlights"} {
		before := g.calls.Load()
		for _, body := range known[method] {
			if err := send(ctx, conn, "/"+wire.FlightService_ServiceDesc.ServiceName+"/"+method, body...); errors.Is(err, io.EOF) {
				continue
			}
		}
		if g.calls.Load() == before {
			t.Errorf("%s of a user reaches nothing", method)
		}
	}
}

// emptyRequest is an empty message of a method's request type.
func emptyRequest(t *testing.T, service, method string) proto.Message {
	t.Helper()
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		t.Fatal(err)
	}
	m := d.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(method))
	return dynamicpb.NewMessage(m.Input())
}
