// Package kubernetes tests Arbalest against a real API server, without nodes: the chart's manifests are checked and admitted by
// the server, and real processes find each other by EndpointSlices that the test writes, with the rights that the chart gives.
//
// make test-k8s runs it: the server takes minutes to build.
package kubernetes
