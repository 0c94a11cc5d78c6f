// Package etcdtest runs real etcd servers for tests: one process a member, on loopback, killed and started again at will.
//
// Invariant: every process ends with its test, and its data with the test's directory.
package etcdtest
