package flightserver

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

const (
	authorizationHeader = "authorization"
	// tokenHeader carries the token of clients that log in by the payload of Handshake (pyarrow's authenticate).
	tokenHeader = "auth-token-bin"
	// cookieName is the cookie that holds the session token, for clients that keep cookies and no headers (JDBC).
	cookieName = "arbalest_session"
	// credentialsMax bounds the credentials of a sort that are looked at in one call; drivers send two.
	credentialsMax = 4
)

// A caller is who makes a call, and in which session.
type caller struct {
	// subject is the user's name; empty on a server without logins.
	subject string
	// session names the caller's session; it may hold nothing yet.
	session string
	// initial are the options of a session that holds nothing yet, by the call's headers; nil: the defaults.
	initial *settings.Values
}

// options are those of a session of the caller's that holds nothing yet.
func (c caller) options() settings.Values {
	if c.initial == nil {
		return settings.Defaults()
	}
	return *c.initial
}

type callerKey struct{}

// callerOf returns the caller that the interceptors put into ctx.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// headers are what a reply tells a client about its session: the token, when it is one that the client does not have yet.
type headers struct {
	token string
	fresh bool
}

func (h headers) md() metadata.MD {
	cookie := http.Cookie{Name: cookieName, Value: h.token, Path: "/", HttpOnly: true}
	return metadata.Pairs(authorizationHeader, "Bearer "+h.token, "set-cookie", cookie.String())
}

// login finds the caller of a call and puts it into the context. A caller without a session token gets one by reply.
func (s *Server) login(ctx context.Context, reply func(headers) error) (context.Context, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	c, h, err := s.identify(ctx, md)
	if err != nil {
		return nil, err
	}
	if h.fresh {
		if err := reply(h); err != nil {
			return nil, qerr.Wrap(qerr.Unavailable, "send session token", err)
		}
	}
	if c.initial, err = optionsOf(md); err != nil {
		return nil, err
	}
	return context.WithValue(ctx, callerKey{}, c), nil
}

// identify looks at all credentials of a call. A good session token wins, from wherever it comes; then a bearer token of others, a
// password, the connection's certificate; then, on a server without logins, nothing at all. A bad credential is refused even where
// none is needed: a client that believes to be in a session must learn that it is over.
func (s *Server) identify(ctx context.Context, md metadata.MD) (caller, headers, error) {
	given, err := credentialsOf(md)
	if err != nil {
		return caller{}, headers{}, err
	}
	from := addressOf(ctx)
	proven, refused := s.proveToken(ctx, given.tokens, from)
	for _, token := range given.sessions {
		claims, err := s.verifySession(token)
		if err != nil {
			refused = err
			continue
		}
		if s.logins.Required() && given.namesOther(claims.Subject, proven) {
			continue // The login decides who this is; the session is of an earlier one.
		}
		c := caller{subject: claims.Subject, session: claims.Session}
		if h := s.renewed(c, claims, proven); h.fresh {
			return c, h, nil
		}
		return c, headers{token: token}, nil
	}
	switch {
	case proven != nil:
		return s.welcome(*proven)
	case len(given.passwords) > 0:
		return s.openByPassword(given.passwords[0].user, given.passwords[0].password, from)
	case given.bearer:
		return caller{}, headers{}, s.logins.BadToken(refused, from)
	}
	if id, known, err := s.logins.Certificate(certificateOf(ctx)); err != nil {
		return caller{}, headers{}, err
	} else if known {
		return s.welcome(id)
	}
	switch {
	case s.logins.Required() && refused != nil: // A cookie that is over.
		return caller{}, headers{}, s.logins.BadToken(refused, from)
	case s.logins.Required():
		return caller{}, headers{}, qerr.New(qerr.Unauthenticated, "this server asks for %s", s.logins.Wanted())
	}
	return s.welcome(auth.Identity{})
}

// proveToken asks those who know tokens that are not ours.
func (s *Server) proveToken(ctx context.Context, tokens []string, from string) (*auth.Identity, error) {
	var refused error
	for _, token := range tokens {
		id, err := s.logins.Token(ctx, token, from)
		if err == nil {
			return &id, nil
		}
		refused = err
	}
	return nil, refused
}

// verifySession checks a session token. One of a server without logins, or for something else than a session, is none.
func (s *Server) verifySession(token string) (auth.Claims, error) {
	claims, err := s.cfg.Keys.VerifyToken(token, s.cfg.Now())
	if err == nil && claims.Subject == "" && s.logins.Required() {
		err = qerr.New(qerr.Unauthenticated, "the token names no user")
	}
	if err == nil && claims.Session == "" {
		err = qerr.New(qerr.Unauthenticated, "the token is not one for this server's sessions")
	}
	return claims, err
}

// welcome gives a caller whose login was just checked a fresh session. Its token ends with the login behind it.
func (s *Server) welcome(id auth.Identity) (caller, headers, error) {
	c := caller{subject: id.Subject, session: newSessionID(s.cfg.Queries.ID())}
	return c, s.token(c, s.loginEnd(id)), nil
}

// loginEnd is until when tokens of a login can be renewed; zero = for ever, as it is for a caller who is nobody.
func (s *Server) loginEnd(id auth.Identity) time.Time {
	if id.Subject == "" {
		return time.Time{}
	}
	end := s.cfg.Now().Add(s.cfg.LoginMax)
	if !id.Expires.IsZero() && id.Expires.Before(end) {
		end = id.Expires
	}
	return end
}

// renewed replaces a session token that is past half its time, as far as the login behind it reaches, which another bearer token of
// the same user moves on.
func (s *Server) renewed(c caller, claims auth.Claims, proven *auth.Identity) headers {
	now, end := s.cfg.Now(), claims.RenewableUntil
	if proven != nil {
		end = s.loginEnd(*proven)
	}
	left := claims.Expires.Sub(now)
	if left >= s.cfg.TokenTTL/2 || !end.IsZero() && !end.After(claims.Expires) {
		return headers{}
	}
	return s.token(c, end)
}

func (s *Server) token(c caller, end time.Time) headers {
	expires := s.cfg.Now().Add(s.cfg.TokenTTL)
	if !end.IsZero() && end.Before(expires) {
		expires = end
	}
	return headers{fresh: true, token: s.cfg.Keys.IssueToken(auth.Claims{Subject: c.subject, Session: c.session, Expires: expires, RenewableUntil: end})}
}

// openByPassword opens a session for a user. A server without logins lets every pair in, as nobody: many tools insist on sending one.
func (s *Server) openByPassword(user, password, from string) (caller, headers, error) {
	if !s.logins.Required() {
		return s.welcome(auth.Identity{})
	}
	id, err := s.logins.Password(user, password, from)
	if err != nil {
		return caller{}, headers{}, err
	}
	return s.welcome(id)
}
