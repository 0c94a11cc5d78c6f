package auth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// jwtSkewMax bounds the configured difference of clocks: beyond it a clock is wrong, not late.
	jwtSkewMax = 10 * time.Minute
	// jwtKeysTriedMax bounds the keys that a token without a key id is checked with: each costs tens of microseconds.
	jwtKeysTriedMax = 8
)

// jwtAlgorithms are the signatures taken. All are of key pairs: with none of a shared secret, nobody can present a token
// "signed" with a public key; and "none" is not among them.
var jwtAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA}

// A JWTConfig says whose tokens are taken.
type JWTConfig struct {
	// KeySet is the file or URL of the issuer's public keys (RFC 7517). URLs are https, or http of this machine.
	KeySet string
	// Issuer and Audience must stand in the token: a token made for another service is not good here.
	Issuer, Audience string
	// UserClaim is the claim that has the user's name. Default "sub".
	UserClaim string
	// Skew is by how much the issuer's clock may differ. Default 1 min, at most 10 min.
	Skew time.Duration
	// Client fetches the keys. Default: one with a deadline, which does not follow redirects away from https.
	Client *http.Client
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// JWTs verifies JSON web tokens of one issuer. Safe for concurrent use; it has no goroutine of its own.
type JWTs struct {
	cfg  JWTConfig
	keys *keySet
}

// NewJWTs checks the configuration. Keys are loaded by the first token, or by Load.
func NewJWTs(cfg JWTConfig) (*JWTs, error) {
	if cfg.UserClaim == "" {
		cfg.UserClaim = "sub"
	}
	if cfg.Skew == 0 {
		cfg.Skew = time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.Issuer == "" || cfg.Audience == "":
		return nil, qerr.New(qerr.User, "JSON web tokens need an issuer and an audience that they must name")
	case cfg.Skew < 0 || cfg.Skew > jwtSkewMax:
		return nil, qerr.New(qerr.User, "the clock skew of JSON web tokens is %s; allowed are 0 to %s", cfg.Skew, jwtSkewMax)
	}
	keys, err := newKeySet(cfg.KeySet, cfg.Client, cfg.Now)
	if err != nil {
		return nil, err
	}
	return &JWTs{cfg: cfg, keys: keys}, nil
}

// Load fetches the keys now, so that a wrong name shows at start.
func (j *JWTs) Load(ctx context.Context) error { return j.keys.reload(ctx) }

// Verify implements TokenVerifier: signature first, then issuer, audience and times, then the user's name. A token must expire.
func (j *JWTs) Verify(ctx context.Context, token string) (Identity, error) {
	parsed, err := jwt.ParseSigned(token, jwtAlgorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return Identity{}, qerr.New(qerr.Unauthenticated, "the token is not a JSON web token signed by RS256, ES256 or EdDSA")
	}
	header := parsed.Headers[0]
	keys, err := j.keys.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return Identity{}, err
	}
	if len(keys) > jwtKeysTriedMax {
		return Identity{}, qerr.New(qerr.Unauthenticated, "the token names no key, and its issuer has too many to try")
	}
	var claims jwt.Claims
	var all map[string]any
	signed := false
	for _, key := range keys {
		if parsed.Claims(key, &claims, &all) == nil {
			signed = true
			break
		}
	}
	if !signed {
		return Identity{}, qerr.New(qerr.Unauthenticated, "the token is not signed by a key of its issuer")
	}
	if err := j.checkClaims(claims); err != nil {
		return Identity{}, err
	}
	name, _ := all[j.cfg.UserClaim].(string)
	if fault := subjectFault(name); fault != "" {
		return Identity{}, qerr.New(qerr.Unauthenticated, "the token's claim %s %s", j.cfg.UserClaim, fault)
	}
	return Identity{Subject: name, Expires: claims.Expiry.Time().Add(j.cfg.Skew)}, nil
}

func (j *JWTs) checkClaims(claims jwt.Claims) error {
	if claims.Expiry == nil {
		return qerr.New(qerr.Unauthenticated, "the token never expires; it must have the claim exp")
	}
	err := claims.ValidateWithLeeway(jwt.Expected{Issuer: j.cfg.Issuer, AnyAudience: jwt.Audience{j.cfg.Audience}, Time: j.cfg.Now()}, j.cfg.Skew)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return qerr.New(qerr.Unauthenticated, "the token is of another issuer than %s", j.cfg.Issuer)
	case errors.Is(err, jwt.ErrInvalidAudience):
		return qerr.New(qerr.Unauthenticated, "the token is for another audience than %s", j.cfg.Audience)
	case errors.Is(err, jwt.ErrExpired):
		return qerr.New(qerr.Unauthenticated, "the token expired at %s", claims.Expiry.Time().UTC().Format(time.RFC3339))
	case errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return qerr.New(qerr.Unauthenticated, "the token is not valid yet, or the issuer's clock and this node's differ by more than %s", j.cfg.Skew)
	}
	return qerr.New(qerr.Unauthenticated, "the token's claims are not good here")
}
