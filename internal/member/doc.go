// Package member holds what a worker says of itself and the snapshot of all of them that one query is planned with.
//
// Place in the flow: a membership back end (internal/cluster) collects Records; NewSnapshot judges them; the coordinator
// gives the usable ones to internal/schedule.
//
// Invariants:
//  1. A Snapshot is immutable, sorted by worker id then incarnation, and deterministic in its inputs: every coordinator
//     that sees the same records judges alike.
//  2. The usable members of a snapshot are one compatible set: same protocol version, same DuckDB version, same hash
//     vector. Two workers that hash differently would send equal keys to different partitions and drop join matches in
//     silence, so a difference excludes, it does not warn.
//  3. At most one usable member has a given worker id.
//  4. A member that is not usable is listed with a reason that a person can act on.
//
// The package is pure: no I/O, no clock, no goroutine.
package member
