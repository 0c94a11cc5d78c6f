package flightserver

import (
	"context"
	"net"
	"net/http"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	authorizationHeader = "authorization"
	// tokenHeader carries the token of clients that log in by the payload of Handshake (pyarrow's authenticate).
	tokenHeader = "auth-token-bin"
	// cookieName is the cookie that holds the session token, for clients that keep cookies and no headers (JDBC).
	cookieName = "arbalest_session"
	// userBytesMax bounds user names, which stand in every token and ticket.
	userBytesMax = 255
)

// A caller is who makes a call, and in which session.
type caller struct {
	// subject is the user's name; empty on a server without users.
	subject string
	// session names the caller's session; it may hold nothing yet.
	session string
}

type callerKey struct{}

// callerOf returns the caller that the interceptors put into ctx.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// headers are what a reply tells a client about its session; empty: nothing.
type headers struct{ token string }

func (h headers) md() metadata.MD {
	if h.token == "" {
		return nil
	}
	cookie := http.Cookie{Name: cookieName, Value: h.token, Path: "/", HttpOnly: true}
	return metadata.Pairs(authorizationHeader, "Bearer "+h.token, "set-cookie", cookie.String())
}

// login finds the caller of a call and puts it into the context. A caller without a session token gets one by reply.
func (s *Server) login(ctx context.Context, reply func(headers) error) (context.Context, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	c, h, err := s.identify(md, addressOf(ctx))
	if err != nil {
		return nil, err
	}
	if h.token != "" {
		if err := reply(h); err != nil {
			return nil, qerr.Wrap(qerr.Unavailable, "send session token", err)
		}
	}
	return context.WithValue(ctx, callerKey{}, c), nil
}

// identify looks at all credentials of a call. A good session token wins, from wherever it comes; then a password; then, on
// a server without users, nothing at all. A bad credential is refused even where none is needed: a client that believes to
// be in a session must learn that it is over.
func (s *Server) identify(md metadata.MD, from string) (caller, headers, error) {
	var refused error
	tokens, passwords, err := credentials(md)
	if err != nil {
		return caller{}, headers{}, err
	}
	cookies := sessionCookies(md)
	for _, token := range append(tokens, cookies...) {
		claims, err := s.cfg.Keys.VerifyToken(token, s.cfg.Now())
		if err == nil && (claims.Subject == "" || claims.Session == "") && s.cfg.Users != nil {
			// A token of a server without users, or one for something else than a session.
			err = qerr.New(qerr.Unauthenticated, "the token names no user")
		}
		if err != nil {
			refused = err
			continue
		}
		for _, p := range passwords {
			if s.cfg.Users != nil && p.user != claims.Subject {
				// The password decides who this is; the cookie is of an earlier login.
				claims.Session = ""
			}
		}
		if claims.Session == "" {
			continue
		}
		c := caller{subject: claims.Subject, session: claims.Session}
		if claims.Expires.Sub(s.cfg.Now()) < s.cfg.TokenTTL/2 {
			return c, s.token(c), nil
		}
		return c, headers{}, nil
	}
	switch {
	case len(passwords) > 0:
		c, err := s.checkPassword(passwords[0].user, passwords[0].password, from)
		if err != nil {
			return caller{}, headers{}, err
		}
		return c, s.token(c), nil
	case len(tokens) > 0:
		return caller{}, headers{}, refused
	case s.cfg.Users != nil && refused != nil:
		return caller{}, headers{}, refused
	case s.cfg.Users != nil:
		return caller{}, headers{}, qerr.New(qerr.Unauthenticated, "this server asks for a user name and a password, or a token")
	}
	c := caller{session: newSessionID()}
	return c, s.token(c), nil
}

// addressOf is where a call comes from, without the port.
func addressOf(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	host, _, err := net.SplitHostPort(p.Addr.String())
	if err != nil {
		return p.Addr.String()
	}
	return host
}

// checkPassword opens a fresh session for a user. A server without users lets every pair in, as anonymous: many tools
// insist on sending one. Who fails again and again has to wait before another password is looked at.
func (s *Server) checkPassword(user, password, from string) (caller, error) {
	if s.cfg.Users == nil {
		return caller{session: newSessionID()}, nil
	}
	if user == "" || len(user) > userBytesMax {
		return caller{}, qerr.New(qerr.Unauthenticated, "the user name must have 1 to %d bytes", userBytesMax)
	}
	key := from + " " + user
	if err := s.attempts.Check(key, s.cfg.Now()); err != nil {
		return caller{}, err
	}
	err := s.cfg.Users.Verify(user, password)
	s.attempts.Done(key, err != nil, s.cfg.Now())
	if err != nil {
		s.cfg.Log.Warn().Str("user", user).Str("from", from).Msg("a login failed")
		return caller{}, err
	}
	return caller{subject: user, session: newSessionID()}, nil
}

func (s *Server) token(c caller) headers {
	return headers{token: s.cfg.Keys.IssueToken(auth.Claims{Subject: c.subject, Session: c.session, Expires: s.cfg.Now().Add(s.cfg.TokenTTL)})}
}

type password struct{ user, password string }

// credentials reads the authorization headers; drivers send several at once when they keep an old one beside a new one.
func credentials(md metadata.MD) (tokens []string, passwords []password, err error) {
	for _, value := range md.Get(authorizationHeader) {
		scheme, user, pass, token, e := auth.ParseAuthorization(value)
		switch {
		case e != nil:
			err = e
		case scheme == auth.SchemeBasic:
			passwords = append(passwords, password{user, pass})
		default:
			tokens = append(tokens, token)
		}
	}
	if len(tokens) == 0 {
		tokens = append(tokens, md.Get(tokenHeader)...)
	}
	if len(tokens)+len(passwords) > 0 {
		err = nil // One that can be read is enough.
	}
	return tokens, passwords, err
}

func sessionCookies(md metadata.MD) []string {
	var found []string
	for _, line := range md.Get("cookie") {
		for _, pair := range strings.Split(line, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if name == cookieName && value != "" {
				// Java's cookie parser puts values into quotes.
				found = append(found, strings.Trim(value, `"`))
			}
		}
	}
	return found
}
