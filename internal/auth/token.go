package auth

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// CredentialHeader is the gRPC metadata key under which a node of the cluster proves that it is one.
	CredentialHeader = "arbalest-cluster"

	// tokenBytesMax bounds a bearer token in its text form; ours have some 200 bytes.
	tokenBytesMax = 8 << 10
	// tokenPrefix tells our tokens from JWTs and others' opaque ones.
	tokenPrefix = "arb1."
	// credentialTTL is how long a cluster credential lasts: each call makes its own, so it needs to outlive one call's start.
	credentialTTL = time.Minute
	// ClockSkewMax is by how much two nodes' clocks may differ before their credentials are refused: what Kerberos allows, and far
	// more than clocks that somebody looks after ever do.
	ClockSkewMax = 5 * time.Minute

	kindToken      = "token"
	kindCredential = "credential"
)

// Claims are what a bearer token says of its holder.
type Claims struct {
	// Subject is the user's name; empty for a session without login.
	Subject string
	// Session names the session that the token continues; may be empty.
	Session string
	// Expires is when the token ends; to the millisecond.
	Expires time.Time
	// RenewableUntil is when the login behind the token ends: no token that follows it lasts longer. Zero = no such end.
	RenewableUntil time.Time
}

// Ours reports whether a token has the form of those that a Keyring issues, so that no other verifier is asked about it.
func Ours(token string) bool { return strings.HasPrefix(token, tokenPrefix) }

// IssueToken returns a signed bearer token of the claims.
func (k *Keyring) IssueToken(c Claims) string {
	h := &pb.Handle{Version: HandleVersion, Kind: kindToken, Subject: c.Subject, Session: c.Session, ExpiresUnixMs: c.Expires.UnixMilli()}
	if !c.RenewableUntil.IsZero() {
		h.Body = binary.AppendVarint(nil, c.RenewableUntil.UnixMilli())
	}
	return k.sealText(domainToken, h)
}

// VerifyToken checks a bearer token of ours. Forged and expired ones, and tokens of others, are Unauthenticated.
func (k *Keyring) VerifyToken(token string, now time.Time) (Claims, error) {
	h, err := k.unsealText(domainToken, "token", token)
	if err != nil {
		return Claims{}, err
	}
	if err := unexpired("token", h.ExpiresUnixMs, now); err != nil {
		return Claims{}, err
	}
	c := Claims{Subject: h.Subject, Session: h.Session, Expires: time.UnixMilli(h.ExpiresUnixMs)}
	if len(h.Body) > 0 {
		until, n := binary.Varint(h.Body)
		if n != len(h.Body) {
			return Claims{}, qerr.New(qerr.Unauthenticated, "the token is signed, but not readable by this version")
		}
		c.RenewableUntil = time.UnixMilli(until)
	}
	return c, nil
}

// Credential returns what a node sends with each call to another node (under CredentialHeader) to prove that it holds the
// cluster key. It lasts a minute, so that one that leaks into a log is soon worth nothing.
func (k *Keyring) Credential(now time.Time) string {
	return k.sealText(domainCredential, &pb.Handle{Version: HandleVersion, Kind: kindCredential,
		ExpiresUnixMs: now.Add(credentialTTL).UnixMilli()})
}

// VerifyCredential checks a cluster credential, allowing for clocks that differ by up to ClockSkewMax.
func (k *Keyring) VerifyCredential(credential string, now time.Time) error {
	if credential == "" {
		return qerr.New(qerr.Unauthenticated, "this call is for nodes of the cluster: it lacks the cluster credential")
	}
	h, err := k.unsealText(domainCredential, "cluster credential", credential)
	if err != nil {
		return err
	}
	expires := time.UnixMilli(h.ExpiresUnixMs)
	if now.Add(-ClockSkewMax).After(expires) || expires.After(now.Add(credentialTTL+ClockSkewMax)) {
		return qerr.New(qerr.Unauthenticated, "the cluster credential is valid until %s, and it is %s here: "+
			"it is old, or the nodes' clocks differ by more than %s",
			expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339), ClockSkewMax)
	}
	return nil
}

func (k *Keyring) sealText(d domain, h *pb.Handle) string {
	b, err := k.seal(d, h.Kind, h, tokenBytesMax)
	if err != nil {
		return "" // larger than any name that was let in; an empty token is refused everywhere
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
}

func (k *Keyring) unsealText(d domain, what, text string) (*pb.Handle, error) {
	encoded, ours := strings.CutPrefix(text, tokenPrefix)
	if !ours || len(text) > 2*tokenBytesMax {
		return nil, qerr.New(qerr.Unauthenticated, "this is not a %s of this cluster", what)
	}
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return nil, qerr.New(qerr.Unauthenticated, "this is not a %s of this cluster", what)
	}
	var h pb.Handle
	if err := k.unseal(d, what, b, &h, tokenBytesMax); err != nil {
		return nil, err
	}
	if h.Version != HandleVersion {
		return nil, qerr.New(qerr.Unauthenticated, "the %s has version %d; this node reads version %d", what, h.Version, HandleVersion)
	}
	return &h, nil
}
