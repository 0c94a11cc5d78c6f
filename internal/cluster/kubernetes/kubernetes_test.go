package kubernetes

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/client-go/rest"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster/clustertest"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bubble runs a test with a fixture without an API server, where time passes only when everybody waits.
func bubble(t *testing.T, test func(t *testing.T, f *fixture)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.membership = newMembership(f.cfg)
		f.list = func(places []place) {
			listed := map[place]bool{}
			for _, p := range places {
				listed[p] = true
			}
			f.membership.apply(listed)
		}
		defer f.close()
		test(t, f)
	})
}

// TestConformance runs the suite with the real streams between both sides, and places told by the test.
func TestConformance(t *testing.T) {
	clustertest.RunConformance(t, clustertest.Harness{
		LeaseTTL: leaseTTL,
		Run: func(t *testing.T, test func(t *testing.T, f clustertest.Fixture)) {
			bubble(t, func(t *testing.T, f *fixture) { test(t, f) })
		},
	})
}

func members(m *Membership) []string {
	_, all := m.Records()
	var names []string
	for _, j := range all {
		names = append(names, string(j.ID))
	}
	return names
}

// until waits for the members to be those.
func until(t *testing.T, m *Membership, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		version, _ := m.Records()
		got := members(m)
		if slices.Equal(got, want) {
			return
		}
		if err := m.Wait(ctx, version); err != nil {
			t.Fatalf("members are %v, want %v: %v", got, want, err)
		}
	}
}

// Nobody becomes a worker by being listed, nor by another key, nor by telling another's address.
func TestOnlyWorkersOfTheClusterCount(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		stranger := f.serve(clustertest.Record("stranger", "1"), auth.GenerateKeyring())
		f.show(stranger.place)
		elsewhere := f.serve(clustertest.Record("elsewhere", "1", func(r *pb.WorkerRecord) { r.Address = "a.example:1" }), f.cfg.Keys)
		f.show(elsewhere.place)
		f.show(place{ip: "10.9.9.9", port: "1"}) // nobody is there
		f.Join(clustertest.Record("real", "1"))
		until(t, f.membership, "real")
		time.Sleep(10 * leaseTTL) // takes no time: many tries of each
		synctest.Wait()
		if got := members(f.membership); !slices.Equal(got, []string{"real"}) {
			t.Errorf("members are %v", got)
		}
		if stranger.registrar.Joined() {
			t.Error("the worker of another cluster believes that it has joined")
		}
	})
}

// A worker whose place is taken off the list is no member, even while its stream still lives.
func TestUnlistedWorkersLeave(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		a := f.Join(clustertest.Record("a", "1")).(*joined)
		until(t, f.membership, "a")
		f.hide(a.place)
		until(t, f.membership)
		f.show(a.place)
		until(t, f.membership, "a")
	})
}

// A worker that starts anew at its place, with another server, is found again; as the end of a pod's first server is.
func TestMeetAgain(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		a := f.Join(clustertest.Record("a", "1", func(r *pb.WorkerRecord) { r.HashVector = nil })).(*joined)
		until(t, f.membership, "a")
		a.registrar.Update(clustertest.Record("a", "1"))
		for _, l := range a.lines {
			_ = l.Conn.Close()
		}
		until(t, f.membership)
		until(t, f.membership, "a")
		if _, all := f.membership.Records(); all[0].HashVector == "" {
			t.Error("the record is the one from before")
		}
	})
}

// A worker learns the data of all coordinators that come within a moment, and is told of more.
func TestLocations(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		told := make(chan []string, 10)
		w := f.serve(clustertest.Record("a", "1"), f.cfg.Keys)
		w.registrar.cfg.Changed = func(l []string) { told <- l }
		early, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if l, err := w.registrar.Locations(early); err == nil {
			t.Errorf("locations %v without a coordinator", l)
		}
		coordinator := func(locations ...string) *Membership {
			cfg := f.cfg
			cfg.DataLocations = locations
			m := newMembership(cfg)
			m.apply(map[place]bool{w.place: true})
			return m
		}
		one := coordinator("/b", "/a")
		defer one.Close()
		two := coordinator("/a", "/c")
		defer two.Close()
		if got, err := w.registrar.Locations(t.Context()); err != nil || !slices.Equal(got, []string{"/a", "/b", "/c"}) {
			t.Fatalf("locations %v, %v", got, err)
		}
		three := coordinator("/c") // nothing new
		until(t, three, "a")
		_ = three.Close()
		four := coordinator("/d")
		defer four.Close()
		if got := <-told; !slices.Equal(got, []string{"/a", "/b", "/c", "/d"}) {
			t.Errorf("told %v", got)
		}
	})
}

