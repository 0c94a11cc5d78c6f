// Package plandb keeps planning databases: disposable, sandboxed, in-memory DuckDB instances that know the catalog's
// tables only as stubs (columns and row counts) and answer questions about statements: their syntax tree, their result
// columns and parameters, their optimised plan. They read no file and run no query over data.
//
//	Pool ──Get(version)──▶ Instance ──Define(tables)──▶ Plan / Describe / Estimates
//	  ▲                        │ a deadline passed, an internal error
//	  └──────── Put ───────────┴─▶ Discard: interrupted and closed behind the scenes
//
// Invariants:
//  1. An instance has no access to the outside: no files, no network, no extensions, and its configuration is locked
//     before it sees a statement.
//  2. An instance belongs to one snapshot version, and is used by one caller at a time: a stub's columns never change under
//     a live view.
//  3. A call that outlives its context is left behind: its instance counts against the pool's limit until it has come
//     back and is closed, so that pathological statements cannot pile up. Close waits for all of them.
//  4. Names in an instance are those of the catalog: catalog, db schema, table. Everything of ours is named arbalest_….
//
// Ownership: a caller of Get gives the instance back by exactly one of Put and Discard.
package plandb
