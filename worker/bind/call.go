package bind

import (
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// rowNumber is the column by which the Parquet reader cuts runs of rows out of a file; a range on it skips row groups.
const rowNumber = "file_row_number"

// A call is one call of a reader: some whole files with the same partition keys, or a run of rows of one file.
type call struct {
	paths []string
	keys  []*pb.Key
	// firstRow and rows are a run of rows; rows < 0 = whole files.
	firstRow, rows int64
}

// calls groups splits: whole files of equal keys go into one call, in the splits' order; adjoining runs of one file are joined.
func calls(splits []*pb.Split) []call {
	var all []call
	whole := map[string]int{}
	for _, s := range splits {
		if s.GetRows() < 0 {
			k := keyText(s.GetKeys())
			at, found := whole[k]
			if !found {
				at = len(all)
				whole[k] = at
				all = append(all, call{keys: s.GetKeys(), rows: -1})
			}
			all[at].paths = append(all[at].paths, s.GetPath())
			continue
		}
		if n := len(all) - 1; n >= 0 && all[n].continues(s) {
			all[n].rows += s.GetRows()
			continue
		}
		all = append(all, call{[]string{s.GetPath()}, s.GetKeys(), s.GetFirstRow(), s.GetRows()})
	}
	return all
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

// arguments prints what stands between the reader's parentheses. Directory names never become columns: the values of
// partition columns come with the splits, and a k=v directory above a table is no business of its files.
func (c call) arguments(scan *pb.Scan) string {
	quoted := make([]string, len(c.paths))
	for i, p := range c.paths {
		quoted[i] = table.Literal(verbatim(p))
	}
	arguments := "[" + strings.Join(quoted, ", ") + "]"
	for _, o := range scan.GetOptions() {
		if !strings.EqualFold(o.GetName(), "hive_partitioning") {
			arguments += ", " + o.GetName() + " = " + o.GetSql()
		}
	}
	arguments += ", hive_partitioning = false"
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
