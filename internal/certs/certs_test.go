package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/arbalest-sql/arbalest/internal/certs/certtest"
)

// handshake connects a client to a server of the configuration and returns the server's certificate's name.
func handshake(t *testing.T, server, client *tls.Config) (name string, err error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		_, err = io.WriteString(tls.Server(conn, server), "hello")
		_ = conn.Close()
		done <- err
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	client = client.Clone()
	client.ServerName = "localhost"
	c := tls.Client(conn, client)
	_, readErr := io.ReadFull(c, make([]byte, len("hello"))) // In TLS 1.3 a refusal of the client's certificate comes here.
	_ = conn.Close()
	if err := errors.Join(readErr, <-done); err != nil {
		return "", err
	}
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func pair(t *testing.T, cert, key string) *Pair {
	t.Helper()
	p, err := LoadPair(cert, key, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pool(t *testing.T, path string) *Pool {
	t.Helper()
	p, err := LoadPool(path, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A renewed certificate is shown from the next handshake on; one that is broken, or half written, is not.
func TestCertificatesAreReloaded(t *testing.T) {
	a, dir := certtest.New(t), t.TempDir()
	cert, key := a.Issue(t, dir, "first", nil)
	server, client := ServerConfig(pair(t, cert, key), nil, false), a.Client(t, "", nil)
	want := func(what, name string) {
		t.Helper()
		if got, err := handshake(t, server, client); err != nil || got != name {
			t.Errorf("%s: %q, %v; want %q", what, got, err, name)
		}
	}
	want("at start", "first")
	old, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	a.Issue(t, dir, "second", nil)
	want("renewed", "second")
	fresh, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string][]byte{"another's key": old, "half a key": fresh[:len(fresh)/2]} {
		write(t, key, text)
		want(what, "second")
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	want("no key", "second")
	a.Issue(t, dir, "third", nil)
	want("renewed again", "third")
}

// write replaces a file so that it is seen to have changed also on file systems with coarse times.
func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestClientCertificates(t *testing.T) {
	a, other := certtest.New(t), certtest.New(t)
	cert, key := a.Issue(t, t.TempDir(), "node", nil)
	expired := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	}
	forServers := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	foreign := other.Client(t, "ada", nil)
	foreign.RootCAs = a.Pool
	clients := pool(t, a.CAFile)
	for name, tt := range map[string]struct {
		client             *tls.Config
		required, optional bool // accepted
	}{
		"none":          {a.Client(t, "", nil), false, true},
		"good":          {a.Client(t, "ada", nil), true, true},
		"expired":       {a.Client(t, "ada", expired), false, false},
		"for servers":   {a.Client(t, "ada", forServers), false, false},
		"of another CA": {foreign, false, false},
		"node's own":    {ClientConfig(pool(t, a.CAFile), pair(t, cert, key)), true, true},
	} {
		for _, optional := range []bool{false, true} {
			_, err := handshake(t, ServerConfig(pair(t, cert, key), clients, optional), tt.client)
			if want := tt.required && !optional || tt.optional && optional; want != (err == nil) {
				t.Errorf("%s, optional %v: %v", name, optional, err)
			}
		}
	}
	// The authorities of clients may change, too.
	server := ServerConfig(pair(t, cert, key), clients, false)
	text, err := os.ReadFile(other.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	write(t, a.CAFile, text)
	if _, err := handshake(t, server, foreign); err != nil {
		t.Errorf("of the new authority: %v", err)
	}
	if _, err := handshake(t, server, a.Client(t, "ada", nil)); err == nil {
		t.Error("of the old authority: accepted")
	}
}

func TestServersAreChecked(t *testing.T) {
	a, other := certtest.New(t), certtest.New(t)
	cert, key := a.Issue(t, t.TempDir(), "node", nil)
	server := ServerConfig(pair(t, cert, key), nil, false)
	if _, err := handshake(t, server, ClientConfig(pool(t, a.CAFile), nil)); err != nil {
		t.Error(err)
	}
	if _, err := handshake(t, server, ClientConfig(pool(t, other.CAFile), nil)); err == nil {
		t.Error("a server of another authority is taken")
	}
	if _, err := handshake(t, server, ClientConfig(nil, nil)); err == nil {
		t.Error("a server of an authority that the system does not know is taken")
	}
	cert, key = a.Issue(t, t.TempDir(), "node", func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere"} })
	if _, err := handshake(t, ServerConfig(pair(t, cert, key), nil, false), ClientConfig(pool(t, a.CAFile), nil)); err == nil {
		t.Error("a server of another name is taken")
	}
	old := ClientConfig(pool(t, a.CAFile), nil)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := handshake(t, server, old); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	a := certtest.New(t)
	cert, key := a.Issue(t, t.TempDir(), "node", nil)
	for _, files := range [][2]string{{cert, cert}, {cert, "/nowhere"}, {key, key}} {
		if _, err := LoadPair(files[0], files[1], zerolog.Nop()); err == nil {
			t.Errorf("%v is a pair", files)
		}
	}
	for _, path := range []string{key, "/nowhere"} {
		if _, err := LoadPool(path, zerolog.Nop()); err == nil {
			t.Errorf("%s holds authorities", path)
		}
	}
}
