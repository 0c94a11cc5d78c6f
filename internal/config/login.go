package config

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// loginFlags are the ways to log in.
func (n *Node) loginFlags(f *pflag.FlagSet) {
	users := "`FILE` of NAME:ARGON2ID-HASH lines (arbalest hash-password makes them); without any login everybody may connect, from this machine only"
	also := ""
	if n.Role == Worker {
		users = "`FILE` as the coordinator's, for clients that send name and password to workers too; without any login only the coordinator's tokens are taken"
		also = "; as the coordinator's"
	}
	f.StringVar(&n.TLSClientUser, "tls-client-user", "", "`NAME` in client certificates that is the user's: cn, or the only dns, email or uri of the alternative names"+also)
	f.StringVar(&n.Users, "users", "", users)
	f.StringVar(&n.Tokens, "tokens", "", "`FILE` of NAME:sha256:HASH lines of bearer tokens (arbalest make-token makes them)"+also)
	f.StringVar(&n.JWKS, "jwks", "", "`FILE|URL` of the public keys of the issuer whose JSON web tokens are taken"+also)
	f.StringVar(&n.JWTIssuer, "jwt-issuer", "", "`ISSUER` that such tokens must name (iss)")
	f.StringVar(&n.JWTAudience, "jwt-audience", "", "`AUDIENCE` that such tokens must be for (aud)")
	f.StringVar(&n.JWTUserClaim, "jwt-user-claim", "sub", "`CLAIM` of such tokens that is the user's name")
	f.DurationVar(&n.JWTClockSkew, "jwt-clock-skew", time.Minute, "`DURATION` by which the issuer's clock may differ")
	if n.Role != Worker {
		f.DurationVar(&n.TokenTTL, "token-ttl", 12*time.Hour, "`DURATION` after which a session's bearer token ends unless it was renewed, as it is by calls past half of it")
		f.DurationVar(&n.LoginMax, "login-max", 7*24*time.Hour, "`DURATION` after which tokens are not renewed any more: the client has to log in again")
	}
}

// LogsIn reports whether there is a way to log in.
func (n *Node) LogsIn() bool {
	return n.Users != "" || n.Tokens != "" || n.JWKS != "" || n.TLSClientUser != ""
}

// checkLogins checks what belongs together.
func (n *Node) checkLogins(bad func(string, ...any)) {
	if n.TLSClientUser != "" && n.TLSClientCA == "" {
		bad("--tls-client-user needs --tls-client-ca: a certificate from anybody proves nothing")
	}
	if !oneOf(n.TLSClientUser, "", "cn", "dns", "email", "uri") {
		bad("--tls-client-user %q: allowed are cn, dns, email, uri", n.TLSClientUser)
	}
	if n.TLSClientOptional && n.TLSClientCA == "" {
		bad("--tls-client-optional needs --tls-client-ca")
	}
	if n.JWKS != "" && (n.JWTIssuer == "" || n.JWTAudience == "") {
		bad("--jwks needs --jwt-issuer and --jwt-audience: a token made for another service must not be good here")
	}
	if n.JWKS == "" && (n.JWTIssuer != "" || n.JWTAudience != "") {
		bad("--jwt-issuer and --jwt-audience need --jwks")
	}
	if n.JWKS != "" && !strings.Contains(n.JWKS, "://") {
		if _, err := os.Stat(n.JWKS); err != nil {
			bad("--jwks: %w", err)
		}
	}
	if n.JWTClockSkew < 0 || n.JWTClockSkew > 10*time.Minute {
		bad("--jwt-clock-skew %s: allowed are 0s to 10m", n.JWTClockSkew)
	}
	if n.Role != Worker && (n.TokenTTL < time.Minute || n.LoginMax < n.TokenTTL) {
		bad("--token-ttl %s and --login-max %s: the first is at least 1m, the second at least the first", n.TokenTTL, n.LoginMax)
	}
}
