package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// A Role says which parts of a node a process runs.
type Role string

// The roles.
const (
	Serve       Role = "serve"
	Coordinator Role = "coordinator"
	Worker      Role = "worker"
)

// A Node is the configuration of one server process. Fields that do not concern its role keep their defaults.
type Node struct {
	Role Role
	// Listen and HTTP are host:port; HTTP "off" serves none.
	Listen, HTTP string
	// Advertise is host:port as clients and other nodes reach this one; default: the address listened on.
	Advertise string
	// Data are the directories whose files are tables (serve, coordinator).
	Data []string
	// Workers is the number of workers in the process (serve).
	Workers int
	// Cluster names the membership: "memory", or an etcd or kubernetes URL.
	Cluster string
	// CoordinatorAddress is host:port of the coordinator to join (worker in a cluster of memory).
	CoordinatorAddress string
	// ProxyResults names no worker to clients: every result comes through the coordinator.
	ProxyResults bool
	// MaxRunning and MaxQueued bound the distributed queries that run and that wait for a place (serve, coordinator).
	MaxRunning, MaxQueued int
	// ResourceGroups share the places (serve, coordinator).
	ResourceGroups Groups

	// Threads are the engine's, of the process; default: the number of CPUs.
	Threads int
	// MemoryLimit is the budget of the process's workers in bytes, for the engine, exchanged batches and the Go heap; 0 = 60 %
	// of the machine's memory.
	MemoryLimit Bytes
	// SpillDir is where the engine spills; default: a directory of the process's own under the system's.
	SpillDir string
	// MaxSpill bounds the spilled bytes, of the process.
	MaxSpill Bytes

	TLSCert, TLSKey, TLSCA, TLSClientCA string
	// TLSServerName is the name that other nodes' certificates must carry; default: the host that each is reached at.
	TLSServerName string
	// TLSClientUser is the kind of name in client certificates that is the user's (see auth.CertificateName); TLSClientOptional takes
	// callers without a certificate too.
	TLSClientUser     string
	TLSClientOptional bool
	// Users and Tokens are files of password and token hashes.
	Users, Tokens string
	// JWKS is the file or URL of the key set of JSON web tokens' issuer; see auth.JWTConfig.
	JWKS, JWTIssuer, JWTAudience, JWTUserClaim string
	JWTClockSkew                               time.Duration
	// TokenTTL and LoginMax are those of flightserver.Config (serve, coordinator).
	TokenTTL, LoginMax time.Duration

	ClusterKey                         string
	EtcdTLSCert, EtcdTLSKey, EtcdTLSCA string
	EtcdUser, EtcdPasswordFile         string
	CoordinatorLease                   time.Duration // (coordinator)
	Insecure                           bool

	LogLevel string
	Config   string
}

