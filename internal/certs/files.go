package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"

	"github.com/rs/zerolog"
)

// watched is a value made of files, made anew when they have changed.
type watched[T any] struct {
	paths []string
	read  func() (T, error)
	log   zerolog.Logger

	mu sync.Mutex
	// value is of the files as they were at seen; both are guarded by mu.
	value T
	seen  []os.FileInfo
}

func watch[T any](log zerolog.Logger, read func() (T, error), paths ...string) (*watched[T], error) {
	w := &watched[T]{paths: paths, read: read, log: log}
	// Looked at before they are read: a change in between is seen at the next look.
	w.seen = w.look()
	var err error
	w.value, err = read()
	return w, err
}

// look is what the files are now; nil where one cannot be seen.
func (w *watched[T]) look() []os.FileInfo {
	infos := make([]os.FileInfo, len(w.paths))
	for i, path := range w.paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil
		}
		infos[i] = info
	}
	return infos
}

func (w *watched[T]) current() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.look()
	if now == nil || same(now, w.seen) {
		return w.value
	}
	w.seen = now
	value, err := w.read()
	if err != nil {
		w.log.Error().Err(err).Msg("changed TLS files cannot be used; the ones before are used on")
		return w.value
	}
	w.log.Info().Strs("files", w.paths).Msg("TLS files were read again")
	w.value = value
	return value
}

func same(a, b []os.FileInfo) bool {
	for i := range a {
		if b == nil || !os.SameFile(a[i], b[i]) || !a[i].ModTime().Equal(b[i].ModTime()) || a[i].Size() != b[i].Size() {
			return false
		}
	}
	return true
}

// A Pair is a certificate chain and its private key.
type Pair struct{ files *watched[*tls.Certificate] }

// LoadPair reads both files (PEM).
func LoadPair(cert, key string, log zerolog.Logger) (*Pair, error) {
	files, err := watch(log, func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("certificate %s with key %s: %w", cert, key, err)
		}
		return &pair, nil
	}, cert, key)
	return &Pair{files}, err
}

// A Pool is a set of authorities.
type Pool struct{ files *watched[*x509.CertPool] }

// LoadPool reads a file of certificates (PEM).
func LoadPool(path string, log zerolog.Logger) (*Pool, error) {
	files, err := watch(log, func() (*x509.CertPool, error) {
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", path)
		}
		return pool, nil
	}, path)
	return &Pool{files}, err
}
