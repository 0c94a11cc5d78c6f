package auth

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"os"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// tokenHashPrefix names the hash of a tokens file. One fast hash is enough, since a token is random and cannot be guessed
	// from a dictionary as passwords can.
	tokenHashPrefix = "sha256:"
	// staticTokensMax bounds a tokens file: each check compares with all of them.
	staticTokensMax = 10000
	// externalTokenBytesMax bounds tokens that are not ours; those of identity providers have one or two KiB.
	externalTokenBytesMax = 16 << 10
)

// Tokens are the bearer tokens of a tokens file, which stands for programs as a users file does for people. Immutable, and
// safe for concurrent use.
type Tokens struct{ all []staticToken }

type staticToken struct {
	subject string
	hash    [sha256.Size]byte
}

// NewToken returns a random token of 256 bits, and its hash as it stands in a tokens file.
func NewToken() (token, hash string) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // crypto/rand never fails: it ends the process instead
	token = "arbt_" + hex.EncodeToString(random[:])
	return token, HashToken(token)
}

// HashToken returns a token's hash as it stands in a tokens file.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return tokenHashPrefix + hex.EncodeToString(sum[:])
}

// LoadTokens reads a tokens file: one "name:sha256:hex" a line. A name may have several tokens, so that one can be replaced
// without a gap. Empty lines and lines starting with # are skipped.
func LoadTokens(path string) (*Tokens, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, qerr.Wrap(qerr.User, "read tokens file", err)
	}
	defer func() { _ = file.Close() }()
	t := &Tokens{}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, text, found := strings.Cut(line, ":")
		digits, hashed := strings.CutPrefix(strings.TrimSpace(text), tokenHashPrefix)
		hash, err := hex.DecodeString(digits)
		if !found || !hashed || err != nil || len(hash) != sha256.Size {
			return nil, qerr.New(qerr.User, "tokens file %s line %d: want name:%s and %d hexadecimal digits", path, n, tokenHashPrefix, 2*sha256.Size)
		}
		if fault := subjectFault(name); fault != "" {
			return nil, qerr.New(qerr.User, "tokens file %s line %d: the name %s", path, n, fault)
		}
		if len(t.all) == staticTokensMax {
			return nil, qerr.New(qerr.User, "tokens file %s has more than %d tokens", path, staticTokensMax)
		}
		t.all = append(t.all, staticToken{subject: name, hash: [sha256.Size]byte(hash)})
	}
	if err := lines.Err(); err != nil {
		return nil, qerr.Wrap(qerr.User, "read tokens file", err)
	}
	if len(t.all) == 0 {
		return nil, qerr.New(qerr.User, "tokens file %s holds no token", path)
	}
	return t, nil
}

// Verify implements TokenVerifier. It compares with every token, in constant time each.
func (t *Tokens) Verify(_ context.Context, token string) (Identity, error) {
	sum := sha256.Sum256([]byte(token))
	found := -1
	for i := range t.all {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], t.all[i].hash[:]), i, found)
	}
	if found < 0 {
		return Identity{}, qerr.New(qerr.Unauthenticated, "the token is not one that this server knows")
	}
	return Identity{Subject: t.all[found].subject}, nil
}