// NewNode returns the flags of a role over a Node with its defaults.
func NewNode(role Role) (*Node, *pflag.FlagSet) {
	n := &Node{Role: role, MaxSpill: 100e9}
	f := pflag.NewFlagSet("arbalest "+string(role), pflag.ContinueOnError)
	f.SortFlags = false
	listen, http := "127.0.0.1:32010", "127.0.0.1:32011"
	if role == Worker {
		listen, http = "127.0.0.1:0", "off"
	}
	f.StringVar(&n.Listen, "listen", listen, "`HOST:PORT` for clients and nodes; port 0 picks a free one")
	f.StringVar(&n.HTTP, "http", http, "`HOST:PORT` of /healthz, /readyz and /metrics, or off")
	f.StringVar(&n.Advertise, "advertise", "", "`HOST:PORT` under which clients and other nodes reach this node; default: where it listens")
	if role != Worker {
		f.StringArrayVar(&n.Data, "data", nil, "`DIR` whose Parquet, CSV and JSON files and sub-directories are tables; may be given several times")
		f.BoolVar(&n.ProxyResults, "proxy-results", false, "name no worker to clients: every result comes through this address")
		f.IntVar(&n.MaxRunning, "max-running", 64, "`N` distributed queries run at once")
		f.IntVar(&n.MaxQueued, "max-queued", 1024, "`N` queries wait for a place; more are refused with a hint when to come back")
		f.Var(&n.ResourceGroups, "resource-group", "`GROUP` of queries with its own share of the places: "+groupForm+"; named like a user it is that user's, others are chosen by arbalest.resource_group; may be given several times")
	}
	if role == Serve {
		f.IntVar(&n.Workers, "workers", 1, "`N` workers in this process; they share its threads and memory")
	} else {
		f.StringVar(&n.Cluster, "cluster", "memory", "`membership`: memory (workers join the coordinator), etcd://HOST:PORT,HOST:PORT/PREFIX (all nodes meet in etcd), or kubernetes://NAMESPACE/SERVICE (coordinators find the workers behind a headless Service)")
	}
	if role == Worker {
		f.StringVar(&n.CoordinatorAddress, "coordinator", "", "`HOST:PORT` of the coordinator to join")
	}
	if role != Coordinator {
		f.IntVar(&n.Threads, "threads", runtime.NumCPU(), "`N` engine threads of the process")
		f.Var(&n.MemoryLimit, "memory-limit", "memory of the process's workers, such as 8GB; default: 60 % of the machine's")
		f.StringVar(&n.SpillDir, "spill-dir", "", "`DIR` for spilled data; default: a fresh one under the system's temporary directory, unique to the process")
		f.Var(&n.MaxSpill, "max-spill", "limit of spilled data")
	}
	f.StringVar(&n.TLSCert, "tls-cert", "", "`FILE` with the certificate chain (PEM); switches TLS on")
	f.StringVar(&n.TLSKey, "tls-key", "", "`FILE` with the private key (PEM)")
	f.StringVar(&n.TLSCA, "tls-ca", "", "`FILE` with the authorities (PEM) that other nodes' certificates must come from; default: the system's")
	f.StringVar(&n.TLSServerName, "tls-server-name", "", "`NAME` that other nodes' certificates must carry; default: the host that each advertises")
	f.StringVar(&n.TLSClientCA, "tls-client-ca", "", "`FILE` with authorities (PEM); clients must then show a certificate from one")
	f.BoolVar(&n.TLSClientOptional, "tls-client-optional", false, "with --tls-client-ca: take clients without a certificate too; they log in otherwise")
	n.loginFlags(f)
	f.StringVar(&n.ClusterKey, "cluster-key", "", "`FILE` with the key that nodes prove themselves with and sign tickets; the same on every node")
	if role != Serve {
		f.StringVar(&n.EtcdTLSCert, "etcd-tls-cert", "", "`FILE` with the certificate (PEM) to show to etcd")
		f.StringVar(&n.EtcdTLSKey, "etcd-tls-key", "", "`FILE` with its private key (PEM)")
		f.StringVar(&n.EtcdTLSCA, "etcd-tls-ca", "", "`FILE` with the authorities (PEM) that etcd's certificates must come from; switches TLS to etcd on")
		f.StringVar(&n.EtcdUser, "etcd-user", "", "`NAME` to log in to etcd with")
		f.StringVar(&n.EtcdPasswordFile, "etcd-password-file", "", "`FILE` whose first line is that user's password")
	}
	if role == Coordinator {
		f.DurationVar(&n.CoordinatorLease, "coordinator-lease", 7*time.Second, "`DURATION` for which a coordinator may be silent in etcd before another one goes on with its queries")
	}
	f.BoolVar(&n.Insecure, "insecure", false, "allow listening beyond this machine without TLS and users")
	f.StringVar(&n.LogLevel, "log-level", "info", "`LEVEL`: debug, info, warn or error")
	f.StringVar(&n.Config, "config", "", "YAML `FILE` whose keys are these flags' names; flags and ARBALEST_* variables win over it")
	return n, f
}

