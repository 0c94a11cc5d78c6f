// Package certs makes TLS configurations of PEM files that may be replaced while the process runs: a renewed certificate, or
// another set of authorities, is used from the next handshake on, without a restart.
//
//	cert + key files ──> Pair ──┬─ ServerConfig    a node's own port; asks callers for certificates where it is told to
//	authorities file ──> Pool ──┘─ ClientConfig    a node's way to others, showing its own certificate
//
// Invariants:
//  1. TLS 1.2 is the least version.
//  2. Files are looked at once a handshake, and read when their time, size or identity has changed. Only the authorities that a
//     client takes servers by are those of the moment its configuration was made: crypto/tls has no way to change them.
//  3. A replacement that cannot be used (half written, certificate and key that do not belong together) changes nothing: what was
//     good goes on being used, and the log says why. Only at start is it an error.
//
// Everything here is safe for concurrent use and has no goroutines.
package certs
