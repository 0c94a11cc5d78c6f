package auth

import (
	"crypto/x509"
	"fmt"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A CertificateName says which name in a client certificate is the user's.
type CertificateName string

// The names that a certificate can have.
const (
	// NoCertificateName: certificates prove no user, only that the caller may connect.
	NoCertificateName CertificateName = ""
	// CommonName is the subject's CN.
	CommonName CertificateName = "cn"
	// DNSName, EmailName and URIName are the only entry of their kind in the subject's alternative names.
	DNSName   CertificateName = "dns"
	EmailName CertificateName = "email"
	URIName   CertificateName = "uri"
)

// ParseCertificateName reads the name of a kind of name.
func ParseCertificateName(text string) (CertificateName, error) {
	switch n := CertificateName(text); n {
	case NoCertificateName, CommonName, DNSName, EmailName, URIName:
		return n, nil
	}
	return "", fmt.Errorf("%q is not known; allowed: cn, dns, email, uri", text)
}

// of is the user that a certificate names. One with several names of the kind stands for nobody: which one would be a guess.
func (n CertificateName) of(leaf *x509.Certificate) (string, error) {
	var names []string
	switch n {
	case CommonName:
		if leaf.Subject.CommonName != "" {
			names = []string{leaf.Subject.CommonName}
		}
	case DNSName:
		names = leaf.DNSNames
	case EmailName:
		names = leaf.EmailAddresses
	case URIName:
		for _, u := range leaf.URIs {
			names = append(names, u.String())
		}
	}
	if len(names) != 1 {
		return "", qerr.New(qerr.Unauthenticated, "the client certificate has %d names of kind %s; it must have one to name its user", len(names), string(n))
	}
	if fault := subjectFault(names[0]); fault != "" {
		return "", qerr.New(qerr.Unauthenticated, "the name in the client certificate %s", fault)
	}
	return names[0], nil
}
