package flightserver

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/certs"
	"github.com/arbalest-sql/arbalest/internal/certs/certtest"
)

// provider is an identity provider with one key: it serves its key set over HTTP and makes tokens.
type provider struct {
	url    string
	signer jose.Signer
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k"}}})
	}))
	t.Cleanup(server.Close)
	p := &provider{url: server.URL}
	if p.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *provider) token(t *testing.T, subject, audience string, expires time.Time) string {
	t.Helper()
	payload, err := json.Marshal(map[string]any{"iss": "issuer", "aud": audience, "sub": subject, "exp": expires.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := p.signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// verifiers are a tokens file with one token, and the provider's.
func (p *provider) verifiers(t *testing.T, now func() time.Time) (all []auth.TokenVerifier, etl string) {
	t.Helper()
	etl, hash := auth.NewToken()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte("etl:"+hash+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := auth.LoadTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	jwts, err := auth.NewJWTs(auth.JWTConfig{KeySet: p.url, Issuer: "issuer", Audience: "arbalest", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return []auth.TokenVerifier{tokens, jwts}, etl
}

// executes runs a statement with headers, and returns whose it was, in which session, and the fresh token of the reply.
func executes(t *testing.T, f *fixture, c *flightsql.Client, pairs ...string) (user, session, token string, err error) {
	t.Helper()
	var reply metadata.MD
	_, err = c.Execute(metadata.AppendToOutgoingContext(testContext(t), pairs...), "rows 1 1", grpc.Header(&reply))
	if err != nil {
		return "", "", "", err
	}
	r, _ := f.fake.last()
	token = strings.TrimPrefix(strings.Join(reply.Get("authorization"), ""), "Bearer ")
	return r.User, r.Session, token, nil
}

func TestBearerTokensOfOthers(t *testing.T) {
	p, now := newProvider(t), time.Now()
	clock := func() time.Time { return now }
	var log bytes.Buffer
	var etl string
	f := start(t, func(c *Config) {
		c.Tokens, etl = p.verifiers(t, clock)
		c.Now, c.Log = clock, zerolog.New(&log)
	})
	c := f.client(t)
	run := func(pairs ...string) (user, session, token string) {
		t.Helper()
		user, session, token, err := executes(t, f, c, pairs...)
		if err != nil {
			t.Fatal(err)
		}
		return user, session, token
	}
	refused := func(what string, pairs ...string) {
		t.Helper()
		_, _, _, err := executes(t, f, c, pairs...)
		wantCode(t, err, codes.Unauthenticated)
		if t.Failed() {
			t.Fatalf("%s: %v", what, err)
		}
	}
	bearer := func(token string) []string { return []string{"authorization", "Bearer " + token} }

	// Each opens a session; the session's token is one of ours, and ends when the login does.
	if user, _, token := run(bearer(etl)...); user != "etl" || !auth.Ours(token) {
		t.Errorf("ran as %q, got %q", user, token)
	}
	ada := p.token(t, "ada", "arbalest", now.Add(time.Hour))
	user, session, token := run(bearer(ada)...)
	claims, err := f.cfg.Keys.VerifyToken(token, now)
	if err != nil || user != "ada" || claims.Subject != "ada" || claims.Expires.After(now.Add(time.Hour+2*time.Minute)) {
		t.Errorf("ran as %q with %+v, %v", user, claims, err)
	}
	if user, again, fresh := run(bearer(token)...); user != "ada" || again != session || fresh != "" {
		t.Errorf("ran as %q in %q, was %q; %q", user, again, session, fresh)
	}
	// The same token of the provider beside the session's cookie is that session; another user's is another.
	cookie := []string{"cookie", "arbalest_session=" + token}
	if user, again, _ := run(append(bearer(ada), cookie...)...); user != "ada" || again != session {
		t.Errorf("ran as %q in %q, was %q", user, again, session)
	}
	if user, other, _ := run(append(bearer(etl), cookie...)...); user != "etl" || other == session {
		t.Errorf("ran as %q in %q", user, other)
	}

	refused("no token")
	refused("another audience", bearer(p.token(t, "ada", "other", now.Add(time.Hour)))...)
	refused("expired", bearer(p.token(t, "ada", "arbalest", now.Add(-time.Hour)))...)
	refused("a password", "authorization", basic("ada:ada!"))

	// Past the login's end its session's token is over and was not renewed; a fresh token of the provider goes on with the session.
	now = now.Add(50 * time.Minute)
	if _, _, fresh := run(bearer(token)...); fresh != "" {
		t.Error("a token was renewed past its login")
	}
	next := p.token(t, "ada", "arbalest", now.Add(time.Hour))
	user, again, fresh := run(append(bearer(next), cookie...)...)
	if user != "ada" || again != session || fresh == "" {
		t.Errorf("ran as %q in %q, was %q; %q", user, again, session, fresh)
	}
	now = now.Add(30 * time.Minute)
	refused("a session whose login is over", bearer(token)...)
	if user, again, _ := run(bearer(fresh)...); user != "ada" || again != session {
		t.Errorf("ran as %q in %q, was %q", user, again, session)
	}

	for range 5 {
		_, _, _, _ = executes(t, f, c, bearer("a-guess")...)
	}
	_, _, _, err = executes(t, f, c, bearer("a-guess")...)
	wantCode(t, err, codes.Unavailable)
	if user, _, _ := run(bearer(fresh)...); user != "ada" {
		t.Error("guesses locked a session out")
	}
	for _, secret := range []string{"a-guess", etl, ada, token} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if !strings.Contains(log.String(), "a token was refused") {
		t.Error("refusals are not logged")
	}
}

// A session's token is replaced past half its time, until the login is too old.
func TestTokensAreRenewedAsLongAsTheLoginLasts(t *testing.T) {
	now := time.Now()
	f := start(t, func(c *Config) {
		withUsers(c)
		c.Now, c.TokenTTL, c.LoginMax = func() time.Time { return now }, time.Hour, 3*time.Hour
	})
	c := f.client(t)
	_, session, token, err := executes(t, f, c, "authorization", basic("anna:anna!"))
	if err != nil {
		t.Fatal(err)
	}
	begin, renewals := now, 0
	for {
		now = now.Add(40 * time.Minute)
		user, again, fresh, err := executes(t, f, c, "authorization", "Bearer "+token)
		if err != nil {
			wantCode(t, err, codes.Unauthenticated)
			break
		}
		if user != "anna" || again != session {
			t.Fatalf("%q in %q", user, again)
		}
		if fresh != "" {
			token, renewals = fresh, renewals+1
		}
	}
	if lasted := now.Sub(begin); renewals < 3 || lasted < 3*time.Hour || lasted > 4*time.Hour {
		t.Errorf("%d renewals over %s", renewals, now.Sub(begin))
	}
}

func TestClientCertificatesLogIn(t *testing.T) {
	a := certtest.New(t)
	cert, key := a.Issue(t, t.TempDir(), "node", nil)
	pair, err := certs.LoadPair(cert, key, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	pool, err := certs.LoadPool(a.CAFile, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	for _, optional := range []bool{false, true} {
		f := startWith(t, func(c *Config) { withUsers(c); c.Certificates = auth.EmailName }, grpc.Creds(credentials.NewTLS(certs.ServerConfig(pair, pool, optional))))
		client := func(c *tls.Config) *flightsql.Client {
			sql, err := flightsql.NewClient(f.addr, nil, nil, grpc.WithTransportCredentials(credentials.NewTLS(c)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = sql.Close() })
			return sql
		}
		email := func(names ...string) func(*x509.Certificate) {
			return func(c *x509.Certificate) { c.EmailAddresses = names }
		}
		bob := client(a.Client(t, "x", email("bob@example.com")))
		user, session, token, err := executes(t, f, bob)
		if err != nil || user != "bob@example.com" || token == "" {
			t.Errorf("ran as %q: %v", user, err)
		}
		if user, again, _, err := executes(t, f, bob, "authorization", "Bearer "+token); err != nil || user != "bob@example.com" || again != session {
			t.Errorf("the session's token: %q in %q, %v", user, again, err)
		}
		// What a caller says of itself goes before its connection's certificate: a gateway speaks for others.
		if user, _, _, err := executes(t, f, bob, "authorization", basic("anna:anna!")); err != nil || user != "anna" {
			t.Errorf("ran as %q: %v", user, err)
		}
		_, _, _, err = executes(t, f, bob, "authorization", basic("anna:wrong"))
		wantCode(t, err, codes.Unauthenticated)
		_, _, _, err = executes(t, f, client(a.Client(t, "x", email("bob@example.com", "eve@example.com"))))
		wantCode(t, err, codes.Unauthenticated)
		stream, err := bob.Client.Handshake(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&flight.HandshakeRequest{}); err != nil {
			t.Fatal(err)
		}
		if r, err := stream.Recv(); err != nil || !auth.Ours(string(r.GetPayload())) {
			t.Errorf("handshake: %q, %v", r.GetPayload(), err)
		}

		none := client(a.Client(t, "", nil))
		_, _, _, err = executes(t, f, none)
		if optional {
			wantCode(t, err, codes.Unauthenticated)
			if user, _, _, err := executes(t, f, none, "authorization", basic("anna:anna!")); err != nil || user != "anna" {
				t.Errorf("ran as %q: %v", user, err)
			}
		} else {
			wantCode(t, err, codes.Unavailable) // No connection at all.
		}
		foreign := certtest.New(t).Client(t, "x", email("bob@example.com"))
		foreign.RootCAs = a.Pool
		_, err = client(foreign).Execute(context.Background(), "rows 1 1")
		wantCode(t, err, codes.Unavailable)
	}
}
