//go:build tools

// Package etcd pins the etcd server that the tests run. It is a module of its own: the product needs only the client.
package etcd

import _ "go.etcd.io/etcd/server/v3"
