// Package invariants holds assertions that cost nothing in production: under the build tag "invariants" (go test -tags
// invariants) a broken one panics, otherwise the calls compile to nothing.
//
// A broken invariant is a bug of ours, never an answer to input: what a user, a file or another node can cause is an error.
// Arguments are evaluated in any case; guard costly ones by
//
//	if invariants.Enabled {
//		invariants.Check(validate(plan) == nil, "rule %s left a broken plan", name)
//	}
//
// The package is pure.
package invariants
