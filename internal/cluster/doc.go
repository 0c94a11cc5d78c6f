// Package cluster tells which workers there are. It is a portable type over a small driver: memory (workers join a
// coordinator over one stream), and back ends that several coordinators share.
//
//	worker ── record, lease ──▶ driver ── Records ──▶ Cluster ── member.Snapshot ──▶ coordinator
//
// Invariants:
//  1. A driver only collects records and lets leases run out; judging them (compatible, duplicate, draining) happens here,
//     in member.NewSnapshot, alike for every driver.
//  2. A snapshot is immutable; Members is cheap and never blocks on the network.
//  3. A lease is liveness, not exclusion: nothing may rely on a lost worker having stopped.
//
// Some drivers also keep what coordinators share (driver.Ledger): which of them live, who succeeds one that has fallen, and records
// of queries by which another one goes on.
//
// The conformance suites that drivers pass are in clustertest.
package cluster
