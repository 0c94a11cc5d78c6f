package kubetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/ports"
)

const (
	// Version is the API server that the tests run; integration/tools/kubernetes pins the same.
	Version = "v1.36.3"
	// HelmVersion is the Helm that the tests run; integration/tools/helm pins the same.
	HelmVersion = "v3.22.0"
	// startTimeout bounds the wait for the server to be ready: a second, on a machine with nothing else to do.
	startTimeout = 6 * time.Minute
	// callTimeout bounds one call.
	callTimeout = 30 * time.Second
)

// Enabled skips the test unless make test-k8s runs it: building the API server takes minutes.
func Enabled(t testing.TB) {
	t.Helper()
	if os.Getenv("ARBALEST_KUBERNETES") == "" {
		t.Skip("make test-k8s runs it")
	}
}

// A Server is a running API server.
type Server struct {
	// Host is the URL. Its certificate is its own.
	Host string
	// Admin may do everything.
	Admin string

	t      testing.TB
	binary string
	dir    string
	flags  []string
	run    *exec.Cmd
	log    *os.File
	http   *http.Client
}

// Start runs an API server over an etcd of one member and waits until it is ready. The cleanup of the test ends both. Tokens
// are bearer tokens by user, beside the admin's.
func Start(t testing.TB, tokens map[string]string) *Server {
	t.Helper()
	binary, err := harness.Tool("kube-apiserver-"+Version, "make tools-k8s")
	if err != nil {
		t.Fatal(err)
	}
	etcd := etcdtest.Start(t, 1)
	free, err := ports.Free("127.0.0.1", 1)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, binary: binary, dir: t.TempDir(), Host: "https://" + free[0], Admin: "admin-token"}
	s.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: callTimeout} //nolint:gosec // made a moment ago, on loopback
	s.writeKeys()
	lines := s.Admin + ",admin,1,system:masters\n"
	for user, token := range tokens {
		lines += token + "," + user + ",2\n"
	}
	s.write("tokens.csv", []byte(lines))
	_, port, _ := strings.Cut(free[0], ":")
	s.flags = []string{"--etcd-servers=http://" + etcd.Endpoints()[0], "--secure-port=" + port, "--bind-address=127.0.0.1",
		// What pods would reach it at: nobody does, and it does not start where it finds none, on a machine without a network.
		"--advertise-address=192.0.2.1",
		"--cert-dir=" + s.path("certs"),
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + s.path("sa.pub"),
		"--service-account-signing-key-file=" + s.path("sa.key"), "--service-cluster-ip-range=10.0.0.0/24",
		"--token-auth-file=" + s.path("tokens.csv"), "--authorization-mode=RBAC",
		// No controller makes the accounts that pods run as.
		"--disable-admission-plugins=ServiceAccount"}
	t.Cleanup(func() {
		s.Kill()
		s.http.CloseIdleConnections()
		if t.Failed() {
			t.Log(s.tail())
		}
	})
	s.Restart()
	return s
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) write(name string, data []byte) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// writeKeys makes what the server signs service accounts' tokens with.
func (s *Server) writeKeys() {
	s.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("sa.key", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	s.write("sa.pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
}

// Kill ends the server as a crash does. Killing one that does not run does nothing.
func (s *Server) Kill() {
	if s.run == nil {
		return
	}
	_ = s.run.Process.Kill() // it may have ended by itself
	_ = s.run.Wait()         // killed: says so
	_ = s.log.Close()
	s.run = nil
}

// Restart runs the server, again over its data, and waits until it is ready.
func (s *Server) Restart() {
	s.t.Helper()
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	s.run, s.log = exec.Command(s.binary, s.flags...), log
	s.run.Stdout, s.run.Stderr = log, log
	if err := s.run.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.Await("/readyz")
	s.Await("/api/v1/namespaces/default") // made by the server itself, a moment after it is ready
}

// Await waits until the server has something to say at a path.
func (s *Server) Await(path string) {
	s.t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(200 * time.Millisecond) {
		_, err := s.call(http.MethodGet, path, "", nil)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the API server does not answer: %v\n%s", err, s.tail())
		}
	}
}

// Token gives a bearer token of a service account, as pods get it.
func (s *Server) Token(namespace, account string) (string, error) {
	text, err := s.call(http.MethodPost, "/api/v1/namespaces/"+namespace+"/serviceaccounts/"+account+"/token", "application/json",
		[]byte(`{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["https://kubernetes.default.svc"]}}`))
	if err != nil {
		return "", err
	}
	var request struct{ Status struct{ Token string } }
	if err := json.Unmarshal(text, &request); err != nil {
		return "", err
	}
	return request.Status.Token, nil
}

// Apply writes objects as YAML (or JSON) documents by server-side apply, as the admin, at the path of each object. With dryRun
// they are checked and admitted, but not kept.
func (s *Server) Apply(path, document string, dryRun bool) error {
	path += "?fieldManager=test&force=true&fieldValidation=Strict"
	if dryRun {
		path += "&dryRun=All"
	}
	_, err := s.call(http.MethodPatch, path, "application/apply-patch+yaml", []byte(document))
	return err
}

// Delete removes an object.
func (s *Server) Delete(path string) error {
	_, err := s.call(http.MethodDelete, path, "", nil)
	return err
}

// call does one request as the admin.
func (s *Server) call(method, path, contentType string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(context.Background(), method, s.Host+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.Admin)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	reply, err := s.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return nil, err
	}
	if reply.StatusCode/100 != 2 {
		var status struct{ Message string }
		if json.Unmarshal(text, &status) != nil || status.Message == "" {
			status.Message = string(text)
		}
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, reply.Status, status.Message)
	}
	return text, nil
}

// Kubeconfig writes a file by which clients reach the server with a token, and returns its path.
func (s *Server) Kubeconfig(token string) string {
	s.t.Helper()
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "test",
"clusters": [{"name": "test", "cluster": {"server": %q, "insecure-skip-tls-verify": true}}],
"users": [{"name": "test", "user": {"token": %q}}],
"contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}`, s.Host, token)
	name := fmt.Sprintf("kubeconfig-%x", sha256.Sum256([]byte(token)))
	s.write(name, []byte(text))
	return s.path(name)
}

// tailBytes of the log are shown when something failed.
const tailBytes = 8 << 10

func (s *Server) tail() string {
	text, err := os.ReadFile(s.path("log"))
	if err != nil {
		return err.Error()
	}
	return "--- log of the API server\n" + string(text[max(0, len(text)-tailBytes):])
}
