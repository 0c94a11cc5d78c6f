package table

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// fileOf makes a file of row groups of 10 rows whose two columns have the given bytes and 1000 bytes.
func fileOf(path string, bytes ...int64) File {
	f := File{Path: path, Size: 5000}
	for _, b := range bytes {
		f.RowGroups = append(f.RowGroups, RowGroup{FirstRow: f.Rows, Rows: 10, Bytes: []int64{b, 1000}})
		f.Rows += 10
	}
	return f
}

func show(splits []Split) string {
	var out []string
	for _, s := range splits {
		if s.Whole() {
			out = append(out, fmt.Sprintf("%s:%d", s.File.Path, s.Bytes))
			continue
		}
		out = append(out, fmt.Sprintf("%s[%d+%d]:%d", s.File.Path, s.FirstRow, s.Rows, s.Bytes))
	}
	return strings.Join(out, " ")
}

func TestSplits(t *testing.T) {
	for name, c := range map[string]struct {
		files   []File
		columns []int
		target  int64
		want    string
	}{
		"no files":                {nil, []int{0}, 100, ""},
		"under the target":        {[]File{fileOf("a", 100, 100)}, []int{0}, 1000, "a:328"},
		"no target":               {[]File{fileOf("a", 100, 100)}, []int{0}, 0, "a:328"},
		"a group each":            {[]File{fileOf("a", 936, 936, 936)}, []int{0}, 1000, "a[0+10]:1000 a[10+10]:1000 a[20+10]:1000"},
		"two groups each":         {[]File{fileOf("a", 436, 436, 436, 436)}, []int{0}, 1000, "a[0+20]:1000 a[20+20]:1000"},
		"even, not greedy":        {[]File{fileOf("a", 336, 336, 336, 336)}, []int{0}, 1300, "a[0+20]:800 a[20+20]:800"},
		"one column is small":     {[]File{fileOf("a", 1, 1)}, []int{0}, 1000, "a:130"},
		"the other one is not":    {[]File{fileOf("a", 1, 1)}, []int{1}, 1000, "a[0+10]:1064 a[10+10]:1064"},
		"one huge group":          {[]File{fileOf("a", 1<<40)}, []int{0}, 1000, fmt.Sprintf("a:%d", int64(1<<40+64))},
		"skewed":                  {[]File{fileOf("a", 9936, 36, 36)}, []int{0}, 5000, "a[0+10]:10000 a[10+20]:200"},
		"no column":               {[]File{fileOf("a", 5, 5), fileOf("b", 5)}, nil, 1000, "a:128 b:64"},
		"absent columns":          {[]File{fileOf("a", 5)}, []int{-1}, 1000, "a:64"},
		"text files are whole":    {[]File{{Path: "a", Size: 9999}}, []int{0}, 1000, "a:9999"},
		"empty files stay":        {[]File{fileOf("a")}, []int{0}, 1000, "a:5000"},
		"small and large mingled": {[]File{fileOf("a", 1), fileOf("b", 936, 936), fileOf("c", 2)}, []int{0}, 1000, "a:65 b[0+10]:1000 b[10+10]:1000 c:66"},
	} {
		if got := show(Splits(&Table{Files: c.files}, c.columns, c.target)); got != c.want {
			t.Errorf("%s: got %s\nwant %s", name, got, c.want)
		}
	}
}

// TestSplitsCoverEveryRowOnce is the property that results depend on.
func TestSplitsCoverEveryRowOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := &Table{}
		for i := range rapid.IntRange(0, 4).Draw(t, "files") {
			tab.Files = append(tab.Files, fileOf(fmt.Sprint(i), rapid.SliceOfN(rapid.Int64Range(0, 500), 0, 20).Draw(t, "bytes")...))
		}
		target := rapid.Int64Range(-1, 3000).Draw(t, "target")
		next := map[string]int64{}
		for _, s := range Splits(tab, []int{0}, target) {
			first, rows := s.FirstRow, s.Rows
			if s.Whole() {
				first, rows = 0, s.File.Rows
			} else if s.Bytes > target+500+rowGroupCost {
				t.Fatalf("%s exceeds the target %d by more than a row group", show([]Split{s}), target)
			}
			if first != next[s.File.Path] || !s.Whole() && rows == 0 {
				t.Fatalf("file %s: split at %d+%d, expected at %d", s.File.Path, first, rows, next[s.File.Path])
			}
			next[s.File.Path] += rows
		}
		for _, f := range tab.Files {
			if next[f.Path] != f.Rows {
				t.Fatalf("file %s: %d of %d rows", f.Path, next[f.Path], f.Rows)
			}
		}
	})
}
