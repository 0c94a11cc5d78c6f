package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// An issuer is an identity provider: it serves the keys it is given, over a real HTTP server.
type issuer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []any // jose.JSONWebKey, or anything that is written as it is
	broken  bool
	fetches int
}

func newIssuer(t *testing.T, keys ...any) *issuer {
	t.Helper()
	i := &issuer{keys: keys}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.fetches++
		if i.broken {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": i.keys})
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) set(broken bool, keys ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.broken, i.keys = broken, keys
}

func (i *issuer) fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

// A signer is a private key with its name and algorithm.
type signer struct {
	id  string
	alg jose.SignatureAlgorithm
	key crypto.Signer
}

func (s signer) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.key.Public(), KeyID: s.id, Algorithm: string(s.alg), Use: "sig"}
}

type claims = map[string]any

func (s signer) sign(t *testing.T, c claims) string {
	t.Helper()
	j, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: jose.JSONWebKey{Key: s.key, KeyID: s.id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := j.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newSigner(t *testing.T, id string, alg jose.SignatureAlgorithm) signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case jose.RS256:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case jose.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer{id, alg, key}
}

// good are the claims of a good token, with changes; a nil value removes one.
func good(changes claims) claims {
	c := claims{"iss": "https://issuer.example", "aud": []string{"other", "arbalest"}, "sub": "ada", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	for k, v := range changes {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func newJWTs(t *testing.T, source string, clock *time.Time) *JWTs {
	t.Helper()
	j, err := NewJWTs(JWTConfig{KeySet: source, Issuer: "https://issuer.example", Audience: "arbalest", Now: func() time.Time { return *clock }})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestJWTs(t *testing.T) {
	r, e, d := newSigner(t, "r", jose.RS256), newSigner(t, "e", jose.ES256), newSigner(t, "d", jose.EdDSA)
	unnamed := newSigner(t, "", jose.ES256)
	encrypting := newSigner(t, "enc", jose.RS256)
	encryption := encrypting.public()
	encryption.Use, encryption.Algorithm = "enc", ""
	stranger := newSigner(t, "r", jose.RS256)
	secret := []byte("0123456789abcdef0123456789abcdef")
	i := newIssuer(t, r.public(), e.public(), d.public(), unnamed.public(), encryption,
		jose.JSONWebKey{Key: secret, KeyID: "oct", Algorithm: "HS256"}, claims{"kty": "unknown"}, claims{"kty": "RSA", "n": "!"})
	at := now
	j := newJWTs(t, i.URL, &at)
	accepted := map[string]struct {
		token string
		clock time.Time
	}{
		"RS256":             {r.sign(t, good(nil)), now},
		"ES256":             {e.sign(t, good(nil)), now},
		"EdDSA":             {d.sign(t, good(nil)), now},
		"no key id":         {unnamed.sign(t, good(nil)), now},
		"one audience":      {e.sign(t, good(claims{"aud": "arbalest"})), now},
		"just expired":      {e.sign(t, good(claims{"exp": now.Unix()})), now.Add(time.Minute)},
		"just not yet":      {e.sign(t, good(claims{"nbf": now.Add(time.Minute).Unix()})), now},
		"other clock ahead": {e.sign(t, good(claims{"iat": now.Add(time.Minute).Unix()})), now},
	}
	for name, tt := range accepted {
		at = tt.clock
		if id, err := j.Verify(t.Context(), tt.token); err != nil || id.Subject != "ada" || id.Expires.Before(now) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
	at = now
	token := r.sign(t, good(nil))
	head, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	// hmacToken is "signed" with bytes that everybody knows.
	hmacToken := func(key []byte, id string) string {
		text := encode(`{"alg":"HS256","kid":"`+id+`"}`) + "." + payload
		m := hmac.New(sha256.New, key)
		m.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	der, err := x509.MarshalPKIXPublicKey(r.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"empty": "", "noise": "a.b.c", "two parts": head + "." + payload, "JSON form": `{"payload":"` + payload + `"}`,
		"no signature":                   head + "." + payload + ".",
		"alg none":                       encode(`{"alg":"none"}`) + "." + payload + ".",
		"alg None with a signature":      encode(`{"alg":"None","kid":"r"}`) + "." + payload + "." + signature,
		"HMAC with the public key":       hmacToken(der, "r"),
		"HMAC with a secret of the set":  hmacToken(secret, "oct"),
		"another algorithm than its key": encode(`{"alg":"ES256","kid":"r"}`) + "." + payload + "." + signature,
		"other claims, same signature":   head + "." + encode(`{"iss":"https://issuer.example","aud":"arbalest","sub":"eve","exp":9999999999}`) + "." + signature,
		"another's key, same id":         stranger.sign(t, good(nil)),
		"an encryption key":              encrypting.sign(t, good(nil)),
		"critical header":                encode(`{"alg":"RS256","kid":"r","crit":["x"],"x":1}`) + "." + payload + "." + signature,
		"expired":                        r.sign(t, good(claims{"exp": now.Add(-2 * time.Minute).Unix()})),
		"never expires":                  r.sign(t, good(claims{"exp": nil})),
		"not yet":                        r.sign(t, good(claims{"nbf": now.Add(2 * time.Minute).Unix()})),
		"issued in the future":           r.sign(t, good(claims{"iat": now.Add(time.Hour).Unix()})),
		"another audience":               r.sign(t, good(claims{"aud": "other"})),
		"no audience":                    r.sign(t, good(claims{"aud": nil})),
		"another issuer":                 r.sign(t, good(claims{"iss": "https://issuer.example.evil"})),
		"no issuer":                      r.sign(t, good(claims{"iss": nil})),
		"no user":                        r.sign(t, good(claims{"sub": nil})),
		"empty user":                     r.sign(t, good(claims{"sub": ""})),
		"user with a newline":            r.sign(t, good(claims{"sub": "ada\n"})),
		"user is a number":               r.sign(t, good(claims{"sub": 7})),
		"long user":                      r.sign(t, good(claims{"sub": strings.Repeat("a", SubjectBytesMax+1)})),
	} {
		id, err := j.Verify(t.Context(), token)
		if !qerr.Is(err, qerr.Unauthenticated) || id != (Identity{}) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
		if err != nil && len(token) > 20 && strings.Contains(err.Error(), token[:20]) {
			t.Errorf("%s: the refusal repeats the token", name)
		}
	}
}

func TestJWTUserClaim(t *testing.T) {
	e := newSigner(t, "e", jose.ES256)
	j, err := NewJWTs(JWTConfig{KeySet: newIssuer(t, e.public()).URL, Issuer: "https://issuer.example", Audience: "arbalest", UserClaim: "email",
		Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := j.Verify(t.Context(), e.sign(t, good(claims{"email": "ada@example.com"}))); err != nil || id.Subject != "ada@example.com" {
		t.Errorf("%+v, %v", id, err)
	}
	_, err = j.Verify(t.Context(), e.sign(t, good(nil)))
	wantKind(t, err, qerr.Unauthenticated)
}

// Keys are changed by their issuer while tokens come; what is fetched is bounded by time, whatever tokens come.
func TestKeyRotation(t *testing.T) {
	first, second := newSigner(t, "1", jose.ES256), newSigner(t, "2", jose.EdDSA)
	i := newIssuer(t, first.public())
	at := now
	j := newJWTs(t, i.URL, &at)
	if err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	verify := func(s signer) error {
		t.Helper()
		_, err := j.Verify(t.Context(), s.sign(t, good(claims{"exp": at.Add(time.Hour).Unix(), "iat": at.Unix()})))
		return err
	}
	const none = qerr.Kind(0xff)
	want := func(what string, err error, kind qerr.Kind, fetches int) {
		t.Helper()
		if kind == none && err != nil || kind != none && !qerr.Is(err, kind) || i.fetched() != fetches {
			t.Errorf("%s: %v after %d fetches, want %v after %d", what, err, i.fetched(), kind, fetches)
		}
	}
	want("known key", verify(first), none, 1)
	i.set(false, first.public(), second.public())
	want("unknown key, too soon", verify(second), qerr.Unauthenticated, 1)
	at = at.Add(keySetPause)
	want("unknown key", verify(second), none, 2)
	for range 100 {
		want("made-up keys", verify(newSigner(t, "x", jose.EdDSA)), qerr.Unauthenticated, 2)
	}
	i.set(false, second.public())
	want("withdrawn, not known yet", verify(first), none, 2)
	at = at.Add(keySetAge)
	want("withdrawn", verify(first), qerr.Unauthenticated, 3)
	i.set(true)
	at = at.Add(keySetAge)
	want("issuer away", verify(second), none, 4)
	want("issuer away, no more fetches", verify(second), none, 4)
	at = at.Add(keySetStaleMax)
	want("issuer away for long", verify(second), qerr.Unavailable, 5)
	i.set(false, second.public())
	at = at.Add(keySetPause)
	want("issuer back", verify(second), none, 6)
}

// Many calls at once that need the keys make one fetch.
func TestKeysAreFetchedOnce(t *testing.T) {
	e := newSigner(t, "e", jose.ES256)
	i := newIssuer(t, e.public())
	at := now
	j := newJWTs(t, i.URL, &at)
	token := e.sign(t, good(nil))
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := j.Verify(context.Background(), token); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := i.fetched(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

func TestKeySetFile(t *testing.T) {
	first, second := newSigner(t, "1", jose.RS256), newSigner(t, "2", jose.ES256)
	text := func(s signer) string {
		b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.public()}})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	path := writeFile(t, text(first))
	at := now
	j := newJWTs(t, path, &at)
	if _, err := j.Verify(t.Context(), first.sign(t, good(nil))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text(second)), 0o600); err != nil {
		t.Fatal(err)
	}
	at = at.Add(keyFileAge)
	if _, err := j.Verify(t.Context(), second.sign(t, good(nil))); err != nil {
		t.Error(err)
	}
	_, err := j.Verify(t.Context(), first.sign(t, good(nil)))
	wantKind(t, err, qerr.Unauthenticated)
}

func TestKeySetsRefused(t *testing.T) {
	at := now
	for _, source := range []string{"http://issuer.example/keys", "ftp://127.0.0.1/keys", "https://", "https://user:password@issuer.example/", "://"} {
		if _, err := NewJWTs(JWTConfig{KeySet: source, Issuer: "i", Audience: "a"}); err == nil {
			t.Errorf("%s is accepted", source)
		}
	}
	for name, c := range map[string]JWTConfig{"no issuer": {KeySet: "f", Audience: "a"}, "no audience": {KeySet: "f", Issuer: "i"},
		"skew": {KeySet: "f", Issuer: "i", Audience: "a", Skew: time.Hour}} {
		if _, err := NewJWTs(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	private := newSigner(t, "p", jose.ES256)
	for name, keys := range map[string]any{"text": "no", "none": []any{}, "weak": []any{jose.JSONWebKey{Key: weak.Public(), KeyID: "w"}},
		"private": []any{jose.JSONWebKey{Key: private.key, KeyID: "p"}}, "too many": make([]int, keySetKeysMax+1)} {
		b, err := json.Marshal(map[string]any{"keys": keys})
		if err != nil {
			t.Fatal(err)
		}
		if err := newJWTs(t, writeFile(t, string(b)), &at).Load(t.Context()); err == nil {
			t.Errorf("a set of %s keys is accepted", name)
		}
	}
	if err := newJWTs(t, writeFile(t, strings.Repeat(" ", keySetBytesMax+1)), &at).Load(t.Context()); err == nil {
		t.Error("a very large file is accepted")
	}
	// A redirect away from what cannot be changed on its way is not followed.
	away := httptest.NewServer(http.RedirectHandler("http://issuer.example/keys", http.StatusFound))
	defer away.Close()
	if err := newJWTs(t, away.URL, &at).Load(t.Context()); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("redirected: %v", err)
	}
}
