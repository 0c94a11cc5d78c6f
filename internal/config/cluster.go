package config

import (
	"fmt"
	"net"
	"path"
	"regexp"
	"strings"
	"time"
)

// leaseMin and leaseMax bound a coordinator's lease: etcd grants no shorter one, and a longer one helps nobody.
const leaseMin, leaseMax = 2 * time.Second, time.Hour

// MemoryCluster is the membership that the coordinator keeps itself.
const MemoryCluster = "memory"

// etcdPrefix is where the keys are when the URL has no path.
const etcdPrefix = "/arbalest"

// ParseEtcd reads etcd://HOST:PORT[,HOST:PORT…][/PREFIX].
func ParseEtcd(text string) (endpoints []string, prefix string, err error) {
	malformed := func() ([]string, string, error) {
		return nil, "", fmt.Errorf("%q: want etcd://HOST:PORT,HOST:PORT/PREFIX, such as etcd://10.0.0.1:2379,10.0.0.2:2379/arbalest", text)
	}
	hosts, found := strings.CutPrefix(text, "etcd://")
	if !found || strings.ContainsAny(text, "@?#") {
		return malformed()
	}
	hosts, prefix, _ = strings.Cut(hosts, "/")
	for _, endpoint := range strings.Split(hosts, ",") {
		host, port, err := net.SplitHostPort(endpoint)
		if err != nil || host == "" || port == "" {
			return malformed()
		}
		endpoints = append(endpoints, endpoint)
	}
	if prefix = path.Clean("/" + prefix); prefix == "/" {
		prefix = etcdPrefix
	}
	return endpoints, prefix, nil
}

// ParseKubernetes reads kubernetes://NAMESPACE/SERVICE.
func ParseKubernetes(text string) (namespace, service string, err error) {
	rest, found := strings.CutPrefix(text, "kubernetes://")
	namespace, service, _ = strings.Cut(rest, "/")
	if !found || !label.MatchString(namespace) || !label.MatchString(service) {
		return "", "", fmt.Errorf("%q: want kubernetes://NAMESPACE/SERVICE, the headless Service in front of the workers, such as kubernetes://analytics/arbalest-workers", text)
	}
	return namespace, service, nil
}

// label is what names of namespaces and Services are made of.
var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Etcd and Kubernetes say where the nodes of the cluster meet.
func (n *Node) Etcd() bool       { return strings.HasPrefix(n.Cluster, "etcd:") }
func (n *Node) Kubernetes() bool { return strings.HasPrefix(n.Cluster, "kubernetes:") }

// checkCluster checks how a coordinator or a worker finds the others.
func (n *Node) checkCluster(bad func(string, ...any)) {
	if n.Cluster == MemoryCluster {
		if n.Role == Worker && n.CoordinatorAddress == "" {
			bad("--coordinator is missing: a worker needs the HOST:PORT of the coordinator to join, or --cluster etcd://… or kubernetes://…")
		} else if n.Role == Worker {
			n.checkAddress("--coordinator", n.CoordinatorAddress, bad)
		}
		return
	}
	var err error
	switch {
	case n.Etcd():
		_, _, err = ParseEtcd(n.Cluster)
	case n.Kubernetes():
		_, _, err = ParseKubernetes(n.Cluster)
	default:
		bad("--cluster %q: not known; allowed: memory, etcd://HOST:PORT,HOST:PORT/PREFIX, kubernetes://NAMESPACE/SERVICE", n.Cluster)
		return
	}
	if err != nil {
		bad("--cluster %w", err)
	}
	if n.CoordinatorAddress != "" {
		bad("--coordinator and --cluster %s exclude each other: worker and coordinators meet there", n.Cluster)
	}
	if n.ClusterKey == "" {
		bad("--cluster %s needs --cluster-key: nodes sign with it what they say of themselves", n.Cluster)
	}
	if (n.EtcdTLSCert == "") != (n.EtcdTLSKey == "") {
		bad("--etcd-tls-cert and --etcd-tls-key go together: give both or none")
	}
	if n.EtcdTLSCert != "" && n.EtcdTLSCA == "" {
		bad("--etcd-tls-cert needs --etcd-tls-ca")
	}
	if n.Role == Coordinator && (n.CoordinatorLease < leaseMin || n.CoordinatorLease > leaseMax) {
		bad("--coordinator-lease %s: allowed are %s to %s", n.CoordinatorLease, leaseMin, leaseMax)
	}
	if (n.EtcdUser == "") != (n.EtcdPasswordFile == "") {
		bad("--etcd-user and --etcd-password-file go together: give both or none")
	}
}
