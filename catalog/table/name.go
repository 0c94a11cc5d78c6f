package table

import "strings"

// Fold makes names comparable as DuckDB compares those of catalogs, db schemas, tables and columns: without regard to the
// case of ASCII letters, all others as they are.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}
