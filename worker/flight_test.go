package worker

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// outsider is a client that is no node of the cluster.
func (c *cluster) outsider(i int) (flight.FlightServiceClient, *grpc.ClientConn) {
	c.t.Helper()
	conn, err := grpc.NewClient(c.workers[i].cfg.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	return flight.NewFlightServiceClient(conn), conn
}

// get is the first answer to a ticket.
func get(ctx context.Context, client flight.FlightServiceClient, ticket []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.DoGet(ctx, &flight.Ticket{Ticket: ticket})
	if err == nil {
		_, err = stream.Recv()
	}
	return grpcerr.FromStatus(err)
}

func bearer(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

func TestTicketsOfOthersAreRefused(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 100)
	spec := task("q", 0, 0, "SELECT c1 FROM scan_0", scan(c.split(path)), "BIGINT")
	with := func(change func(*pb.Ticket)) []byte {
		return c.ticket(0, spec, func(t *pb.Ticket) { t.Task = spec; change(t) })
	}
	good := with(func(*pb.Ticket) {})
	forged := bytes.Clone(good)
	forged[len(forged)-1]++
	foreign, err := auth.GenerateKeyring().SignTicket(&pb.Ticket{Audience: pb.Audience_AUDIENCE_RESULT, Key: spec.Key, WorkerId: "w1", ExpiresUnixMs: 1 << 60})
	if err != nil {
		t.Fatal(err)
	}
	client, _ := c.outsider(0)
	ada := bearer(c.ctx(), c.keys.IssueToken(auth.Claims{Subject: "ada", Expires: time.Now().Add(time.Minute)}))
	// A ticket with a subject wants that user's token even where the worker itself has no users.
	wantKind(t, get(c.ctx(), client, good), qerr.Unauthenticated)
	if err := get(ada, client, good); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]struct {
		ticket []byte
		kind   qerr.Kind
	}{
		"empty":           {nil, qerr.Unauthenticated},
		"noise":           {[]byte("SELECT 1"), qerr.Unauthenticated},
		"forged":          {forged, qerr.Unauthenticated},
		"another cluster": {foreign, qerr.Unauthenticated},
		"another user":    {with(func(t *pb.Ticket) { t.Subject = "bob" }), qerr.NotFound},
		"expired":         {with(func(t *pb.Ticket) { t.ExpiresUnixMs = 1 }), qerr.Unauthenticated},
		"too large":       {make([]byte, auth.TicketBytesMax+1), qerr.User},
		"another worker":  {with(func(t *pb.Ticket) { t.WorkerId = "w9" }), qerr.NotFound},
		"another life":    {with(func(t *pb.Ticket) { t.Incarnation = "before" }), qerr.NotFound},
		"coordinator's":   {with(func(t *pb.Ticket) { t.Audience = pb.Audience_AUDIENCE_COORDINATOR }), qerr.NotFound},
		"exchange":        {with(func(t *pb.Ticket) { t.Audience = pb.Audience_AUDIENCE_EXCHANGE }), qerr.Unauthenticated},
		"no such task":    {c.ticket(0, spec, nil), qerr.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			wantKind(t, get(ada, client, f.ticket), f.kind)
			_, err := c.workers[0].Open(c.ctx(), f.ticket, "ada")
			if err == nil {
				t.Error("in process it was accepted")
			}
		})
	}
	if err := get(ada, client, good); err != nil {
		t.Fatalf("after all that: %v", err)
	}
}

