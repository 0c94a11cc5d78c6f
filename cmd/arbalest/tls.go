package main

import (
	"crypto/tls"
	"fmt"

	"github.com/arbalest-sql/arbalest/internal/certs"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// serverTransport is how a node's own port speaks: TLS when it has a certificate. Changed files are served without a restart.
func (n *node) serverTransport() (credentials.TransportCredentials, error) {
	c := n.config
	if c.TLSCert == "" {
		return insecure.NewCredentials(), nil
	}
	pair, err := n.pair("--tls-cert, --tls-key", c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, err
	}
	clients, err := n.authorities("--tls-client-ca", c.TLSClientCA)
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(certs.ServerConfig(pair, clients, c.TLSClientOptional)), nil
}

// clientTLS is how this node speaks to others that use TLS. It shows its own certificate, for nodes that ask for one.
func (n *node) clientTLS() (*tls.Config, error) {
	c := n.config
	authorities, err := n.authorities("--tls-ca", c.TLSCA)
	if err != nil {
		return nil, err
	}
	pair, err := n.pair("--tls-cert, --tls-key", c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, err
	}
	config := certs.ClientConfig(authorities, pair)
	config.ServerName = c.TLSServerName
	return config, nil
}

// etcdTLS is how this node speaks to etcd.
func (n *node) etcdTLS() (*tls.Config, error) {
	c := n.config
	authorities, err := n.authorities("--etcd-tls-ca", c.EtcdTLSCA)
	if err != nil {
		return nil, err
	}
	pair, err := n.pair("--etcd-tls-cert, --etcd-tls-key", c.EtcdTLSCert, c.EtcdTLSKey)
	if err != nil {
		return nil, err
	}
	return certs.ClientConfig(authorities, pair), nil
}

// pair is the certificate of two flags; nil when they are not given.
func (n *node) pair(flags, cert, key string) (*certs.Pair, error) {
	if cert == "" {
		return nil, nil //nolint:nilnil // No certificate is one of the configurations.
	}
	pair, err := certs.LoadPair(cert, key, n.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flags, err)
	}
	return pair, nil
}

// authorities are those of a flag; nil when it is not given.
func (n *node) authorities(flag, path string) (*certs.Pool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // No authorities of one's own is one of the configurations.
	}
	pool, err := certs.LoadPool(path, n.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return pool, nil
}
