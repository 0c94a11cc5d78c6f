package flightserver

import (
	"context"
	"crypto/x509"
	"net"
	"slices"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/arbalest-sql/arbalest/internal/auth"
)

// certificateOf is the verified certificate of a call's connection; nil when it has none.
func certificateOf(ctx context.Context) *x509.Certificate {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return nil
	}
	return info.State.PeerCertificates[0]
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

type password struct{ user, password string }

// given is what a call shows of its caller: session tokens, tokens of others, passwords. bearer: there was a bearer token.
type given struct {
	sessions, tokens []string
	passwords        []password
	bearer           bool
}

// namesOther reports whether a call's login is of another user than its session.
func (g given) namesOther(subject string, proven *auth.Identity) bool {
	if proven != nil {
		return proven.Subject != subject
	}
	return slices.ContainsFunc(g.passwords, func(p password) bool { return p.user != subject })
}

// credentialsOf reads the headers; drivers send several at once when they keep an old one beside a new one.
func credentialsOf(md metadata.MD) (given, error) {
	var g given
	var err error
	bearer := func(token string) {
		g.bearer = true
		if auth.Ours(token) {
			g.sessions = append(g.sessions, token)
		} else {
			g.tokens = append(g.tokens, token)
		}
	}
	for _, value := range md.Get(authorizationHeader)[:min(len(md.Get(authorizationHeader)), credentialsMax)] {
		scheme, user, pass, token, e := auth.ParseAuthorization(value)
		switch {
		case e != nil:
			err = e
		case scheme == auth.SchemeBasic:
			g.passwords = append(g.passwords, password{user, pass})
		default:
			bearer(token)
		}
	}
	if !g.bearer {
		for _, token := range md.Get(tokenHeader)[:min(len(md.Get(tokenHeader)), credentialsMax)] {
			bearer(token)
		}
	}
	if g.bearer || len(g.passwords) > 0 {
		err = nil // One that can be read is enough.
	}
	cookies := sessionCookies(md)
	g.sessions = append(g.sessions, cookies[:min(len(cookies), credentialsMax)]...)
	return g, err
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