func TestPlaces(t *testing.T) {
	named := func(name string, port int32) discovery.EndpointPort {
		return discovery.EndpointPort{Name: &name, Port: &port}
	}
	host := "w-0"
	endpoints := []discovery.Endpoint{{Addresses: []string{"10.0.0.1"}, Hostname: &host}, {Addresses: []string{"10.0.0.2"}}}
	for name, c := range map[string]struct {
		slice discovery.EndpointSlice
		want  []place
	}{
		"one port of any name": {discovery.EndpointSlice{Ports: []discovery.EndpointPort{named("x", 7)}, Endpoints: endpoints},
			[]place{{"10.0.0.1", "7", "w-0"}, {"10.0.0.2", "7", ""}}},
		"ours of several": {discovery.EndpointSlice{Ports: []discovery.EndpointPort{named("http", 8), named("flight", 9)}, Endpoints: endpoints[1:]},
			[]place{{"10.0.0.2", "9", ""}}},
		"none of several": {discovery.EndpointSlice{Ports: []discovery.EndpointPort{named("a", 8), named("b", 9)}, Endpoints: endpoints}, nil},
		"names to resolve": {discovery.EndpointSlice{AddressType: discovery.AddressTypeFQDN, Ports: []discovery.EndpointPort{named("flight", 9)},
			Endpoints: []discovery.Endpoint{{Addresses: []string{"evil.example"}}}}, nil},
		"IPv6": {discovery.EndpointSlice{AddressType: discovery.AddressTypeIPv6, Ports: []discovery.EndpointPort{named("flight", 9)},
			Endpoints: []discovery.Endpoint{{Addresses: []string{"fd00::1"}}}}, []place{{"fd00::1", "9", ""}}},
	} {
		if got := placesOf(&c.slice); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAddressesOfAPlace(t *testing.T) {
	c := Config{Namespace: "ns", Service: "svc"}
	for _, x := range []struct {
		place   place
		address string
		ok      bool
	}{
		{place{"10.0.0.1", "9", ""}, "10.0.0.1:9", true},
		{place{"fd00::1", "9", ""}, "[fd00::1]:9", true},
		{place{"10.0.0.1", "9", "w-0"}, "10.0.0.1:9", true},
		{place{"10.0.0.1", "9", "w-0"}, "w-0.svc:9", true},
		{place{"10.0.0.1", "9", "w-0"}, "w-0.svc.ns:9", true},
		{place{"10.0.0.1", "9", "w-0"}, "w-0.svc.ns.svc:9", true},
		{place{"10.0.0.1", "9", "w-0"}, "w-0.svc.ns.svc.cluster.local:9", true},
		{place{"10.0.0.1", "9", "w-0"}, "", true},
		{place{"10.0.0.1", "9", "w-0"}, "w-0.svc.ns.svc:8", false},
		{place{"10.0.0.1", "9", "w-0"}, "w-1.svc.ns.svc:9", false},
		{place{"10.0.0.1", "9", "w-0"}, "w-0.svc.other.svc:9", false},
		{place{"10.0.0.1", "9", "w-0"}, "w-0.svcX:9", false},
		{place{"10.0.0.1", "9", "w-0"}, "10.0.0.2:9", false},
		{place{"10.0.0.1", "9", ""}, ".svc:9", false},
		{place{"10.0.0.1", "9", ""}, "nonsense", false},
	} {
		if err := x.place.check(c, &pb.WorkerRecord{Address: x.address}); (err == nil) != x.ok {
			t.Errorf("%v says that it is at %q: %v", x.place, x.address, err)
		}
	}
}

func TestOpenWithoutAPIServer(t *testing.T) {
	cfg := newFixture(t).cfg
	cfg.API = &rest.Config{Host: "http://127.0.0.1:1"}
	m, err := Open(t.Context(), cfg)
	if err == nil {
		_ = m.Close()
		t.Fatal("opened without an API server")
	}
	if !qerr.Is(err, qerr.Unavailable) || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("%v does not name the address", err)
	}
}
