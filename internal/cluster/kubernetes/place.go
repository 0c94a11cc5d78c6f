package kubernetes

import (
	"net"
	"strconv"
	"strings"

	discovery "k8s.io/api/discovery/v1"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A place is where an EndpointSlice says that a worker is. Places are compared.
type place struct {
	ip, port string
	hostname string // the pod's name in the Service; empty when it has none
}

// address is what is dialled: names need DNS, which lags behind the slices.
func (p place) address() string { return net.JoinHostPort(p.ip, p.port) }

// name is what the worker's certificate must carry.
func (p place) name(c Config) string {
	if p.hostname == "" {
		return p.ip
	}
	return strings.Join([]string{p.hostname, c.Service, c.Namespace, "svc"}, ".")
}

// check refuses a record that names another place, so that no worker can stand for another: as its address a worker may give
// its own, or its name in the Service in any of the forms that Kubernetes resolves.
func (p place) check(c Config, r *pb.WorkerRecord) error {
	if r.GetAddress() == "" {
		return nil // still starting: nothing is sent there
	}
	host, port, err := net.SplitHostPort(r.GetAddress())
	if err == nil && port == p.port {
		whole := p.name(c)
		short := p.hostname + "." + c.Service
		if host == p.ip || p.hostname != "" && (host == whole || host == short || host == short+"."+c.Namespace || strings.HasPrefix(host, whole+".")) {
			return nil
		}
	}
	return qerr.New(qerr.Unauthenticated, "the worker at %s (%s) says that it is at %s", p.address(), p.name(c), r.GetAddress())
}

// placesOf reads a slice: every address, ready or not.
func placesOf(s *discovery.EndpointSlice) []place {
	if s.AddressType == discovery.AddressTypeFQDN {
		return nil // never made by Kubernetes itself, and to be resolved by nobody
	}
	port := ""
	for _, p := range s.Ports {
		named := p.Name != nil && *p.Name == portName
		if p.Port != nil && (named || len(s.Ports) == 1) {
			port = strconv.Itoa(int(*p.Port))
		}
	}
	if port == "" {
		return nil
	}
	var places []place
	for _, e := range s.Endpoints {
		p := place{port: port}
		if e.Hostname != nil {
			p.hostname = *e.Hostname
		}
		if len(e.Addresses) > 0 { // more than one mean the same pod
			p.ip = e.Addresses[0]
			places = append(places, p)
		}
	}
	return places
}
