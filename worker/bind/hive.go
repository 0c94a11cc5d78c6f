package bind

import (
	"net/url"
	"slices"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// keysInPath reports whether the engine reads exactly a split's keys out of its path. It answers for plain values only; what
// the engine and the catalog might read in different ways (NULL, escapes with a plus, a name that stands twice) is not
// left to the engine. names tells apart files whose paths have different keys, which one reader call refuses.
func keysInPath(scan *pb.Scan, s *pb.Split) (names string, equal bool) {
	if len(s.GetKeys()) != len(scan.GetPartitionColumns()) || strings.ContainsAny(s.GetPath(), "?\\\n") {
		return "", false
	}
	inPath := pathKeys(s.GetPath())
	for i, name := range scan.GetPartitionColumns() {
		raw, found := inPath[name]
		if !found || s.GetKeys()[i].GetNull() || !plainValue(raw, s.GetKeys()[i].GetValue()) {
			return "", false
		}
		delete(inPath, name)
	}
	// A key above the table becomes a column too; it must not hide one of the scan's.
	for name := range inPath {
		if name == "" {
			return "", false
		}
		for _, c := range scan.GetColumns() {
			if strings.EqualFold(name, c.GetName()) {
				return "", false
			}
		}
		names += name + "/"
	}
	if len(inPath) > 1 { // map order
		parts := strings.Split(names, "/")
		slices.Sort(parts)
		names = strings.Join(parts, "/")
	}
	return names, true
}

// pathKeys gives the k=v directories of a path; a name that stands twice, or an odd one, is there under "".
func pathKeys(path string) map[string]string {
	keys := map[string]string{}
	parts := strings.Split(path, "/")
	for _, part := range parts[:len(parts)-1] {
		name, value, found := strings.Cut(part, "=")
		if !found {
			continue
		}
		for known := range keys {
			if strings.EqualFold(known, name) {
				name = ""
			}
		}
		if strings.ContainsAny(name, "%+") || strings.Contains(value, "=") {
			name = ""
		}
		keys[name] = value
	}
	return keys
}

// plainValue reports whether a directory's value is the key's text beyond doubt.
func plainValue(raw, value string) bool {
	if raw == "" || strings.EqualFold(raw, "NULL") || strings.HasPrefix(raw, "__HIVE") || strings.Contains(raw, "+") {
		return false
	}
	decoded, err := url.PathUnescape(raw)
	return err == nil && decoded == value
}
