// Package certtest makes authorities and certificates for tests: short-lived ones, in files, as nodes and clients read them.
package certtest
