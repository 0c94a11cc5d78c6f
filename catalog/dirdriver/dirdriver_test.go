package dirdriver

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/rs/zerolog"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/drivertest"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

type harness struct {
	dir string
	d   *Driver
}

func (h harness) Driver() driver.Driver { return h.d }

func (h harness) Put(t *testing.T, name string, rows int) {
	putParquet(t, filepath.Join(h.dir, name+".parquet"), ints("v", rows))
}

func (h harness) Break(t *testing.T, name string) {
	write(t, filepath.Join(h.dir, name+".parquet"), []byte("PAR1 this is no Parquet PAR1"))
}

func (h harness) Drop(t *testing.T, name string) {
	if err := os.Remove(filepath.Join(h.dir, name+".parquet")); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	drivertest.RunConformance(t, func(t *testing.T) drivertest.Harness {
		dir := t.TempDir()
		d, _ := open(t, dir)
		return harness{dir, d}
	})
}

func gz(t *testing.T, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(data))
	w.Close()
	return b.Bytes()
}

// TestWhatIsATable covers every shape of a good table, and what is ignored.
func TestWhatIsATable(t *testing.T) {
	dir := t.TempDir()
	csv := "a,b\n" + strings.Repeat("1,x\n", 999)
	at := func(s string) string { return filepath.Join(dir, s) }
	putParquet(t, at("file.parquet"), ints("v", 3))
	putParquet(t, at("UPPER.PARQUET"), ints("v", 4))
	putParquet(t, at("parts/p1.parquet"), ints("v", 5))
	putParquet(t, at("parts/p0.parquet"), ints("v", 6))
	putParquet(t, at("keyed/y=1/x.parquet"), ints("v", 1))
	putParquet(t, at("keyed/y=2/x.parquet"), ints("v", 1))
	write(t, at("c.csv"), []byte(csv))
	write(t, at("z.csv.gz"), gz(t, csv))
	write(t, at("j.json"), []byte(`{"a":1}`+"\n"))
	write(t, at("n.ndjson"), []byte(`{"a":1}`+"\n"))
	write(t, at("l.jsonl.gz"), gz(t, `{"a":1}`+"\n"))
	write(t, at("empty.csv"), nil)
	// Ignored.
	write(t, at("README.md"), nil)
	write(t, at(".hidden.csv"), nil)
	write(t, at("_tmp.csv"), nil)
	write(t, at(".csv"), nil)
	write(t, at("p.parquet.gz"), nil)
	write(t, at("parts/_SUCCESS"), nil)
	write(t, at("parts/.p0.parquet.crc"), nil)
	write(t, at("parts/_temporary/0/x.parquet"), nil)
	write(t, at("parts/plain/x.parquet"), nil)
	write(t, at("nothing/README.md"), nil)
	if err := os.MkdirAll(at("void/k=1"), 0o755); err != nil {
		t.Fatal(err)
	}
	d, _ := open(t, dir)
	tables, faults := all(t, d)
	got := map[string]int64{}
	for name, tab := range tables {
		got[name] = tab.Rows
		if want := filepath.Ext(tab.Files[0].Path) == ".parquet" || filepath.Ext(tab.Files[0].Path) == ".PARQUET"; tab.RowsExact != want {
			t.Errorf("%s: RowsExact is %v", name, tab.RowsExact)
		}
	}
	want := map[string]int64{"file": 3, "UPPER": 4, "parts": 11, "keyed": 2, "c": 1000, "z": got["z"], "j": 1, "n": 1, "l": got["l"], "empty": 0}
	if !maps.Equal(got, want) || len(faults) > 0 {
		t.Errorf("got %v, %v\nwant %v", got, faults, want)
	}
	if z := got["z"]; z < 500 || z > 2000 {
		t.Errorf("%d rows estimated of 1000 in gzip", z)
	}
	if files := tables["parts"].Files; len(files) != 2 || filepath.Base(files[0].Path) != "p0.parquet" {
		t.Errorf("parts: %v", files)
	}
}

