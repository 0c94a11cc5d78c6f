package certs

import "crypto/tls"

// alpn is what gRPC speaks. It stands in each configuration, as gRPC adds it only to the one it is given, not to those that
// GetConfigForClient makes.
var alpn = []string{"h2"}

// ServerConfig is of a server that shows a certificate. With authorities it asks its callers for certificates from them, and takes
// only callers that have one, unless optional is set: then only a wrong one is refused.
func ServerConfig(pair *Pair, clients *Pool, optional bool) *tls.Config {
	show := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.files.current(), nil }
	base := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: alpn, GetCertificate: show}
	if clients == nil {
		return base
	}
	base.ClientAuth = tls.RequireAndVerifyClientCert
	if optional {
		base.ClientAuth = tls.VerifyClientCertIfGiven
	}
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c := base.Clone()
		c.GetConfigForClient = nil
		c.ClientCAs = clients.files.current()
		return c, nil
	}
	return base
}

// ClientConfig is of a client that takes servers with certificates from the authorities (nil: the system's) as they are now, and shows
// its own to those that ask (nil: has none).
func ClientConfig(authorities *Pool, pair *Pair) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if authorities != nil {
		c.RootCAs = authorities.files.current()
	}
	if pair != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.files.current(), nil }
	}
	return c
}
