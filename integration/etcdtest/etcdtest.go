package etcdtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/ports"
)

// Version is the etcd that the tests run; integration/tools/etcd pins the same.
const Version = "v3.7.3"

// startTimeout bounds the wait for a member to answer; electing a leader takes a second or two.
const startTimeout = 60 * time.Second

// Servers are the members of one etcd cluster.
type Servers struct {
	t       testing.TB
	binary  string
	cluster string
	members []*memberProcess
	secure  *security // nil = none
}

type memberProcess struct {
	name, dir, client, peer string
	process                 *exec.Cmd
	log                     *os.File
}

// Start runs a cluster of n members and waits until it answers. The cleanup of the test ends it.
func Start(t testing.TB, n int) *Servers {
	t.Helper()
	return start(t, n, nil)
}

func start(t testing.TB, n int, secure *security) *Servers {
	t.Helper()
	binary, err := harness.Etcd(Version)
	if err != nil {
		t.Fatal(err)
	}
	s := &Servers{t: t, binary: binary, secure: secure}
	addresses, err := ports.Free("127.0.0.1", 2*n)
	if err != nil {
		t.Fatal(err)
	}
	var cluster []string
	for i := range n {
		m := &memberProcess{name: fmt.Sprintf("m%d", i), dir: t.TempDir(), client: addresses[2*i], peer: addresses[2*i+1]}
		s.members = append(s.members, m)
		cluster = append(cluster, m.name+"=http://"+m.peer)
	}
	s.cluster = strings.Join(cluster, ",")
	t.Cleanup(func() {
		for i := range s.members {
			s.Kill(i)
		}
	})
	for i := range n {
		s.run(i)
	}
	s.Await()
	return s
}

// Endpoints are host:port of the members for clients.
func (s *Servers) Endpoints() []string {
	var all []string
	for _, m := range s.members {
		all = append(all, m.client)
	}
	return all
}

// Kill ends a member as a crash does. Killing one that does not run does nothing.
func (s *Servers) Kill(i int) {
	m := s.members[i]
	if m.process == nil {
		return
	}
	_ = m.process.Process.Kill() // it may have ended by itself
	_ = m.process.Wait()         // killed: says so
	_ = m.log.Close()
	m.process = nil
}

// Restart runs a killed member again over its data.
func (s *Servers) Restart(i int) {
	s.t.Helper()
	s.run(i)
}

// Leader is the number of the member that leads.
func (s *Servers) Leader() int {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	client := s.client()
	defer func() { _ = client.Close() }()
	for ctx.Err() == nil {
		for i, m := range s.members {
			call, stop := context.WithTimeout(ctx, time.Second)
			status, err := client.Status(call, m.client)
			stop()
			if err == nil && status.Leader != 0 && status.Leader == status.Header.MemberId {
				return i
			}
		}
	}
	s.t.Fatal("no member of etcd leads")
	return -1
}

// Await waits until the cluster answers a read that needs a quorum.
func (s *Servers) Await() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	client := s.client()
	defer func() { _ = client.Close() }()
	for {
		call, stop := context.WithTimeout(ctx, 2*time.Second)
		_, err := client.Get(call, "ready")
		stop()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			s.t.Fatalf("etcd does not answer: %v\n%s", err, s.logs())
		}
	}
}

func (s *Servers) client() *clientv3.Client {
	s.t.Helper()
	config := clientv3.Config{Endpoints: s.Endpoints(), DialTimeout: startTimeout, Logger: zap.NewNop()}
	s.secure.apply(&config)
	client, err := clientv3.New(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

func (s *Servers) run(i int) {
	s.t.Helper()
	m := s.members[i]
	log, err := os.OpenFile(filepath.Join(m.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	scheme, flags := s.secure.flags()
	m.process = exec.Command(s.binary, append([]string{"--name", m.name, "--data-dir", filepath.Join(m.dir, "data"),
		"--listen-client-urls", scheme + m.client, "--advertise-client-urls", scheme + m.client,
		"--listen-peer-urls", "http://" + m.peer, "--initial-advertise-peer-urls", "http://" + m.peer,
		"--initial-cluster", s.cluster, "--initial-cluster-state", "new", "--unsafe-no-fsync", "--log-level", "warn"}, flags...)...)
	m.process.Stdout, m.process.Stderr, m.log = log, log, log
	if err := m.process.Start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Servers) logs() string {
	var all bytes.Buffer
	for _, m := range s.members {
		text, _ := os.ReadFile(filepath.Join(m.dir, "log")) // no log, nothing to show
		fmt.Fprintf(&all, "%s:\n%s", m.name, text)
	}
	return all.String()
}
