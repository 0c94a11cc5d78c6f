// Package kubetest runs a real Kubernetes API server over a real etcd for tests, without nodes: no pod runs, and what controllers
// would write (EndpointSlices) the tests write. Helm is beside it.
//
// Invariant: every process ends with its test, and its data with the test's directory.
package kubetest
