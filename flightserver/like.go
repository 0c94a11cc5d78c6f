package flightserver

import (
	"unicode/utf8"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// searchEscape takes the meaning from the wildcard that follows it, in patterns of names (SQL_SEARCH_STRING_ESCAPE).
const searchEscape = '\\'

// A filter is what a metadata command asks for: the catalog by name, the rest by patterns; what is absent matches all.
type filter struct{ catalogName, schemaPattern, tablePattern *string }

func newFilter(catalog, schemaPattern, tablePattern *string) filter {
	return filter{catalog, schemaPattern, tablePattern}
}

func (f filter) schema(catalog, name string) bool {
	return (f.catalogName == nil || *f.catalogName == catalog) && (f.schemaPattern == nil || like(name, *f.schemaPattern))
}

func (f filter) table(n table.Name) bool {
	return f.schema(n.Catalog, n.Schema) && (f.tablePattern == nil || like(n.Table, *f.tablePattern))
}

// like reports whether text matches a LIKE pattern: % is any run of characters, _ is one. Case matters, as names are listed in
// their own case. It takes time in proportion to the product of the lengths at worst, never more.
func like(text, pattern string) bool {
	// Where to go on when the last % must take one more character.
	resumeText, resumePattern := -1, -1
	t, p := 0, 0
	for t < len(text) || p < len(pattern) {
		if p < len(pattern) && pattern[p] == '%' {
			p++
			resumeText, resumePattern = t, p
			continue
		}
		if t < len(text) && p < len(pattern) {
			if nt, np, ok := likeOne(text, t, pattern, p); ok {
				t, p = nt, np
				continue
			}
		}
		if resumeText < 0 || resumeText >= len(text) {
			return false
		}
		_, size := utf8.DecodeRuneInString(text[resumeText:])
		resumeText += size
		t, p = resumeText, resumePattern
	}
	return true
}

// likeOne matches one character, and returns what follows it on both sides.
func likeOne(text string, t int, pattern string, p int) (nextText, nextPattern int, ok bool) {
	_, size := utf8.DecodeRuneInString(text[t:])
	w, wide := utf8.DecodeRuneInString(pattern[p:])
	if w == '_' {
		return t + size, p + wide, true
	}
	if w == searchEscape && p+wide < len(pattern) {
		p += wide
		_, wide = utf8.DecodeRuneInString(pattern[p:])
	}
	return t + size, p + wide, text[t:t+size] == pattern[p:p+wide]
}