// Validate reports every fault of the configuration at once. It looks at files only to see that they are there.
func (n *Node) Validate() error {
	var faults []error
	bad := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	host, known := n.checkAddress("--listen", n.Listen, bad)
	if n.HTTP != "off" {
		n.checkAddress("--http", n.HTTP, bad)
	}
	if n.Advertise != "" {
		n.checkAddress("--advertise", n.Advertise, bad)
	}
	if n.Role != Serve {
		n.checkCluster(bad)
	}
	if n.Role == Serve && (n.Workers < 1 || n.Workers > 64) {
		bad("--workers %d: allowed are 1 to 64 in one process", n.Workers)
	}
	if n.Role != Coordinator && (n.Threads < 1 || n.Threads > 4096) {
		bad("--threads %d: allowed are 1 to 4096", n.Threads)
	}
	if n.Role != Worker && (n.MaxRunning < 1 || n.MaxQueued < 1) {
		bad("--max-running %d and --max-queued %d: both are at least 1", n.MaxRunning, n.MaxQueued)
	}
	if n.MemoryLimit != 0 && n.MemoryLimit < 64e6 {
		bad("--memory-limit %s: at least 64MB", n.MemoryLimit.String())
	}
	if (n.TLSCert == "") != (n.TLSKey == "") {
		bad("--tls-cert and --tls-key go together: give both or none")
	}
	if n.TLSClientCA != "" && n.TLSCert == "" {
		bad("--tls-client-ca needs --tls-cert and --tls-key")
	}
	n.checkLogins(bad)
	for flag, path := range map[string]string{"--tls-cert": n.TLSCert, "--tls-key": n.TLSKey, "--tls-ca": n.TLSCA,
		"--tls-client-ca": n.TLSClientCA, "--users": n.Users, "--tokens": n.Tokens, "--cluster-key": n.ClusterKey, "--etcd-tls-cert": n.EtcdTLSCert,
		"--etcd-tls-key": n.EtcdTLSKey, "--etcd-tls-ca": n.EtcdTLSCA, "--etcd-password-file": n.EtcdPasswordFile} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			bad("%s: %w", flag, err)
		}
	}
	for _, dir := range n.Data {
		if info, err := os.Stat(dir); err != nil {
			bad("--data: %w", err)
		} else if !info.IsDir() {
			bad("--data %s: not a directory; give the directory that holds the files", dir)
		}
	}
	if known && !Loopback(host) && !n.Insecure {
		n.checkExposed(bad)
	}
	if !oneOf(n.LogLevel, "debug", "info", "warn", "error") {
		bad("--log-level %q: allowed are debug, info, warn, error", n.LogLevel)
	}
	return errors.Join(faults...)
}

// checkExposed refuses to listen beyond the machine without protection. A worker's door is the signed ticket and the
// cluster key, so it needs a key of its own; a coordinator needs users.
func (n *Node) checkExposed(bad func(string, ...any)) {
	var missing []string
	if n.TLSCert == "" {
		missing = append(missing, "--tls-cert and --tls-key")
	}
	if n.Role != Worker && !n.LogsIn() {
		missing = append(missing, "--users (or --tokens, --jwks, --tls-client-user)")
	}
	if n.Role != Serve && n.ClusterKey == "" {
		missing = append(missing, "--cluster-key")
	}
	if len(missing) > 0 {
		bad("--listen %s is reachable from other machines; give %s, or --insecure to do without", n.Listen, strings.Join(missing, " and "))
	}
}

// checkAddress splits an address; the host may be empty, which is every interface of the machine.
func (n *Node) checkAddress(flag, address string, bad func(string, ...any)) (host string, ok bool) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		bad("%s %q: want HOST:PORT, such as 127.0.0.1:32010", flag, address)
		return "", false
	}
	return host, true
}

// Loopback reports whether host names this machine only.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func oneOf(s string, allowed ...string) bool {
	for _, a := range allowed {
		if s == a {
			return true
		}
	}
	return false
}
