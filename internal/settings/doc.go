// Package settings holds the options of a session: their names, types, defaults and allowed values, and the immutable
// Values that a query takes with it.
//
// Options come in by SET name = value and by Flight SQL's SetSessionOptions; both end in Values.Set, so that what is
// allowed stands in one place (catalogue.go). They are read by the frontend (names, time zone), by distplan's options
// (distributed, partitions, join strategy), by the coordinator (timeout, attempts, results) and by sys.settings (All).
//
//	SET x = y ──────────────┐
//	SetSessionOptions{x: y} ┴─► Values.Set ─► session ─► Request.Settings of each query
//
// Invariants:
//  1. Values are immutable: Set and Reset give new ones. The zero Values are the defaults.
//  2. A value that is held was validated and is in canonical text; two Values with the same effect have the same
//     Fingerprint.
//  3. Names are compared without regard to case; an unknown one is refused with the list of those that exist.
//
// The package is pure: whether a catalog or db schema exists is for the caller to check, who has the catalog.
package settings
