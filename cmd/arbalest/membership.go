package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/cluster/etcd"
	"github.com/arbalest-sql/arbalest/internal/cluster/memory"
	"github.com/arbalest-sql/arbalest/internal/config"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/worker"
)

// joinTimeout is how long a worker looks for its coordinator before it gives up: both may be starting.
const joinTimeout = 2 * time.Minute

// openTimeout is how long a coordinator looks for etcd or the Kubernetes API server before it gives up.
const openTimeout = time.Minute

// meeting names where the nodes of the cluster meet, for messages.
func (n *node) meeting() string {
	if n.config.Cluster == config.MemoryCluster {
		return n.config.CoordinatorAddress
	}
	return n.config.Cluster
}

// openMembership makes the coordinator's view of the workers.
func (n *node) openMembership(d *door) error {
	var members driver.Driver
	if n.config.Role == config.Serve || n.config.Cluster == config.MemoryCluster {
		d.membership = memory.New(memory.Config{Keys: d.keys, HandOver: n.config.ClusterKey == "", DataLocations: d.data, Log: n.log})
		members = d.membership
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		var err error
		if n.config.Kubernetes() {
			members, err = n.openKubernetes(ctx, d)
		} else {
			members, err = n.openEtcd(ctx, d)
		}
		if err != nil {
			return fmt.Errorf("--cluster %s: %w", n.config.Cluster, err)
		}
	}
	n.onClose(members.Close)
	d.cluster = cluster.New(members, member.Requirement{Protocol: worker.ProtocolVersion, DuckDB: duck.Version()})
	return nil
}

// openEtcd lists this coordinator in etcd and follows the workers there.
func (n *node) openEtcd(ctx context.Context, d *door) (driver.Driver, error) {
	c, err := n.etcd(d.keys)
	if err != nil {
		return nil, err
	}
	life := driver.Life{ID: "c" + strings.ToLower(rand.Text()), Address: n.advertised(d.listener), TLS: n.config.TLSCert != ""}
	return etcd.Open(ctx, c, life, d.data)
}

// etcd is how this node reaches etcd.
func (n *node) etcd(keys *auth.Keyring) (etcd.Config, error) {
	endpoints, prefix, err := config.ParseEtcd(n.config.Cluster)
	if err != nil {
		return etcd.Config{}, err
	}
	c := etcd.Config{Endpoints: endpoints, Prefix: prefix, Keys: keys, User: n.config.EtcdUser,
		CoordinatorTTL: n.config.CoordinatorLease.Round(time.Second), Log: n.log}
	if n.config.EtcdPasswordFile != "" {
		text, err := os.ReadFile(n.config.EtcdPasswordFile)
		if err != nil {
			return c, fmt.Errorf("--etcd-password-file: %w", err)
		}
		c.Password, _, _ = strings.Cut(string(text), "\n")
	}
	if n.config.EtcdTLSCA != "" {
		var err error
		if c.TLS, err = n.etcdTLS(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// A registrar keeps this worker a member.
type registrar interface {
	Joined() bool
	Update(record *pb.WorkerRecord)
	Close() error
}

// join makes this worker a member, and learns the key, when it has none, and what it may read.
//
// A cluster that comes back with another key or other data is another one to this process, whose engine and tickets are
// bound to the first: changed ends it with a reason, and whoever supervises it starts it anew.
func (n *node) join(l net.Listener, record *pb.WorkerRecord, changed func(error)) (registrar, *auth.Keyring, []string, error) {
	var keys *auth.Keyring
	if n.config.ClusterKey != "" {
		var err error
		if keys, err = auth.LoadKeyring(n.config.ClusterKey); err != nil {
			return nil, nil, nil, err
		}
	}
	switch {
	case n.config.Kubernetes():
		r, locations, err := n.joinKubernetes(l, record, keys, changed)
		return r, keys, locations, err
	case n.config.Etcd():
		r, locations, err := n.joinEtcd(record, keys, changed)
		return r, keys, locations, err
	}
	return n.joinCoordinator(record, keys, changed)
}

// joinEtcd lists this worker in etcd.
func (n *node) joinEtcd(record *pb.WorkerRecord, keys *auth.Keyring, changed func(error)) (registrar, []string, error) {
	c, err := n.etcd(keys)
	if err != nil {
		return nil, nil, err
	}
	var first []string // written before a change can be told
	known := make(chan struct{})
	r, err := etcd.Register(c, record, func(locations []string) {
		<-known
		if !slices.Equal(locations, first) {
			changed(n.otherData())
		}
	})
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	first, err = r.Locations(ctx)
	close(known)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("join %s: %w", n.config.Cluster, err), r.Close())
	}
	return r, first, nil
}

// otherData is why a worker ends whose coordinators serve what its engine may not read.
func (n *node) otherData() error {
	return fmt.Errorf("the coordinators in %s serve other data now: start this worker again", n.config.Cluster)
}

// joinCoordinator proves this worker to the coordinator that keeps the membership.
func (n *node) joinCoordinator(record *pb.WorkerRecord, keys *auth.Keyring, changed func(error)) (registrar, *auth.Keyring, []string, error) {
	tlsConfig, err := n.clientTLS()
	if err != nil {
		return nil, nil, nil, err
	}
	link := flightx.NewClients(flightx.ClientConfig{TLS: tlsConfig})
	n.onClose(link.Close)
	conn, err := link.Conn(n.config.CoordinatorAddress, n.config.TLSCert != "" || n.config.TLSCA != "")
	if err != nil {
		return nil, nil, nil, err
	}
	var first *memory.Welcome // touched by the registrar's goroutine only
	welcomed := func(w memory.Welcome) {
		if first == nil {
			first = &w
		} else if w.KeyID != first.KeyID || !slices.Equal(w.DataLocations, first.DataLocations) {
			changed(fmt.Errorf("coordinator %s came back with another key or other data: start this worker again, or give every node the same --cluster-key", n.config.CoordinatorAddress))
		}
	}
	registrar := memory.NewRegistrar(memory.RegistrarConfig{Conn: conn, Keys: keys, Welcomed: welcomed, Log: n.log}, record)
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	welcome, err := registrar.Welcome(ctx)
	if err != nil {
		return nil, nil, nil, errors.Join(fmt.Errorf("join %s: %w", n.config.CoordinatorAddress, err), registrar.Close())
	}
	if keys == nil {
		keys = auth.NewKeyring(welcome.KeyID, welcome.Key)
	}
	return registrar, keys, welcome.DataLocations, nil
}
