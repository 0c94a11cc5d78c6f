// Package lint checks, as go tests, what compilers do not: who may import whom, that pure packages are pure, that every
// package opens with a doc.go, that ARCHITECTURE.md names what exists, and the small rules of the house.
//
// Every rule carries its reason, which a failure prints. An exception stands in a table beside its rule, with a reason too;
// exceptions that are not needed any more fail.
//
// The tests read sources and run go list; they need no network and no engine.
package lint
