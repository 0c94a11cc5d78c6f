package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	// The cost of new hashes: 19 MiB, two passes, one lane, OWASP's least recommendation for argon2id. Some 30 ms of a core.
	hashMemoryKiB = 19 << 10
	hashPasses    = 2
	hashLanes     = 1
	hashSaltBytes = 16
	hashKeyBytes  = 32

	// Bounds of what a users file may ask for, so that a login cannot take seconds or gigabytes.
	hashMemoryKiBMax = 512 << 10
	hashPassesMax    = 32
	hashLanesMax     = 16
	hashBytesMin     = 16
	hashBytesMax     = 128

	phcVersion = argon2.Version
)

var phcEncoding = base64.RawStdEncoding

// A passwordHash is an argon2id hash with its parameters.
type passwordHash struct {
	memoryKiB, passes uint32
	lanes             uint8
	salt, key         []byte
}

// HashPassword returns a password's hash in PHC form, as it stands in a users file. Each call salts afresh.
func HashPassword(password string) string {
	salt := make([]byte, hashSaltBytes)
	_, _ = rand.Read(salt) // crypto/rand never fails: it ends the process instead
	key := argon2.IDKey([]byte(password), salt, hashPasses, hashMemoryKiB, hashLanes, hashKeyBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", phcVersion, hashMemoryKiB, hashPasses, hashLanes,
		phcEncoding.EncodeToString(salt), phcEncoding.EncodeToString(key))
}

// parsePHC reads a hash in PHC form. Its errors do not repeat the hash.
func parsePHC(text string) (passwordHash, error) {
	parts := strings.Split(strings.TrimSpace(text), "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return passwordHash{}, errors.New("want an argon2id hash like $argon2id$v=19$m=19456,t=2,p=1$salt$hash")
	}
	var version int
	if n, err := fmt.Sscanf(parts[2], "v=%d", &version); n != 1 || err != nil || version != phcVersion {
		return passwordHash{}, fmt.Errorf("the hash's version must be v=%d", phcVersion)
	}
	var h passwordHash
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memoryKiB, &h.passes, &h.lanes); n != 3 || err != nil {
		return passwordHash{}, errors.New("the hash's parameters must be m=…,t=…,p=…")
	}
	if h.memoryKiB < 8 || h.memoryKiB > hashMemoryKiBMax || h.passes < 1 || h.passes > hashPassesMax || h.lanes < 1 || h.lanes > hashLanesMax {
		return passwordHash{}, fmt.Errorf("the hash's parameters must be within m=8…%d, t=1…%d, p=1…%d",
			hashMemoryKiBMax, hashPassesMax, hashLanesMax)
	}
	var err error
	if h.salt, err = phcEncoding.DecodeString(parts[4]); err != nil || len(h.salt) < 8 {
		return passwordHash{}, errors.New("the hash's salt must be unpadded base64 of at least 8 bytes")
	}
	if h.key, err = phcEncoding.DecodeString(parts[5]); err != nil || len(h.key) < hashBytesMin || len(h.key) > hashBytesMax {
		return passwordHash{}, fmt.Errorf("the hash must be unpadded base64 of %d to %d bytes", hashBytesMin, hashBytesMax)
	}
	return h, nil
}

// matches hashes the password and compares in constant time.
func (h passwordHash) matches(password string) bool {
	got := argon2.IDKey([]byte(password), h.salt, h.passes, h.memoryKiB, h.lanes, uint32(len(h.key)))
	same := subtle.ConstantTimeCompare(got, h.key) == 1
	return same
}

// decoy returns a hash of equal cost that no password is known to match.
func (h passwordHash) decoy() passwordHash {
	d := h
	d.salt, d.key = make([]byte, len(h.salt)), make([]byte, len(h.key))
	_, _ = rand.Read(d.salt)
	_, _ = rand.Read(d.key)
	return d
}
