package auth

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func testTokens(t *testing.T) (tokens *Tokens, etl, report string) {
	t.Helper()
	etl, hash := NewToken()
	report = "a token that somebody chose"
	tokens, err := LoadTokens(writeFile(t, "# programs\netl:"+hash+"\n\nreport: "+HashToken(report)+"\netl:"+HashToken("next")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return tokens, etl, report
}

func TestTokensOfAFile(t *testing.T) {
	tokens, etl, report := testTokens(t)
	for token, want := range map[string]string{etl: "etl", "next": "etl", report: "report"} {
		if id, err := tokens.Verify(t.Context(), token); err != nil || id.Subject != want || !id.Expires.IsZero() {
			t.Errorf("%+v, %v", id, err)
		}
	}
	for _, token := range []string{"", etl[:len(etl)-1], etl + "0", HashToken(etl), strings.ToUpper(etl)} {
		_, err := tokens.Verify(t.Context(), token)
		wantKind(t, err, qerr.Unauthenticated)
	}
	a, _ := NewToken()
	b, _ := NewToken()
	if a == b {
		t.Error("two tokens are the same")
	}
}

func TestLoadTokensRefuses(t *testing.T) {
	_, hash := NewToken()
	for name, text := range map[string]string{"empty": "# none\n", "no hash": "etl\n", "plain": "etl:secret\n", "other hash": "etl:md5:00\n",
		"short": "etl:" + hash[:len(hash)-2] + "\n", "no name": ":" + hash + "\n", "control": "e\x01:" + hash + "\n"} {
		if _, err := LoadTokens(writeFile(t, text)); !qerr.Is(err, qerr.User) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := LoadTokens("/nowhere"); !qerr.Is(err, qerr.User) {
		t.Error(err)
	}
}

// unreachable is an issuer that cannot be asked now.
type unreachable struct{}

func (unreachable) Verify(context.Context, string) (Identity, error) {
	return Identity{}, qerr.New(qerr.Unavailable, "the issuer is away")
}

func TestLogins(t *testing.T) {
	tokens, etl, report := testTokens(t)
	var log bytes.Buffer
	at := now
	l := NewLogins(LoginsConfig{Passwords: testUsers(t), Tokens: []TokenVerifier{tokens}, Log: zerolog.New(&log), Now: func() time.Time { return at }})
	if !l.Required() || !l.TakesPasswords() || NewLogins(LoginsConfig{}).Required() {
		t.Error("what is required")
	}
	if id, err := l.Password("ada", "l0velace", "1.1.1.1"); err != nil || id.Subject != "ada" {
		t.Errorf("%+v, %v", id, err)
	}
	if id, err := l.Token(t.Context(), etl, "1.1.1.1"); err != nil || id.Subject != "etl" {
		t.Errorf("%+v, %v", id, err)
	}

	// Bad tokens of an address slow it down, but not who was let in before, and not other addresses.
	bad := func(from string) error {
		_, err := l.Token(t.Context(), "a-guess", from)
		return l.BadToken(err, from)
	}
	for range attemptsFree {
		wantKind(t, bad("2.2.2.2"), qerr.Unauthenticated)
	}
	err := bad("2.2.2.2")
	wantKind(t, err, qerr.Unavailable)
	wantKind(t, l.BadToken(qerr.New(qerr.Unauthenticated, "one of ours"), "2.2.2.2"), qerr.Unavailable)
	_, err = l.Token(t.Context(), report, "2.2.2.2")
	wantKind(t, err, qerr.Unavailable)
	for _, good := range []struct{ token, from string }{{etl, "2.2.2.2"}, {report, "1.1.1.1"}, {report, "2.2.2.2"}} {
		if _, err := l.Token(t.Context(), good.token, good.from); err != nil {
			t.Errorf("%s: %v", good.from, err)
		}
	}
	at = at.Add(attemptsWaitMax)
	wantKind(t, bad("2.2.2.2"), qerr.Unauthenticated)

	for range attemptsFree {
		_, err = l.Password("ada", "s3cret-guess", "3.3.3.3")
		wantKind(t, err, qerr.Unauthenticated)
	}
	_, err = l.Password("ada", "l0velace", "3.3.3.3")
	wantKind(t, err, qerr.Unavailable)
	_, err = l.Password("", "x", "3.3.3.3")
	wantKind(t, err, qerr.Unauthenticated)

	for _, secret := range []string{"a-guess", "s3cret-guess", etl, report} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, log.String())
		}
	}
	for _, known := range []string{"2.2.2.2", "3.3.3.3", `"user":"ada"`, "a token was refused"} {
		if !strings.Contains(log.String(), known) {
			t.Errorf("the log lacks %q:\n%s", known, log.String())
		}
	}

	// An issuer that is away is no failure of the caller's.
	l = NewLogins(LoginsConfig{Tokens: []TokenVerifier{tokens, unreachable{}}, Log: zerolog.Nop(), Now: func() time.Time { return at }})
	for range 2 * attemptsFree {
		wantKind(t, bad("4.4.4.4"), qerr.Unavailable)
	}
	if _, err := l.Token(t.Context(), etl, "4.4.4.4"); err != nil {
		t.Error(err)
	}
	if _, err := l.Password("ada", "x", "4.4.4.4"); !qerr.Is(err, qerr.Unauthenticated) {
		t.Error(err)
	}
}

func TestCertificateNames(t *testing.T) {
	u, err := url.Parse("spiffe://example/etl")
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{Subject: pkix.Name{CommonName: "ada"}, DNSNames: []string{"a", "b"}, EmailAddresses: []string{"ada@example.com"},
		URIs: []*url.URL{u}, NotAfter: now}
	for kind, want := range map[CertificateName]string{CommonName: "ada", DNSName: "", EmailName: "ada@example.com", URIName: "spiffe://example/etl"} {
		l := NewLogins(LoginsConfig{Certificates: kind})
		id, known, err := l.Certificate(leaf)
		if want == "" {
			wantKind(t, err, qerr.Unauthenticated)
		} else if err != nil || !known || id.Subject != want || !id.Expires.Equal(now) {
			t.Errorf("%s: %+v, %v, %v", kind, id, known, err)
		}
		if _, known, err := l.Certificate(nil); known || err != nil {
			t.Errorf("%s: no certificate is %v, %v", kind, known, err)
		}
		if _, _, err := l.Certificate(&x509.Certificate{}); !qerr.Is(err, qerr.Unauthenticated) {
			t.Errorf("%s: a nameless certificate: %v", kind, err)
		}
		if got, err := ParseCertificateName(string(kind)); got != kind || err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, known, _ := NewLogins(LoginsConfig{}).Certificate(leaf); known {
		t.Error("a certificate names somebody where none should")
	}
	if _, err := ParseCertificateName("serial"); err == nil {
		t.Error("serial is accepted")
	}
}

func TestRenewableTokens(t *testing.T) {
	k := GenerateKeyring()
	for _, until := range []time.Time{{}, now.Add(time.Hour)} {
		c := Claims{Subject: "ada", Session: "s", Expires: now.Add(time.Minute), RenewableUntil: until}
		got, err := k.VerifyToken(k.IssueToken(c), now)
		if err != nil || !got.RenewableUntil.Equal(until) || !got.Expires.Equal(c.Expires) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}
