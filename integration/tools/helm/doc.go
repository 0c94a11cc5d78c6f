//go:build tools

// Package helm pins the Helm that renders and checks deploy/helm in the tests. It is a module of its own.
package helm

import _ "helm.sh/helm/v3/cmd/helm"
