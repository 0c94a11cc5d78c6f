package bind

import (
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// rowNumber is the column by which the Parquet reader cuts runs of rows out of a file; a range on it skips row groups.
const rowNumber = "file_row_number"

// A call is one call of a reader: some whole files, or a run of rows of one file.
type call struct {
	paths []string
	// keys are the values of the table's partition columns in all files of the call. In a keyed call the files differ in
	// them, the reader takes them from the paths, and keys are those of the first file.
	keys  []*pb.Key
	keyed bool
	// firstRow and rows are a run of rows; rows < 0 = whole files.
	firstRow, rows int64
}

// calls groups splits, in their order: whole files of equal keys go into one call; all files whose keys the engine would read
// out of their paths just as they are go into one call together, since thousands of calls are slow to plan; adjoining runs
// of one file are joined.
func calls(scan *pb.Scan, splits []*pb.Split) []call {
	var all []call
	whole := map[string]int{}
	keyed := manyKeys(splits)
	for _, s := range splits {
		if s.GetRows() < 0 {
			names, fromPath := "", false
			if keyed {
				names, fromPath = keysInPath(scan, s)
			}
			group := "path:" + names
			if !fromPath {
				group = "keys:" + keyText(s.GetKeys())
			}
			at, found := whole[group]
			if !found {
				at = len(all)
				whole[group] = at
				all = append(all, call{keys: s.GetKeys(), keyed: fromPath, rows: -1})
			}
			all[at].paths = append(all[at].paths, s.GetPath())
			continue
		}
		if n := len(all) - 1; n >= 0 && all[n].continues(s) {
			all[n].rows += s.GetRows()
			continue
		}
		all = append(all, call{[]string{s.GetPath()}, s.GetKeys(), false, s.GetFirstRow(), s.GetRows()})
	}
	return all
}

// manyKeys reports whether the whole files have more than one combination of keys; with one, a literal is the best value.
func manyKeys(splits []*pb.Split) bool {
	first, seen := "", false
	for _, s := range splits {
		if s.GetRows() >= 0 {
			continue
		}
		text := keyText(s.GetKeys())
		if seen && text != first {
			return true
		}
		first, seen = text, true
	}
	return false
}

// continues reports whether a split is the run of rows right after the call's.
func (c call) continues(s *pb.Split) bool {
	return c.rows >= 0 && c.paths[0] == s.GetPath() && c.firstRow+c.rows == s.GetFirstRow()
}

func keyText(keys []*pb.Key) string {
	var text strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&text, "%t:%d:%s;", k.GetNull(), len(k.GetValue()), k.GetValue())
	}
	return text.String()
}

// arguments prints what stands between the reader's parentheses. Directory names become columns only in a keyed call, where
// they were compared with the splits' keys; else the values of partition columns come as literals, and a k=v directory
// above a table is no business of its files.
func (c call) arguments(scan *pb.Scan) string {
	quoted := make([]string, len(c.paths))
	for i, p := range c.paths {
		quoted[i] = table.Literal(verbatim(p))
	}
	arguments := "[" + strings.Join(quoted, ", ") + "]"
	for _, o := range scan.GetOptions() {
		if name := strings.ToLower(o.GetName()); !strings.HasPrefix(name, "hive_") {
			arguments += ", " + o.GetName() + " = " + o.GetSql()
		}
	}
	if c.keyed {
		// As text, which the scan casts: so no value can get another type than the split says.
		arguments += ", hive_partitioning = true, hive_types_autocast = false"
	} else {
		arguments += ", hive_partitioning = false"
	}
	if c.rows >= 0 {
		arguments += ", " + rowNumber + " = true"
	}
	return arguments
}

// verbatim prints a path so that the reader takes it for one file. Readers take every path for a pattern, even when there is a
// file of just this name: a "[" would quietly read another file, or several. (A name with a backslash beside a wildcard
// cannot be printed so; the reader then finds no file, and says it.)
func verbatim(path string) string {
	return wildcards.Replace(path)
}

var wildcards = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")

func (c call) where() string {
	if c.rows < 0 {
		return ""
	}
	return fmt.Sprintf(" WHERE %s BETWEEN %d AND %d", rowNumber, c.firstRow, c.firstRow+c.rows-1)
}
