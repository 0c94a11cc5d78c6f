package main

import (
	"crypto/x509"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/certs/certtest"
)

// A coordinator and a worker that both ask for certificates, show each other theirs; clients log in by their own, or by a token
// beside it; a renewed certificate is served without a restart.
func TestMutualTLS(t *testing.T) {
	a, dir := certtest.New(t), t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "towns.csv"), []byte("name,people\nUr,30000\nUruk,40000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token, hash := auth.NewToken()
	nodeCert, nodeKey := a.Issue(t, t.TempDir(), "node", nil)
	nodes := []string{"--http", "off", "--tls-cert", nodeCert, "--tls-key", nodeKey, "--tls-ca", a.CAFile, "--tls-client-ca", a.CAFile,
		"--cluster-key", file("cluster.key", base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))+"\n"),
		"--tls-client-user", "email", "--tokens", file("tokens", "etl:"+hash+"\n")}
	var running servers
	t.Cleanup(func() { running.stop(t) })
	door := running.start(t, append([]string{"coordinator", "--data", data}, nodes...)...)
	running.start(t, append([]string{"worker", "--threads", "2", "--memory-limit", "512MB", "--coordinator", strings.TrimPrefix(door, "grpc+tls://")}, nodes...)...)

	ask := func(args ...string) (code int, out, errOut string) {
		return call(append([]string{"sql", "--server", door, "--tls-ca", a.CAFile, "--format", "csv", "-c", "SELECT sum(people) AS n FROM towns"}, args...)...)
	}
	email := func(address string) (flags []string) {
		cert, key := a.Issue(t, t.TempDir(), "client", func(c *x509.Certificate) {
			if address != "" {
				c.EmailAddresses = []string{address}
			}
		})
		return []string{"--tls-cert", cert, "--tls-key", key}
	}
	for name, args := range map[string][]string{"certificate": email("ada@example.com"), "certificate and token": append(email(""), "--token", token)} {
		if code, out, errOut := ask(args...); code != exitDone || out != "n\n70000\n" {
			t.Errorf("%s: exit %d, %q %s", name, code, out, errOut)
		}
	}
	for name, args := range map[string][]string{"nothing": nil, "token without a certificate": {"--token", token}, "certificate of nobody": email(""),
		"bad token": append(email("ada@example.com"), "--token", "x")} {
		if code, out, _ := ask(args...); code != exitFailed {
			t.Errorf("%s: exit %d, %q", name, code, out)
		}
	}
	// Renewed by another authority's certificate, which this client does not take: so it was served.
	other := certtest.New(t)
	other.Issue(t, filepath.Dir(nodeCert), "node", nil)
	if code, _, errOut := ask(email("ada@example.com")...); code != exitFailed || !strings.Contains(errOut, "authority") {
		t.Errorf("after the change: exit %d, %s", code, errOut)
	}
	a.Issue(t, filepath.Dir(nodeCert), "node", nil)
	if code, _, errOut := ask(email("ada@example.com")...); code != exitDone {
		t.Errorf("after the change back: exit %d, %s", code, errOut)
	}
}

func TestMakeToken(t *testing.T) {
	code, out, _ := call("make-token", "--user", "etl")
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.LoadTokens(path); code != exitDone || err != nil {
		t.Errorf("exit %d, %v", code, err)
	}
	if code, _, _ := call("make-token"); code != exitUsage {
		t.Errorf("without a user: exit %d", code)
	}
}
