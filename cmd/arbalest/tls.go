package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/arbalest-sql/arbalest/internal/config"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// serverTransport is how a node's own port speaks: TLS when it has a certificate. Certificates are read at each
// handshake, so that a renewed file is served without a restart.
func serverTransport(n *config.Node) (credentials.TransportCredentials, error) {
	if n.TLSCert == "" {
		return insecure.NewCredentials(), nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(n.TLSCert, n.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		return &pair, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return load() }}
	if n.TLSClientCA != "" {
		pool, err := authorities("--tls-client-ca", n.TLSClientCA)
		if err != nil {
			return nil, err
		}
		c.ClientCAs, c.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	return credentials.NewTLS(c), nil
}

// nodeTLS is how this node speaks to others that use TLS. It shows its own certificate, for nodes that ask for one.
func nodeTLS(n *config.Node) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if n.TLSCA != "" {
		pool, err := authorities("--tls-ca", n.TLSCA)
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	if n.TLSCert != "" {
		c.GetClientCertificate = certificate("--tls-cert, --tls-key", n.TLSCert, n.TLSKey)
	}
	return c, nil
}

// certificate shows a certificate that is read at each handshake.
func certificate(flags, cert, key string) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flags, err)
		}
		return &pair, nil
	}
}

func authorities(flag, path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s %s: holds no certificate", flag, path)
	}
	return pool, nil
}