func TestTokens(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, []byte("ada:"+auth.HashPassword("secret")), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, 1, func(cfg *Config) {
		cfg.RequireToken = true
		tokens := filepath.Join(t.TempDir(), "tokens")
		if err := os.WriteFile(tokens, []byte("ada:"+auth.HashToken("hers")+"\neve:"+auth.HashToken("another's")), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := auth.LoadTokens(tokens)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Tokens = []auth.TokenVerifier{file}
		if cfg.Users, err = auth.LoadUsers(users); err != nil {
			t.Fatal(err)
		}
	})
	spec := task("q", 0, 0, "SELECT 1 AS c0", nil, "INTEGER")
	ticket := c.ticket(0, spec, direct(spec))
	client, _ := c.outsider(0)
	basic := func(s string) context.Context {
		return metadata.AppendToOutgoingContext(c.ctx(), "authorization", "Basic "+base64.RawStdEncoding.EncodeToString([]byte(s)))
	}
	token := func(user string) string {
		return c.keys.IssueToken(auth.Claims{Subject: user, Expires: time.Now().Add(time.Minute)})
	}
	for name, f := range map[string]struct {
		ctx  context.Context //nolint:containedctx // a row of the table
		kind qerr.Kind       // Internal = none
	}{
		"nothing":         {c.ctx(), qerr.Unauthenticated},
		"her token":       {bearer(c.ctx(), token("ada")), qerr.Internal},
		"another's":       {bearer(c.ctx(), token("eve")), qerr.NotFound},
		"a forged one":    {bearer(c.ctx(), token("ada")+"x"), qerr.Unauthenticated},
		"token of a file": {bearer(c.ctx(), "hers"), qerr.Internal},
		"another's in it": {bearer(c.ctx(), "another's"), qerr.NotFound},
		"one not in it":   {bearer(c.ctx(), "nobody's"), qerr.Unauthenticated},
		"her password":    {basic("ada:secret"), qerr.Internal},
		"a wrong one":     {basic("ada:guess"), qerr.Unauthenticated},
		"noise":           {metadata.AppendToOutgoingContext(c.ctx(), "authorization", "noise"), qerr.Unauthenticated},
		"the cluster's":   {metadata.AppendToOutgoingContext(c.ctx(), auth.CredentialHeader, c.keys.Credential(time.Now())), qerr.Internal},
		"not so cluster":  {metadata.AppendToOutgoingContext(bearer(c.ctx(), token("ada")), auth.CredentialHeader, "x"), qerr.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			err := get(f.ctx, client, ticket)
			if f.kind == qerr.Internal {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantKind(t, err, f.kind)
		})
	}
	// JDBC's handshake on the worker's connection.
	shake, err := client.Handshake(basic("ada:secret"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shake.Recv(); err != nil {
		t.Fatal(err)
	}
	header, err := shake.Header()
	given := header.Get("authorization")
	if err != nil || len(given) != 1 {
		t.Fatalf("headers %v, %v", header, err)
	}
	if err := get(metadata.AppendToOutgoingContext(c.ctx(), "authorization", given[0]), client, ticket); err != nil {
		t.Fatal(err)
	}
	shake, err = client.Handshake(basic("ada:guess"))
	if err == nil {
		_, err = shake.Recv()
	}
	wantKind(t, grpcerr.FromStatus(err), qerr.Unauthenticated)
}

func TestSessionActionsAreAnswered(t *testing.T) {
	c := newCluster(t, 1, nil)
	client, conn := c.outsider(0)
	act := func(name string, body proto.Message) ([]byte, error) {
		b, err := proto.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := client.DoAction(c.ctx(), &flight.Action{Type: name, Body: b})
		if err != nil {
			return nil, err
		}
		result, err := stream.Recv()
		return result.GetBody(), err
	}
	if _, err := act("SetSessionOptions", &flight.SetSessionOptionsRequest{}); err != nil {
		t.Error(err)
	}
	if _, err := act("GetSessionOptions", &flight.GetSessionOptionsRequest{}); err != nil {
		t.Error(err)
	}
	body, err := act("CloseSession", &flight.CloseSessionRequest{})
	var closed flight.CloseSessionResult
	if err != nil || proto.Unmarshal(body, &closed) != nil || closed.Status != flight.CloseSessionResultClosed {
		t.Error(&closed, err)
	}
	_, err = act("CreatePreparedStatement", &flight.CloseSessionRequest{})
	wantKind(t, grpcerr.FromStatus(err), qerr.Unsupported, "coordinator")
	_, err = client.GetFlightInfo(c.ctx(), &flight.FlightDescriptor{})
	wantKind(t, grpcerr.FromStatus(err), qerr.Unsupported, "coordinator")
	put, err := client.DoPut(c.ctx())
	if err == nil {
		_, err = put.Recv()
	}
	wantKind(t, grpcerr.FromStatus(err), qerr.Unsupported, "coordinator")
	health, err := grpc_health_v1.NewHealthClient(conn).Check(c.ctx(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil || health.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Error(health, err)
	}
}

// Who shows nothing, or nothing good, runs nothing: not by any method of any service.
func TestUnauthenticatedRequestsReachNothing(t *testing.T) {
	var now atomic.Int64 // In minutes from the start: each call is later by one, so that it is refused for itself.
	begin := time.Now()
	c := newCluster(t, 1, func(cfg *Config) {
		cfg.RequireToken = true
		cfg.Now = func() time.Time { return begin.Add(time.Duration(now.Load()) * time.Minute) }
	})
	_, conn := c.outsider(0)
	spec := task("q", 0, 0, "SELECT 1 AS c0", nil, "INTEGER")
	far := func(t *pb.Ticket) { t.ExpiresUnixMs = begin.Add(1000 * time.Hour).UnixMilli() }
	result := c.ticket(0, spec, func(t *pb.Ticket) { direct(spec)(t); far(t) })
	exchange := c.ticket(0, spec, func(t *pb.Ticket) { t.Audience = pb.Audience_AUDIENCE_EXCHANGE; far(t) })
	stranger := auth.GenerateKeyring()
	// The actions and calls that do nothing are answered to everybody: a client learns to go to the coordinator.
	harmless := []string{"DoAction", "ListActions", "GetFlightInfo", "PollFlightInfo", "GetSchema", "ListFlights", "DoPut", "DoExchange"}
	bodies := map[string][]proto.Message{
		"DoGet":  {&flight.Ticket{Ticket: result}, &flight.Ticket{Ticket: exchange}, &flight.Ticket{}},
		"Create": {&pb.CreateRequest{Task: spec}}, "Release": {&pb.ReleaseRequest{QueryId: "q"}}, "Cancel": {&pb.CancelRequest{}}, "Watch": {&pb.WatchRequest{}},
	}
	for service, about := range c.servers[0].GetServiceInfo() {
		if service == grpc_health_v1.Health_ServiceDesc.ServiceName {
			continue
		}
		for _, m := range about.Methods {
			messages := bodies[m.Name]
			if messages == nil {
				messages = []proto.Message{&flight.Empty{}}
			}
			for _, body := range messages {
				for what, pairs := range map[string][]string{
					"nothing":              nil,
					"a password":           {"authorization", "Basic YTpi"},
					"a bad token":          {"authorization", "Bearer x"},
					"another key's token":  {"authorization", "Bearer " + stranger.IssueToken(auth.Claims{Subject: "ada", Expires: begin.Add(1000 * time.Hour)})},
					"another cluster's":    {auth.CredentialHeader, stranger.Credential(begin)},
					"an old credential":    {auth.CredentialHeader, c.keys.Credential(begin.Add(-time.Hour))},
					"a user's as a node's": {auth.CredentialHeader, c.keys.IssueToken(auth.Claims{Subject: "ada", Expires: begin.Add(1000 * time.Hour)})},
				} {
					now.Add(1)
					stream, err := conn.NewStream(metadata.AppendToOutgoingContext(c.ctx(), pairs...), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/"+m.Name)
					if err != nil {
						t.Fatal(err)
					}
					_ = stream.SendMsg(body)
					_ = stream.CloseSend()
					for err == nil {
						err = stream.RecvMsg(&flight.Empty{})
					}
					kind := qerr.KindOf(grpcerr.FromStatus(err))
					if slices.Contains(harmless, m.Name) && (kind == qerr.Unsupported || errors.Is(err, io.EOF)) {
						continue
					}
					if errors.Is(err, io.EOF) || kind != qerr.Unauthenticated {
						t.Errorf("%s/%s with %s: %v", service, m.Name, what, err)
					}
				}
			}
		}
	}
	if w := c.workers[0]; len(w.runs)+len(w.specs) != 0 || len(w.ended) != 0 {
		t.Errorf("it ran something: %+v, %v", w.Usage(), w.ended)
	}
}

func TestControlNeedsTheClusterCredential(t *testing.T) {
	c := newCluster(t, 1, nil)
	_, conn := c.outsider(0)
	tasks := pb.NewTasksClient(conn)
	_, err := tasks.Create(c.ctx(), &pb.CreateRequest{Task: task("q", 0, 0, "SELECT 1", nil, "INTEGER")})
	wantKind(t, grpcerr.FromStatus(err), qerr.Unauthenticated)
	_, err = tasks.Release(c.ctx(), &pb.ReleaseRequest{QueryId: "q"})
	wantKind(t, grpcerr.FromStatus(err), qerr.Unauthenticated)
	stream, err := tasks.Watch(c.ctx(), &pb.WatchRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	wantKind(t, grpcerr.FromStatus(err), qerr.Unauthenticated)
	_, err = c.tasks(0).Release(c.ctx(), &pb.ReleaseRequest{})
	wantKind(t, grpcerr.FromStatus(err), qerr.User)
}

func TestMetrics(t *testing.T) {
	c := newCluster(t, 1, nil)
	spec := task("q", 0, 0, "SELECT unnest(range(10)) AS c0", nil, "BIGINT")
	c.rows(0, c.ticket(0, spec, direct(spec)))
	c.nothingLeft()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c.workers[0].Metrics()); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				if l.GetName() == "state" {
					name += " " + l.GetValue()
				}
			}
			values[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	for name, want := range map[string]float64{"arbalest_worker_output_rows_total": 10, "arbalest_worker_tasks_ended_total finished": 1,
		"arbalest_worker_tasks running": 0, "arbalest_worker_engine_connections": 0} {
		if got, found := values[name]; !found || got != want {
			t.Errorf("%s is %v (%t); want %v", name, got, found, want)
		}
	}
}
