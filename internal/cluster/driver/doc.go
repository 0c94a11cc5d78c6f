// Package clustertest is the conformance suite of membership drivers: RunConformance checks one against the contract in
// package driver. A driver gives a Harness that makes memberships and joins workers by the driver's real worker side.
package cluster
