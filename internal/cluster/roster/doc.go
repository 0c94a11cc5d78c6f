// Package roster is the list of live workers that every membership driver keeps: records by life, a version, and waiting for
// the next change.
//
// Invariants:
//  1. The version grows with every change and never otherwise.
//  2. Waiters wake at the first change after the version they know, and when the roster closes.
//  3. What Records returns is never changed, by anybody.
package roster
