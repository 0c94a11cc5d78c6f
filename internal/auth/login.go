package auth

import (
	"context"
	"crypto/x509"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// SubjectBytesMax bounds users' names, which stand in every token and ticket.
const SubjectBytesMax = 255

// An Identity is who a credential proves its holder to be.
type Identity struct {
	// Subject is the user's name, never empty.
	Subject string
	// Expires is when the credential ends; zero = not by itself.
	Expires time.Time
}

// A PasswordVerifier checks names and passwords. *Users is one.
type PasswordVerifier interface {
	// Verify returns an error of kind Unauthenticated for a wrong pair.
	Verify(name, password string) error
}

// A TokenVerifier checks bearer tokens that are not this cluster's own. *Tokens and *JWTs are.
type TokenVerifier interface {
	// Verify says whose the token is. Unauthenticated: it is not good here; other kinds: nobody can tell now.
	Verify(ctx context.Context, token string) (Identity, error)
}

// A LoginsConfig says what is taken as proof of who somebody is. Nil parts take nothing.
type LoginsConfig struct {
	Passwords PasswordVerifier
	// Tokens are asked in their order.
	Tokens []TokenVerifier
	// Certificates says which name in a verified client certificate is the user's.
	Certificates CertificateName
	Log          zerolog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Logins check what callers show, and slow down who fails again and again from one address. Failures are logged with name,
// address and reason, never with what was shown. Safe for concurrent use.
type Logins struct {
	cfg      LoginsConfig
	attempts Attempts
	// good are tokens that were right lately, so that one caller's failures do not lock out others of its address.
	good *verified
}

// NewLogins returns logins without failures.
func NewLogins(cfg LoginsConfig) *Logins { return &Logins{cfg: cfg, good: newVerified()} }

// Required reports whether there is any way to log in, and so a need to.
func (l *Logins) Required() bool {
	return l.cfg.Passwords != nil || len(l.cfg.Tokens) > 0 || l.cfg.Certificates != NoCertificateName
}

// Wanted says what a caller may show, for refusals.
func (l *Logins) Wanted() string {
	var ways []string
	if l.cfg.Passwords != nil {
		ways = append(ways, "a user name and a password")
	}
	if l.cfg.Certificates != NoCertificateName {
		ways = append(ways, "a client certificate")
	}
	return strings.Join(append(ways, "a bearer token"), " or ")
}

// TakesPasswords reports whether names and passwords are checked here.
func (l *Logins) TakesPasswords() bool { return l.cfg.Passwords != nil }

// Password checks a name and a password that came from an address.
func (l *Logins) Password(user, password, from string) (Identity, error) {
	if l.cfg.Passwords == nil {
		return Identity{}, qerr.New(qerr.Unauthenticated, "this server takes no passwords: it asks for %s", l.Wanted())
	}
	if fault := subjectFault(user); fault != "" {
		return Identity{}, qerr.New(qerr.Unauthenticated, "the user name %s", fault)
	}
	key := from + " " + user
	if err := l.attempts.Check(key, l.cfg.Now()); err != nil {
		return Identity{}, err
	}
	err := l.cfg.Passwords.Verify(user, password)
	if qerr.Is(err, qerr.Unavailable) {
		return Identity{}, err
	}
	l.attempts.Done(key, err != nil, l.cfg.Now())
	if err != nil {
		l.cfg.Log.Warn().Str("user", user).Str("from", from).Msg("a login failed")
		return Identity{}, err
	}
	return Identity{Subject: user}, nil
}

// Token checks a bearer token of others that came from an address. A call that is refused for it is noted by BadToken; it may be
// good for other reasons.
func (l *Logins) Token(ctx context.Context, token, from string) (Identity, error) {
	if len(l.cfg.Tokens) == 0 || len(token) > externalTokenBytesMax {
		return Identity{}, qerr.New(qerr.Unauthenticated, "this is not a token of this cluster")
	}
	if !l.good.has("", token) {
		if err := l.attempts.Check(tokenAttempts(from), l.cfg.Now()); err != nil {
			return Identity{}, err
		}
	}
	var refused error
	for _, v := range l.cfg.Tokens {
		id, err := v.Verify(ctx, token)
		if err == nil {
			l.good.add("", token)
			return id, nil
		}
		if !qerr.Is(err, qerr.Unauthenticated) || refused == nil || qerr.Is(refused, qerr.Unauthenticated) {
			refused = err
		}
	}
	if !qerr.Is(refused, qerr.Unauthenticated) {
		l.cfg.Log.Warn().Str("from", from).Err(refused).Msg("a token could not be checked")
	}
	return Identity{}, refused
}

// BadToken notes a token that was refused, one of ours too, and returns what its holder is told: the reason, or how long to
// wait after too many of them from one address. A server without logins notes nothing.
func (l *Logins) BadToken(reason error, from string) error {
	if !l.Required() || !qerr.Is(reason, qerr.Unauthenticated) {
		return reason
	}
	key, now := tokenAttempts(from), l.cfg.Now()
	if err := l.attempts.Check(key, now); err != nil {
		return err
	}
	l.attempts.Done(key, true, now)
	l.cfg.Log.Warn().Str("from", from).Str("reason", reason.Error()).Msg("a token was refused")
	return reason
}

// tokenAttempts is the key of an address's bad tokens: a token that is refused names nobody. A blank user is no user's name.
func tokenAttempts(from string) string { return from + " " }

// Certificate says who the verified certificate of a connection stands for. known is false where certificates name nobody, or
// none was shown.
func (l *Logins) Certificate(leaf *x509.Certificate) (id Identity, known bool, err error) {
	if l.cfg.Certificates == NoCertificateName || leaf == nil {
		return Identity{}, false, nil
	}
	name, err := l.cfg.Certificates.of(leaf)
	if err != nil {
		return Identity{}, false, err
	}
	return Identity{Subject: name, Expires: leaf.NotAfter}, true, nil
}

// subjectFault says why a text is no user's name; empty when it is one.
func subjectFault(name string) string {
	switch {
	case name == "" || len(name) > SubjectBytesMax:
		return "must have 1 to 255 bytes"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "must be UTF-8 without control characters"
	}
	return ""
}