// TestBadTables: each is listed, says what is wrong with it, and leaves the good one alone.
func TestBadTables(t *testing.T) {
	text := col{"v", arrow.BinaryTypes.String, []string{"x"}}
	for _, c := range []struct {
		name  string
		make  func(t *testing.T, dir string)
		table string
		kind  qerr.Kind
		says  []string
	}{
		{"two formats in a directory", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/a.parquet", ints("v", 1))
			write(t, dir+"/bad/b.csv", nil)
		}, "bad", qerr.User, []string{"different formats", "a.parquet", "b.csv"}},
		{"two files of a name", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad.parquet", ints("v", 1))
			write(t, dir+"/BAD.csv", nil)
		}, "BAD", qerr.User, []string{"bad.parquet", "BAD.csv", "rename"}},
		{"a file and a directory of a name", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad.parquet", ints("v", 1))
			putParquet(t, dir+"/bad/a.parquet", ints("v", 1))
		}, "bad", qerr.User, []string{"bad.parquet", "dir/bad "}},
		{"different keys", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/k=1/a.parquet", ints("v", 1))
			putParquet(t, dir+"/bad/a.parquet", ints("v", 1))
		}, "bad", qerr.User, []string{"different keys", "k=1/a.parquet"}},
		{"a key twice", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/k=1/K=2/a.parquet", ints("v", 1))
		}, "bad", qerr.User, []string{"two keys"}},
		{"a glob in the name", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/a[1].parquet", ints("v", 1))
		}, "bad", qerr.User, []string{"a[1].parquet", "rename"}},
		{"a name that is not UTF-8", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/\xff.parquet", ints("v", 1))
		}, "bad", qerr.User, []string{`\xff.parquet`, "UTF-8"}},
		{"a key that is not UTF-8", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/k=%ff/a.parquet", ints("v", 1))
		}, "bad", qerr.User, []string{"k=%ff", "UTF-8"}},
		{"a Delta table", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/a.parquet", ints("v", 1))
			write(t, dir+"/bad/_delta_log/0.json", nil)
		}, "bad", qerr.Unsupported, []string{"Delta Lake"}},
		{"a link out of the directory", func(t *testing.T, dir string) {
			putParquet(t, dir+"/../outside/a.parquet", ints("v", 1))
			link(t, dir+"/../outside/a.parquet", dir+"/bad.parquet")
		}, "bad", qerr.User, []string{"bad.parquet", "out of the data directory"}},
		{"a directory link out", func(t *testing.T, dir string) {
			putParquet(t, dir+"/../dir2/a.parquet", ints("v", 1)) // the data directory's name is a prefix
			link(t, dir+"/../dir2", dir+"/bad")
		}, "bad", qerr.User, []string{"out of the data directory"}},
		{"a circle of links", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/a.parquet", ints("v", 1))
			link(t, dir+"/bad", dir+"/bad/k=1")
		}, "bad", qerr.User, []string{"k=1", "not followed"}},
		{"types that do not widen", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/a.parquet", ints("v", 1))
			putParquet(t, dir+"/bad/b.parquet", text)
		}, "bad", qerr.User, []string{"column v", "BIGINT in ", "a.parquet", "VARCHAR in ", "b.parquet"}},
		{"not Parquet", func(t *testing.T, dir string) {
			write(t, dir+"/bad/a.parquet", []byte("this is a text, not a Parquet file"))
		}, "bad", qerr.IO, []string{"bad/a.parquet", "not a sound Parquet file"}},
		{"an empty Parquet file", func(t *testing.T, dir string) {
			write(t, dir+"/bad.parquet", nil)
		}, "bad", qerr.IO, []string{"bad.parquet"}},
		{"a truncated Parquet file among good ones", func(t *testing.T, dir string) {
			putParquet(t, dir+"/bad/a.parquet", ints("v", 1))
			data := parquetOf(t, 10, ints("v", 100))
			write(t, dir+"/bad/b.parquet", data[:len(data)-20])
		}, "bad", qerr.IO, []string{"bad/b.parquet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "dir")
			putParquet(t, dir+"/good.parquet", ints("v", 7))
			c.make(t, dir)
			d, _ := open(t, dir)
			tables, faults := all(t, d)
			if len(tables) != 1 || tables["good"] == nil {
				t.Errorf("good tables: %v", tables)
			}
			err := faults[c.table]
			if len(faults) != 1 || !qerr.Is(err, c.kind) {
				t.Fatalf("faults %v of kind %v", faults, qerr.KindOf(err))
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// TestLinksInside: those that stay inside are followed, as the mounts of Kubernetes need it.
func TestLinksInside(t *testing.T) {
	real := t.TempDir()
	putParquet(t, real+"/..2024/a.parquet", ints("v", 2))
	putParquet(t, real+"/..2024/t/b.parquet", ints("v", 3))
	link(t, "..2024", real+"/..data")
	link(t, "..data/a.parquet", real+"/a.parquet")
	link(t, real+"/..2024/t", real+"/current")
	link(t, real+"/nowhere.csv", real+"/dangling.csv")
	dir := filepath.Join(t.TempDir(), "link")
	link(t, real, dir)
	d, _ := open(t, dir)
	tables, faults := all(t, d)
	if len(faults) != 0 || len(tables) != 2 || tables["a"].Rows != 2 || tables["current"].Rows != 3 {
		t.Errorf("%v, %v", tables, faults)
	}
	for _, tab := range tables {
		if where := d.Locations()[0]; !strings.HasPrefix(tab.Files[0].Path, where+"/") {
			t.Errorf("%s does not lie below %s", tab.Files[0].Path, where)
		}
	}
}

func TestSeveralDirectories(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	putParquet(t, one+"/a.parquet", ints("v", 1))
	putParquet(t, two+"/b.parquet", ints("v", 2))
	putParquet(t, one+"/same.parquet", ints("v", 1))
	putParquet(t, two+"/Same/x.parquet", ints("v", 2))
	d, _ := open(t, one, two, one)
	tables, faults := all(t, d)
	if len(tables) != 2 || tables["a"] == nil || tables["b"] == nil {
		t.Errorf("tables %v", tables)
	}
	if err := faults["same"]; len(faults) != 1 || err == nil || !strings.Contains(err.Error(), one) || !strings.Contains(err.Error(), two) {
		t.Errorf("faults %v", faults)
	}
	if got := d.Locations(); len(got) != 2 {
		t.Errorf("locations %v", got)
	}
}

// TestVanishedDirectory: the other directory's tables stay, and a warning says what is missing.
func TestVanishedDirectory(t *testing.T) {
	one, two := t.TempDir(), filepath.Join(t.TempDir(), "gone")
	putParquet(t, one+"/a.parquet", ints("v", 1))
	putParquet(t, two+"/b.parquet", ints("v", 2))
	var log bytes.Buffer
	d, err := New(Config{Dirs: []string{one, two}, Sniffer: &sniffer{}, Log: zerolog.New(&log)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.RemoveAll(two); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l, err := d.List(context.Background())
		if err != nil || len(l.Entries) != 1 || len(l.Warnings) != 1 || !strings.Contains(fmt.Sprint(l.Warnings), two) {
			t.Errorf("%v, %v", l, err)
		}
	}
	putParquet(t, two+"/b.parquet", ints("v", 2))
	if tables, _ := all(t, d); len(tables) != 2 {
		t.Errorf("tables %v", tables)
	}
	if lines := strings.Split(strings.TrimSpace(log.String()), "\n"); len(lines) != 2 || !strings.Contains(lines[0], two) {
		t.Errorf("logged %v", lines)
	}
}

func TestConfigFaults(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/file", nil)
	if err := os.Mkdir(dir+"/a*", 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{Dirs: []string{"s3://bucket/x", dir + "/missing", dir + "/file", dir + "/a*"}, Concurrency: -1})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, says := range []string{"s3://bucket/x", "missing", "is a file", "a*", "Sniffer", "Concurrency"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%v\ndoes not say %q", err, says)
		}
	}
	if !qerr.Is(err, qerr.User) {
		t.Errorf("kind %v", qerr.KindOf(err))
	}
}

// TestOnlyChangedFilesAreReadAgain: footers and the engine's answers outlive refreshes.
func TestOnlyChangedFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	for i := range 5 {
		putParquet(t, fmt.Sprintf("%s/t/%d.parquet", dir, i), ints("v", 10))
	}
	d, s := open(t, dir)
	all(t, d)
	if got, _ := d.footers.Usage(); got != 5 || !slices.Equal(s.calls, []string{"parquet 0.parquet"}) {
		t.Errorf("%d footers, sniffed %v", got, s.calls)
	}
	putParquet(t, dir+"/t/5.parquet", ints("v", 10))
	putParquet(t, dir+"/t/0.parquet", ints("v", 20))
	tables, _ := all(t, d)
	if got, _ := d.footers.Usage(); got != 7 || len(s.calls) != 1 || tables["t"].Rows != 70 {
		t.Errorf("%d footers, sniffed %v, %d rows", got, s.calls, tables["t"].Rows)
	}
}
