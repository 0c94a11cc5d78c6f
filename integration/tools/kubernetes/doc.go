//go:build tools

// Package kubernetes pins the Kubernetes API server that the tests run, and kubectl. It is a module of its own: the product needs only the
// client. k8s.io/kubernetes takes its libraries from its own tree; as a dependency it needs them named, at the same version.
package kubernetes

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
