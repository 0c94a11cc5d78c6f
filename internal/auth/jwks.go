package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// Keys older than this are loaded anew before they are relied on; an issuer that withdraws a key waits so long at most.
	keySetAge, keyFileAge = 10 * time.Minute, 5 * time.Second
	// At most one load is begun in this time, whatever tokens come, so that tokens with made-up keys are no way to burden the issuer.
	keySetPause, keyFilePause = 10 * time.Second, time.Second
	// keySetStaleMax is how long keys are good while their issuer cannot be reached.
	keySetStaleMax = 24 * time.Hour
	// keySetTimeout bounds one load, keySetBytesMax what it reads, keySetKeysMax the keys in it.
	keySetTimeout  = 5 * time.Second
	keySetBytesMax = 1 << 20
	keySetKeysMax  = 64
	// The sizes of RSA keys that are taken: smaller ones are weak, larger ones slow to verify with.
	rsaBitsMin, rsaBitsMax = 2048, 8192
)

// A keySet is the public keys of an issuer, loaded when they are needed: they are old, or a token names one that is not there.
// The load belongs to the call that needs it first; others wait for it, or go on with the keys there are.
type keySet struct {
	source     string
	load       func(context.Context) ([]byte, error)
	age, pause time.Duration
	now        func() time.Time

	mu sync.Mutex
	// keys are those that can verify; loaded and tried are when they were loaded, and when the last load began. Guarded by mu.
	keys          []jose.JSONWebKey
	loaded, tried time.Time
	// loading is closed when the load under way ends; nil = none is. fault is how the last one ended. Guarded by mu.
	loading chan struct{}
	fault   error
}

func newKeySet(source string, client *http.Client, now func() time.Time) (*keySet, error) {
	s := &keySet{source: source, age: keyFileAge, pause: keyFilePause, now: now}
	if !strings.Contains(source, "://") {
		s.load = func(context.Context) ([]byte, error) { return readKeyFile(source) }
		return s, nil
	}
	u, err := url.Parse(source)
	if err != nil || u.Host == "" || u.User != nil || !fetchable(u) {
		return nil, qerr.New(qerr.User, "the key set's address must be https://…, or http:// of this machine, without a password")
	}
	s.age, s.pause = keySetAge, keySetPause
	if client == nil {
		client = &http.Client{Timeout: keySetTimeout, CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 3 || !fetchable(r.URL) {
				return http.ErrUseLastResponse
			}
			return nil
		}}
	}
	s.load = func(ctx context.Context) ([]byte, error) { return fetchKeys(ctx, client, source) }
	return s, nil
}

// fetchable reports whether what comes from a URL cannot be changed on its way.
func fetchable(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, keySetBytesMax+1))
}

func fetchKeys(ctx context.Context, client *http.Client, source string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, source, http.NoBody)
	if err != nil {
		return nil, err
	}
	reply, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", reply.Status)
	}
	return io.ReadAll(io.LimitReader(reply.Body, keySetBytesMax+1))
}

// find returns the keys that a token's header can mean; without a key id, all for its algorithm. It fails as Unavailable when
// there are no keys that can be relied on.
func (s *keySet) find(ctx context.Context, id, algorithm string) ([]jose.JSONWebKey, error) {
	s.mu.Lock()
	found, now := s.match(id, algorithm), s.now()
	if len(found) > 0 && now.Sub(s.loaded) < s.age {
		s.mu.Unlock()
		return found, nil
	}
	loading := s.loading
	mine := loading == nil && now.Sub(s.tried) >= s.pause
	if mine {
		loading = s.begin(now)
	}
	s.mu.Unlock()
	if mine {
		// A caller that goes away must not make the load fail for the others.
		s.finish(context.WithoutCancel(ctx), loading)
	} else if loading != nil && len(found) == 0 {
		select {
		case <-loading:
		case <-ctx.Done():
			return nil, qerr.Wrap(qerr.Cancelled, "wait for the issuer's keys", context.Cause(ctx))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Sub(s.loaded) >= keySetStaleMax {
		return nil, qerr.Wrap(qerr.Unavailable, "tokens cannot be checked now: the issuer's keys cannot be loaded", s.fault)
	}
	return s.match(id, algorithm), nil
}

// reload loads the keys now.
func (s *keySet) reload(ctx context.Context) error {
	s.mu.Lock()
	if s.loading != nil {
		s.mu.Unlock()
		return nil
	}
	loading := s.begin(s.now())
	s.mu.Unlock()
	s.finish(ctx, loading)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// begin claims the load; mu is held.
func (s *keySet) begin(now time.Time) chan struct{} {
	s.loading, s.tried = make(chan struct{}), now
	return s.loading
}

// finish loads and lets the others know.
func (s *keySet) finish(ctx context.Context, loading chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, keySetTimeout)
	defer cancel()
	text, err := s.load(ctx)
	var keys []jose.JSONWebKey
	if err == nil {
		keys, err = readKeys(text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = nil
	if err != nil {
		s.fault = fmt.Errorf("load keys from %s: %w", s.source, err)
	} else {
		s.keys, s.loaded = keys, s.now()
	}
	s.loading = nil
	close(loading)
}

// match returns the keys for a header; mu is held.
func (s *keySet) match(id, algorithm string) (found []jose.JSONWebKey) {
	for _, k := range s.keys {
		if (id == "" || k.KeyID == id) && verifies(&k, algorithm) {
			found = append(found, k)
		}
	}
	return found
}

// readKeys reads a key set. Keys that cannot verify here are left out, as the RFC wants it: private ones and shared secrets, those for
// encryption, and of sorts that are not known.
func readKeys(text []byte) ([]jose.JSONWebKey, error) {
	if len(text) > keySetBytesMax {
		return nil, fmt.Errorf("the key set has more than %d bytes", keySetBytesMax)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil || set.Keys == nil {
		return nil, fmt.Errorf("this is not a JSON web key set")
	}
	if len(set.Keys) > keySetKeysMax {
		return nil, fmt.Errorf("the key set has %d keys; at most %d are allowed", len(set.Keys), keySetKeysMax)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) != nil || !k.Valid() || !k.IsPublic() || k.Use != "" && k.Use != "sig" {
			continue
		}
		for _, a := range jwtAlgorithms {
			if verifies(&k, string(a)) {
				keys = append(keys, k)
				break
			}
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("the key set has no public key for RS256, ES256 or EdDSA")
	}
	return keys, nil
}

// verifies reports whether a key is for signatures of an algorithm: by what it says of itself, and by what it is. A token cannot
// choose another one for it.
func verifies(k *jose.JSONWebKey, algorithm string) bool {
	if k.Algorithm != "" && k.Algorithm != algorithm {
		return false
	}
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return algorithm == string(jose.RS256) && key.N.BitLen() >= rsaBitsMin && key.N.BitLen() <= rsaBitsMax
	case *ecdsa.PublicKey:
		return algorithm == string(jose.ES256) && key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return algorithm == string(jose.EdDSA)
	}
	return false
}
