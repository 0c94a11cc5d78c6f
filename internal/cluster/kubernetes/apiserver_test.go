package kubernetes

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/arbalest-sql/arbalest/integration/kubetest"
	"github.com/arbalest-sql/arbalest/internal/cluster/clustertest"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// coordinatorUser may do what deploy/helm lets coordinators do, and nothing else.
const coordinatorUser, coordinatorToken = "coordinator", "coordinator-token"

// permissions are what a coordinator needs, in one namespace.
const permissions = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: arbalest, namespace: %[1]s}
rules:
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
`

const binding = `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: arbalest, namespace: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: arbalest}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: coordinator}]
`

// A lister writes EndpointSlices, as the controllers of a cluster do.
type lister struct {
	t         *testing.T
	server    *kubetest.Server
	namespace string
	slices    int // as many as were written
}

func newLister(t *testing.T, server *kubetest.Server, namespace string) *lister {
	t.Helper()
	l := &lister{t: t, server: server, namespace: namespace}
	must := func(path, document string) {
		t.Helper()
		if err := server.Apply(path, document, false); err != nil {
			t.Fatal(err)
		}
	}
	must("/api/v1/namespaces/"+namespace, "{apiVersion: v1, kind: Namespace, metadata: {name: "+namespace+"}}")
	rbac := "/apis/rbac.authorization.k8s.io/v1/namespaces/" + namespace
	must(rbac+"/roles/arbalest", fmt.Sprintf(permissions, namespace))
	must(rbac+"/rolebindings/arbalest", fmt.Sprintf(binding, namespace))
	l.write("other", "another-service", []place{{"10.9.9.9", "1", ""}})
	return l
}

// perSlice is few, so that a Service has several slices.
const perSlice = 2

// list writes the places into slices of the fixture's Service and removes slices that are not needed.
func (l *lister) list(places []place) {
	l.t.Helper()
	n := 0
	for ; n*perSlice < len(places); n++ {
		l.write("workers-"+strconv.Itoa(n), "example", places[n*perSlice:min(len(places), (n+1)*perSlice)])
	}
	for i := n; i < l.slices; i++ {
		if err := l.server.Delete(l.path("workers-" + strconv.Itoa(i))); err != nil {
			l.t.Error(err)
		}
	}
	l.slices = n
}

func (l *lister) path(name string) string {
	return "/apis/discovery.k8s.io/v1/namespaces/" + l.namespace + "/endpointslices/" + name
}

func (l *lister) write(name, service string, places []place) {
	l.t.Helper()
	slice := discovery.EndpointSlice{
		TypeMeta:    meta.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta:  meta.ObjectMeta{Name: name, Namespace: l.namespace, Labels: map[string]string{discovery.LabelServiceName: service}},
		AddressType: discovery.AddressTypeIPv4,
	}
	port, ready, flight := int32(1), false, portName
	slice.Ports = []discovery.EndpointPort{{Name: &flight, Port: &port}}
	for _, p := range places {
		e := discovery.Endpoint{Addresses: []string{p.ip}, Conditions: discovery.EndpointConditions{Ready: &ready}}
		if p.hostname != "" {
			e.Hostname = &p.hostname
		}
		slice.Endpoints = append(slice.Endpoints, e)
	}
	text, err := json.Marshal(slice)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.server.Apply(l.path(name), string(text), false); err != nil {
		l.t.Error(err)
	}
}

// inNamespace gives a fixture over a namespace of its own.
func inNamespace(t *testing.T, server *kubetest.Server, namespace string) *fixture {
	t.Helper()
	f := newFixture(t)
	f.cfg.Namespace = namespace
	f.cfg.API = &rest.Config{Host: server.Host, BearerToken: coordinatorToken, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	f.list = newLister(t, server, namespace).list
	var err error
	if f.membership, err = Open(t.Context(), f.cfg); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestAPIServerConformance runs the suite with EndpointSlices in a real API server, read with no more rights than the chart
// gives, each fixture in a namespace of its own.
func TestAPIServerConformance(t *testing.T) {
	kubetest.Enabled(t)
	server := kubetest.Start(t, map[string]string{coordinatorUser: coordinatorToken})
	n := 0
	clustertest.RunConformance(t, clustertest.Harness{
		LeaseTTL: leaseTTL,
		Run: func(t *testing.T, test func(t *testing.T, f clustertest.Fixture)) {
			n++
			f := inNamespace(t, server, "test-"+strconv.Itoa(n))
			defer f.close()
			test(t, f)
		},
	})
}

// The API server dies and comes back: meanwhile the members are who lives, and afterwards what was missed is known.
func TestAPIServerDies(t *testing.T) {
	kubetest.Enabled(t)
	server := kubetest.Start(t, map[string]string{coordinatorUser: coordinatorToken})
	f := inNamespace(t, server, "dies")
	defer f.close()
	f.Join(clustertest.Record("a", "1"))
	b := f.Join(clustertest.Record("b", "1"))
	until(t, f.membership, "a", "b")
	server.Kill()
	b.Silence()
	until(t, f.membership, "a") // who lives is known without it
	time.Sleep(2 * leaseTTL)    // longer than any silence may last
	until(t, f.membership, "a")
	server.Restart()
	f.Join(clustertest.Record("c", "1"))
	until(t, f.membership, "a", "c")
}

// A service account without the rights is told which are missing.
func TestAPIServerRefuses(t *testing.T) {
	kubetest.Enabled(t)
	server := kubetest.Start(t, map[string]string{coordinatorUser: coordinatorToken})
	cfg := newFixture(t).cfg
	cfg.API = &rest.Config{Host: server.Host, BearerToken: coordinatorToken, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	m, err := Open(t.Context(), cfg)
	if err == nil {
		_ = m.Close()
		t.Fatal("opened without the rights")
	}
	if !qerr.Is(err, qerr.Unavailable) || !strings.Contains(err.Error(), `cannot list resource "endpointslices"`) {
		t.Errorf("%v does not say what is missing", err)
	}
}
