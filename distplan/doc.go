// Package distplan turns an operator tree into a Plan: a DAG of stages that workers run, joined by exchanges.
//
// Flow: rules rewrite the operator tree, each leaving a valid single-node tree; then exchanges are placed, which never
// changes topology; then the tree is cut into stages and each stage's body printed as one SQL fragment. Validate checks
// every plan. Explain prints it, and is the golden form of the tests.
//
// Invariants:
//  1. The package is pure: no I/O, clock, goroutine, randomness or cgo. The same input gives the same plan, byte for byte.
//  2. An operator, expression or function is distributed only by an explicit rule. Everything else takes the gather
//     fallback, with a reason that EXPLAIN shows.
//  3. A Plan is a value: nobody changes it after Build returned it.
package distplan
