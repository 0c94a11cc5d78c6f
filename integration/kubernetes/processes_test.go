package kubernetes

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/kubetest"
	"github.com/arbalest-sql/arbalest/integration/ports"
)

const (
	scale = 0.01
	parts = 4
	// testLimit bounds the whole test, with the start of every process.
	testLimit = 10 * time.Minute
	// orderTotals needs an exchange, so that it proves the workers reachable from each other.
	orderTotals = "SELECT count(*) FROM (SELECT o_custkey, count(*) AS n FROM orders JOIN lineitem ON o_orderkey = l_orderkey GROUP BY o_custkey)"
)

// workersService is the name that the chart gives the workers' Service.
const workersService = release + "-arbalest-workers"

// An endpoint is a worker's host:port, and its pod's name; empty = none.
type endpoint struct{ address, hostname string }

// list writes the workers that Kubernetes would list, not ready as they are before a coordinator came.
func list(server *kubetest.Server, workers []endpoint) error {
	for i, w := range workers {
		host, port, err := net.SplitHostPort(w.address)
		if err != nil {
			return err
		}
		one := map[string]any{"addresses": []string{host}, "conditions": map[string]bool{"ready": false}}
		if w.hostname != "" {
			one["hostname"] = w.hostname
		}
		slice := map[string]any{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
			"metadata":  map[string]any{"name": fmt.Sprintf("workers-%d", i), "namespace": namespace, "labels": map[string]string{"kubernetes.io/service-name": workersService}},
			"ports":     []map[string]any{{"name": "flight", "port": json.Number(port)}, {"name": "http", "port": 1}},
			"endpoints": []any{one}}
		text, err := json.Marshal(slice)
		if err != nil {
			return err
		}
		if err := server.Apply(fmt.Sprintf("/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices/workers-%d", namespace, i), string(text), false); err != nil {
			return err
		}
	}
	return nil
}

// install keeps the chart's account and rights of coordinators in the API server, and returns a token of the account.
func install(t *testing.T, server *kubetest.Server) string {
	t.Helper()
	if err := server.Apply("/api/v1/namespaces/"+namespace, "{apiVersion: v1, kind: Namespace, metadata: {name: "+namespace+"}}", false); err != nil {
		t.Fatal(err)
	}
	for _, o := range render(t, secured) {
		switch o.Kind {
		case "ServiceAccount", "Role", "RoleBinding":
			if err := server.Apply(o.path(), o.text, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	token, err := server.Token(namespace, release+"-arbalest")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// start runs two coordinators and two workers that find each other through an API server, with the chart's rights, and opens a
// session at each coordinator.
func start(ctx context.Context, t *testing.T) (*kubetest.Server, *harness.Cluster, []*client.Session) {
	t.Helper()
	data, err := harness.TPCH(ctx, scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	server := kubetest.Start(t, nil)
	kubeconfig := server.Kubeconfig(install(t, server))
	addresses, err := ports.Free(near(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := list(server, []endpoint{{address: addresses[0]}, {address: addresses[1]}}); err != nil {
		t.Fatal(err)
	}
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: 2, Standby: 1, Env: []string{"KUBECONFIG=" + kubeconfig},
		Meet:      []string{"--cluster", "kubernetes://" + namespace + "/" + workersService, "--cluster-key", keyFile(t)},
		WorkFlags: []string{"--insecure"}, Site: func(i int) harness.Site { return harness.Site{Listen: addresses[i]} }})
	sessions := make([]*client.Session, 2)
	for i, door := range []*harness.Process{cluster.Door, cluster.Standby[0]} {
		if sessions[i], err = client.Dial(ctx, door.Address, client.Options{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = sessions[i].Close() }) // the last word of a session at a killed coordinator
		if err := sessions[i].Exec(ctx, "SET arbalest.distributed = 'always'"); err != nil {
			t.Fatal(err)
		}
	}
	return server, cluster, sessions
}

// TestProcesses takes the API server and workers away from running coordinators, by death and by drain.
func TestProcesses(t *testing.T) {
	kubetest.Enabled(t)
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	server, cluster, sessions := start(ctx, t)
	want := int64(0)
	same := func(when string) {
		t.Helper()
		for i, s := range sessions {
			n, err := harness.Count(ctx, s, orderTotals)
			if err != nil || n == 0 || want != 0 && n != want {
				t.Fatalf("%s: coordinator %d counts %d, %v; want %d", when, i+1, n, err, want)
			}
			want = n
		}
	}
	usable := func(n int64) {
		t.Helper()
		for _, s := range sessions {
			for {
				got, err := harness.Count(ctx, s, "SELECT count(*) FROM sys.workers WHERE status = 'usable'")
				if err == nil && got == n {
					break
				}
				if ctx.Err() != nil {
					t.Fatalf("%d usable workers, want %d: %v", got, n, err)
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
	}
	same("at first")

	if log := cluster.Door.LogTail(); strings.Contains(log, "forbidden") {
		t.Errorf("the chart's rights do not suffice:\n%s", log)
	}

	server.Kill()
	same("without the API server")
	cluster.Workers[0].Kill() // noticed by its stream alone
	usable(1)
	same("with one worker")
	server.Restart()
	if err := cluster.Restart(ctx, 0); err != nil {
		t.Fatal(err)
	}
	usable(2)
	same("with both again")

	if err := cluster.Workers[1].Signal(syscall.SIGTERM); err != nil { // as the kubelet does
		t.Fatal(err)
	}
	select {
	case <-cluster.Workers[1].Ended():
	case <-ctx.Done():
		t.Fatal("the worker did not end")
	}
	usable(1)
	same("with one drained away")
}

func keyFile(t *testing.T) string {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(key)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
