// Package ids holds the typed names of everything a query consists of: queries, stages, tasks, attempts,
// partitions, splits and workers. Distinct types keep a partition index from being passed where a task index is meant.
//
// The package is pure: it imports nothing but the standard library's string handling, and ids are made elsewhere
// (they need randomness) and only named, compared, printed and parsed here.
package ids
