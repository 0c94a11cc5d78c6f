// Package catalog tests the directory catalog against the engine itself: types, rows, keys, unions and statistics of files
// that DuckDB wrote must be what DuckDB says of them. It has no code of its own; catalog and its drivers stay free of the
// engine, so the tests that need both live here.
package catalog
