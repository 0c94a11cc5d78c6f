// Package table holds the types that planning needs to know of a table: names, columns and their types, files, row groups,
// splits and statistics. They are values: a catalog driver makes them, a Snapshot holds them, and nobody changes them after.
//
// The package is pure: no I/O and no clock, so that distplan, which is pure too, can stand on it.
package table
