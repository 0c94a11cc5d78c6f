package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

const (
	// verifiedMax bounds how many right pairs are remembered.
	verifiedMax = 4096
	// verifiedTTL is for how long a right pair is remembered.
	verifiedTTL = 5 * time.Minute
)

// verified remembers pairs of name and password that were found right, so that a client that sends them with every call
// pays for one hash in five minutes. It holds keyed digests under a key of this process, never the passwords; wrong pairs
// are not remembered.
type verified struct {
	key [sha256.Size]byte

	mu sync.Mutex
	// until maps a pair's digest to the end of its time. Guarded by mu.
	until map[[sha256.Size]byte]time.Time
}

func newVerified() *verified {
	v := &verified{until: map[[sha256.Size]byte]time.Time{}}
	_, _ = rand.Read(v.key[:])
	return v
}

func (v *verified) digest(name, password string) (d [sha256.Size]byte) {
	h := hmac.New(sha256.New, v.key[:])
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(name)))
	h.Write(length[:])
	h.Write([]byte(name))
	h.Write([]byte(password))
	h.Sum(d[:0])
	return d
}

func (v *verified) has(name, password string) bool {
	d := v.digest(name, password)
	v.mu.Lock()
	defer v.mu.Unlock()
	until, found := v.until[d]
	return found && time.Now().Before(until)
}

func (v *verified) add(name, password string) {
	d, now := v.digest(name, password), time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.until) >= verifiedMax {
		v.makeRoom(now)
	}
	v.until[d] = now.Add(verifiedTTL)
}

// makeRoom drops what has expired, and one other pair when nothing has. The caller holds mu.
func (v *verified) makeRoom(now time.Time) {
	for d, until := range v.until {
		if !now.Before(until) {
			delete(v.until, d)
		}
	}
	for d := range v.until {
		if len(v.until) < verifiedMax {
			return
		}
		delete(v.until, d)
	}
}
