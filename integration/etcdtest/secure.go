package etcdtest

import (
	"context"
	"crypto/tls"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/arbalest-sql/arbalest/internal/certs/certtest"
)

// A Login is what a client of secure servers needs.
type Login struct {
	// CA, Cert and Key are files; the certificate is demanded.
	CA, Cert, Key string
	// User may read and write below the prefix that StartSecure was given, and nothing else.
	User, Password string
}

// security is how members of a cluster speak to clients.
type security struct {
	ca, cert, key string
	tls           *tls.Config
	root          string // the password of root; empty as long as nobody has to log in
}

// StartSecure is Start for servers that speak TLS to clients, demand certificates of them, and have them log in.
func StartSecure(t testing.TB, n int, prefix string) (*Servers, Login) {
	t.Helper()
	authority := certtest.New(t)
	cert, key := authority.Issue(t, t.TempDir(), "etcd", nil) // for servers and clients
	s := start(t, n, &security{ca: authority.CAFile, cert: cert, key: key, tls: authority.Client(t, "root", nil)})
	login := Login{CA: authority.CAFile, User: "arbalest", Password: "open sesame"}
	login.Cert, login.Key = authority.Issue(t, t.TempDir(), "somebody", nil)
	const root = "root's own"
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	client := s.client()
	defer func() { _ = client.Close() }()
	for what, do := range []func() error{
		func() error { _, err := client.UserAdd(ctx, "root", root); return err },
		func() error { _, err := client.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := client.UserAdd(ctx, login.User, login.Password); return err },
		func() error { _, err := client.RoleAdd(ctx, login.User); return err },
		func() error {
			_, err := client.RoleGrantPermission(ctx, login.User, prefix, clientv3.GetPrefixRangeEnd(prefix), clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := client.UserGrantRole(ctx, login.User, login.User); return err },
		func() error { _, err := client.AuthEnable(ctx); return err },
	} {
		if err := do(); err != nil {
			t.Fatalf("secure etcd, step %d: %v", what+1, err)
		}
	}
	s.secure.root = root
	return s, login
}

func (s *security) flags() (scheme string, flags []string) {
	if s == nil {
		return "http://", nil
	}
	return "https://", []string{"--cert-file", s.cert, "--key-file", s.key, "--trusted-ca-file", s.ca, "--client-cert-auth"}
}

func (s *security) apply(c *clientv3.Config) {
	if s == nil {
		return
	}
	c.TLS = s.tls
	if s.root != "" {
		c.Username, c.Password = "root", s.root
	}
}
