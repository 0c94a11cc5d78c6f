package flightserver

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// people are users whose password is their name with an exclamation mark.
type people []string

func (p people) Verify(name, password string) error {
	if slices.Contains(p, name) && password == name+"!" {
		return nil
	}
	return qerr.New(qerr.Unauthenticated, "the user name or the password is wrong")
}

func withUsers(c *Config) { c.Users = people{"anna", "zoe"} }

func basic(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }

func TestAuthorization(t *testing.T) {
	now := time.Now()
	var minutes atomic.Int64 // Each case is later by one, so that failures of those before do not slow it down.
	f := start(t, func(c *Config) {
		withUsers(c)
		c.Now = func() time.Time { return now.Add(time.Duration(minutes.Load()) * time.Minute) }
	})
	token := func(k *auth.Keyring, subject, session string, expires time.Time) string {
		return "Bearer " + k.IssueToken(auth.Claims{Subject: subject, Session: session, Expires: expires})
	}
	good := token(f.cfg.Keys, "anna", "s1@here", now.Add(20*time.Hour))
	for name, tt := range map[string]struct {
		headers []string
		user    string // "" = refused
		fresh   bool   // the reply has a new token
	}{
		"nothing":               {nil, "", false},
		"basic":                 {[]string{"authorization", basic("anna:anna")}, "", false},
		"basic right":           {[]string{"authorization", basic("zoe:zoe!")}, "zoe", true},
		"basic unpadded":        {[]string{"authorization", strings.TrimRight(basic("zoe:zoe!"), "=")}, "zoe", true},
		"basic lower case":      {[]string{"authorization", "basic" + basic("zoe:zoe!")[5:]}, "zoe", true},
		"basic wrong":           {[]string{"authorization", basic("zoe:zoe")}, "", false},
		"basic unknown user":    {[]string{"authorization", basic("bob:bob")}, "", false},
		"basic no colon":        {[]string{"authorization", basic("zoe")}, "", false},
		"basic not base64":      {[]string{"authorization", "Basic ???"}, "", false},
		"scheme unknown":        {[]string{"authorization", "Negotiate abc"}, "", false},
		"bearer":                {[]string{"authorization", good}, "anna", false},
		"bearer half over":      {[]string{"authorization", token(f.cfg.Keys, "anna", "s1@here", now.Add(time.Hour))}, "anna", true},
		"bearer expired":        {[]string{"authorization", token(f.cfg.Keys, "anna", "s1@here", now.Add(-time.Second))}, "", false},
		"bearer of another key": {[]string{"authorization", token(auth.GenerateKeyring(), "anna", "s1@here", now.Add(time.Hour))}, "", false},
		"bearer anonymous":      {[]string{"authorization", token(f.cfg.Keys, "", "s1", now.Add(time.Hour))}, "", false},
		"bearer garbage":        {[]string{"authorization", "Bearer xyz"}, "", false},
		"a ticket as bearer":    {[]string{"authorization", "Bearer " + base64.RawURLEncoding.EncodeToString([]byte("x"))}, "", false},
		"cookie":                {[]string{"cookie", "a=b; arbalest_session=" + good[7:] + "; c=d"}, "anna", false},
		"cookie quoted":         {[]string{"cookie", `arbalest_session="` + good[7:] + `"`}, "anna", false},
		"cookie forged":         {[]string{"cookie", "arbalest_session=abc"}, "", false},
		"old token and cookie":  {[]string{"authorization", "Bearer old", "cookie", "arbalest_session=" + good[7:]}, "anna", false},
		"cookie of another":     {[]string{"authorization", basic("zoe:zoe!"), "cookie", "arbalest_session=" + good[7:]}, "zoe", true},
		"cookie and password":   {[]string{"authorization", basic("anna:anna!"), "cookie", "arbalest_session=" + good[7:]}, "anna", false},
		"two headers":           {[]string{"authorization", "Bearer old", "authorization", good}, "anna", false},
		"payload token":         {[]string{"auth-token-bin", good[7:]}, "anna", false},
	} {
		t.Run(name, func(t *testing.T) {
			minutes.Add(1)
			var reply metadata.MD
			ctx := metadata.AppendToOutgoingContext(testContext(t), tt.headers...)
			_, err := f.client(t).Execute(ctx, "rows 1 1", grpc.Header(&reply))
			if tt.user == "" {
				wantCode(t, err, codes.Unauthenticated)
				if len(reply.Get("authorization")) > 0 {
					t.Error("a refused call got a token")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r, _ := f.fake.last(); r.User != tt.user {
				t.Errorf("ran as %q, want %q", r.User, tt.user)
			}
			got := strings.Join(reply.Get("authorization"), ",")
			if fresh := strings.HasPrefix(got, "Bearer "); fresh != tt.fresh {
				t.Errorf("reply has %q", got)
			}
			if tt.fresh != (len(reply.Get("set-cookie")) > 0) {
				t.Errorf("cookie %v", reply.Get("set-cookie"))
			}
		})
	}
}

func TestHandshake(t *testing.T) {
	f := start(t, withUsers)
	c := f.client(t)
	ctx, err := c.Client.AuthenticateBasicToken(testContext(t), "anna", "anna")
	if err == nil {
		t.Fatalf("a wrong password got %v", ctx)
	}
	wantCode(t, err, codes.Unauthenticated)
	ctx, err = c.Client.AuthenticateBasicToken(testContext(t), "zoe", "zoe!")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Execute(ctx, "rows 1 1"); err != nil {
		t.Fatal(err)
	}
	if r, _ := f.fake.last(); r.User != "zoe" || r.Session == "" {
		t.Errorf("ran as %q in %q", r.User, r.Session)
	}

	// A token, as the JDBC driver's token= sends it.
	md, _ := metadata.FromOutgoingContext(ctx)
	stream, err := c.Client.Handshake(metadata.NewOutgoingContext(testContext(t), metadata.MD{"authorization": md.Get("authorization")}))
	if err != nil {
		t.Fatal(err)
	}
	header, err := stream.Header()
	if err != nil || !strings.HasPrefix(strings.Join(header.Get("authorization"), ""), "Bearer ") {
		t.Errorf("handshake by token: %v, %v", header, err)
	}

	// The older way: the message is the login, the reply's payload the token.
	payload, err := proto.Marshal(&wire.BasicAuth{Username: "zoe", Password: "zoe!"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := handshake(t, f, payload)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Execute(metadata.AppendToOutgoingContext(testContext(t), "auth-token-bin", string(token)), "rows 1 1"); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "\xff\xff", string(payload[:len(payload)-1]) + "x"} {
		_, err = handshake(t, f, []byte(bad))
		wantCode(t, err, codes.Unauthenticated)
	}
}

func handshake(t *testing.T, f *fixture, payload []byte) ([]byte, error) {
	t.Helper()
	stream, err := f.client(t).Client.Handshake(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&flight.HandshakeRequest{Payload: payload}); err != nil {
		t.Fatal(err)
	}
	r, err := stream.Recv()
	return r.GetPayload(), err
}

// Without users everybody is the same user, each client in its own session, however it keeps it.
func TestOpenServer(t *testing.T) {
	f := start(t, nil)
	cookie, other, forgetful := f.session(t), f.session(t), f.client(t)
	for range 2 {
		query(t, cookie, "SET arbalest.partitions 7")
		query(t, other, "SET arbalest.partitions 9")
		query(t, forgetful, "SET arbalest.partitions 11")
	}
	partitions := func(run func()) int {
		run()
		r, _ := f.fake.last()
		if r.User != "" {
			t.Errorf("ran as %q", r.User)
		}
		return r.Settings.Partitions()
	}
	if n := partitions(func() { query(t, cookie, "rows 1 1") }); n != 7 {
		t.Errorf("cookie: %d partitions", n)
	}
	if n := partitions(func() { query(t, other, "rows 1 1") }); n != 9 {
		t.Errorf("other cookie: %d partitions", n)
	}
	if n := partitions(func() { query(t, forgetful, "rows 1 1") }); n != 0 {
		t.Errorf("no cookie: %d partitions", n)
	}

	// A header does as well as a cookie, and a password, which tools insist on sending, does no harm.
	var reply metadata.MD
	if _, err := forgetful.Execute(testContext(t), "rows 1 1", grpc.Header(&reply)); err != nil {
		t.Fatal(err)
	}
	bearer := reply.Get("authorization")[0]
	ctx := metadata.AppendToOutgoingContext(testContext(t), "authorization", bearer)
	if _, err := forgetful.Execute(ctx, "SET arbalest.partitions 13"); err != nil {
		t.Fatal(err)
	}
	if n := partitions(func() { _, _ = forgetful.Execute(ctx, "rows 1 1") }); n != 13 {
		t.Errorf("bearer: %d partitions", n)
	}
	ctx = metadata.AppendToOutgoingContext(testContext(t), "authorization", basic("any:one"))
	if _, err := forgetful.Execute(ctx, "rows 1 1"); err != nil {
		t.Error(err)
	}
	ctx = metadata.AppendToOutgoingContext(testContext(t), "authorization", "Bearer of-a-server-that-was-restarted")
	_, err := forgetful.Execute(ctx, "rows 1 1")
	wantCode(t, err, codes.Unauthenticated)
	if _, err := handshake(t, f, nil); err != nil {
		t.Error(err)
	}
}

func TestHealthNeedsNoLogin(t *testing.T) {
	f := start(t, withUsers)
	conn, err := grpc.NewClient(f.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r, err := healthpb.NewHealthClient(conn).Check(context.Background(), &healthpb.HealthCheckRequest{})
	if err != nil || r.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health %v, %v", r, err)
	}
}

// Who guesses passwords has to wait; others do not, nor who has a token.
func TestGuessesAreSlowedDown(t *testing.T) {
	f := start(t, withUsers)
	try := func(pair string) error {
		c := f.client(t)
		ctx := metadata.AppendToOutgoingContext(testContext(t), "authorization", basic(pair))
		_, err := c.GetCatalogs(ctx)
		return err
	}
	for range 5 {
		wantCode(t, try("anna:guess"), codes.Unauthenticated)
	}
	err := try("anna:guess")
	wantCode(t, err, codes.Unavailable)
	if err == nil || strings.Contains(err.Error(), "guess") || !strings.Contains(err.Error(), "try again in") {
		t.Errorf("the refusal says %v", err)
	}
	wantCode(t, try("zoe:zoe!"), codes.OK)
}
