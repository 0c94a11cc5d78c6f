package main

import (
	"context"
	"fmt"

	"github.com/arbalest-sql/arbalest/internal/auth"
)

// logins are the ways that clients can log in to this node.
type logins struct {
	users        *auth.Users // nil: none
	tokens       []auth.TokenVerifier
	certificates auth.CertificateName
}

// openLogins loads what the flags name. An issuer that cannot be reached now may be reached later; all else is an error.
func (n *node) openLogins() (l logins, err error) {
	c := n.config
	if c.Users != "" {
		if l.users, err = auth.LoadUsers(c.Users); err != nil {
			return l, fmt.Errorf("--users: %w", err)
		}
	}
	if c.Tokens != "" {
		tokens, err := auth.LoadTokens(c.Tokens)
		if err != nil {
			return l, fmt.Errorf("--tokens: %w", err)
		}
		l.tokens = append(l.tokens, tokens)
	}
	if c.JWKS != "" {
		jwts, err := auth.NewJWTs(auth.JWTConfig{KeySet: c.JWKS, Issuer: c.JWTIssuer, Audience: c.JWTAudience, UserClaim: c.JWTUserClaim, Skew: c.JWTClockSkew})
		if err != nil {
			return l, fmt.Errorf("--jwks: %w", err)
		}
		if err := jwts.Load(context.Background()); err != nil {
			n.log.Warn().Err(err).Msg("the issuer's keys cannot be loaded yet; tokens are refused until they are")
		}
		l.tokens = append(l.tokens, jwts)
	}
	if l.certificates, err = auth.ParseCertificateName(c.TLSClientUser); err != nil {
		return l, fmt.Errorf("--tls-client-user: %w", err)
	}
	return l, nil
}
