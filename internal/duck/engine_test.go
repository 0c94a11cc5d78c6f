package duck

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// TestHeader compares our copy of the C API's header with that of the module that brings the library: a struct that changed
// would be a wild write.
func TestHeader(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/duckdb/duckdb-go-bindings").Output()
	if err != nil {
		t.Skip("the go command is not there to find the module:", err)
	}
	want, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "include", "duckdb.h"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("include/duckdb.h")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("include/duckdb.h is not the module's: copy it")
	}
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"threads":  {Threads: -1},
		"memory":   {MemoryBytes: 1},
		"limit":    {TempBytesMax: -1},
		"location": {DataLocations: []string{"relative/path"}},
	} {
		if _, err := Open(cfg); !qerr.Is(err, qerr.User) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(Config{TempDir: "/proc/nothing/here"}); !qerr.Is(err, qerr.IO) {
		t.Errorf("a directory that cannot be made: %v", err)
	}
	_, err := Open(Config{Threads: -1, MemoryBytes: 1})
	if err == nil || !strings.Contains(err.Error(), "threads") || !strings.Contains(err.Error(), "memory") {
		t.Errorf("not all faults are told: %v", err)
	}
}

func TestTempDirOfOurOwn(t *testing.T) {
	e, err := Open(Config{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(e.cfg.TempDir); err != nil {
		t.Error(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(e.cfg.TempDir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestHashVector(t *testing.T) {
	a, b := openEngine(t, nil), openEngine(t, func(c *Config) { c.Threads = 1 })
	x, err := a.HashVector()
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.HashVector()
	if err != nil {
		t.Fatal(err)
	}
	if len(x) < 200 || string(x) != string(y) {
		t.Errorf("vectors of %d and %d bytes differ", len(x), len(y))
	}
}

// TestSandbox tries to reach outside, and to change the configuration.
func TestSandbox(t *testing.T) {
	data := t.TempDir()
	writeFile(t, "SELECT 42::BIGINT AS x", filepath.Join(data, "a.parquet"))
	single := filepath.Join(t.TempDir(), "single.parquet")
	writeFile(t, "SELECT 43::BIGINT AS x", single)
	e := openEngine(t, func(c *Config) { c.DataLocations = []string{data, single} })
	for path, want := range map[string]int64{filepath.Join(data, "a.parquet"): 42, single: 43} {
		if got := number(t, e, "FROM read_parquet('"+path+"')"); got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
	outside := filepath.Join(t.TempDir(), "x")
	for _, sql := range []string{
		"FROM read_text('/etc/passwd')",
		"FROM read_csv('/etc/passwd')",
		"FROM '/etc/passwd'",
		"FROM glob('/etc/*')",
		"FROM sniff_csv('/etc/passwd')",
		"FROM read_parquet('" + data + "/../../../../../../etc/passwd')",
		"FROM read_parquet('https://example.com/x.parquet')",
		"COPY (SELECT 1) TO '" + outside + "'",
		"EXPORT DATABASE '" + outside + "'",
		"ATTACH '" + outside + "'",
		"INSTALL httpfs",
		"LOAD httpfs",
		"SET memory_limit = '10GB'",
		"SET GLOBAL threads = 64",
		"RESET threads",
		"PRAGMA threads = 64",
		"SET enable_external_access = true",
		"SET allowed_directories = ['/']",
		"SET allowed_configs = ['threads']",
		"SET lock_configuration = false",
		"CREATE PERSISTENT SECRET s (TYPE http)",
	} {
		if err := streamError(t, e, sql); err == nil {
			t.Errorf("%s: no error", sql)
		}
	}
	if _, err := os.Stat(outside); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	if err := streamError(t, e, "FROM read_text('/etc/passwd')"); !qerr.Is(err, qerr.PermissionDenied) {
		t.Errorf("a file outside: %v", err)
	}
	if n := number(t, e, "SELECT current_setting('threads')::BIGINT"); n != 2 {
		t.Errorf("%d threads", n)
	}
}

func TestErrorKinds(t *testing.T) {
	data := t.TempDir()
	good := filepath.Join(data, "good.parquet")
	writeFile(t, "SELECT i, i::VARCHAR || ' text ' || hash(i) AS s FROM range(200000) t(i)", good)
	bytes, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(name string, change func(b []byte) []byte) string {
		path := filepath.Join(data, name)
		if err := os.WriteFile(path, change(append([]byte(nil), bytes...)), 0o600); err != nil {
			t.Fatal(err)
		}
		return "SELECT count(*), max(s), sum(i) FROM read_parquet('" + path + "')"
	}
	e := openEngine(t, func(c *Config) { c.DataLocations = []string{data} })
	for name, c := range map[string]struct {
		sql   string
		kind  qerr.Kind
		names string
	}{
		"syntax":     {"SELEC 1", qerr.User, ""},
		"no table":   {"FROM nothing", qerr.User, "nothing"},
		"no column":  {"SELECT x FROM range(1) t(i)", qerr.User, "x"},
		"types":      {"SELECT 1 + [1]", qerr.User, ""},
		"cast":       {"SELECT ('x' || i)::INTEGER FROM range(10) t(i)", qerr.User, ""},
		"range":      {"SELECT (i + 200)::TINYINT FROM range(10) t(i)", qerr.User, ""},
		"overflow":   {"SELECT i * 9223372036854775807 FROM range(10) t(i)", qerr.User, ""},
		"subquery":   {"SELECT (SELECT j FROM range(5) u(j) WHERE j < i) FROM range(10) t(i)", qerr.User, ""},
		"error()":    {"SELECT error('as told') FROM range(10)", qerr.User, "as told"},
		"empty":      {"", qerr.User, ""},
		"gone":       {"FROM read_parquet('" + data + "/gone.parquet')", qerr.IO, "gone.parquet"},
		"not one":    {damaged("text.parquet", func([]byte) []byte { return []byte("this is no Parquet file") }), qerr.IO, "text.parquet"},
		"no bytes":   {damaged("empty.parquet", func([]byte) []byte { return nil }), qerr.IO, "empty.parquet"},
		"cut":        {damaged("cut.parquet", func(b []byte) []byte { return b[:len(b)/2] }), qerr.IO, "cut.parquet"},
		"bad footer": {damaged("footer.parquet", func(b []byte) []byte { return scribble(b, len(b)-200, len(b)-8) }), qerr.IO, "footer.parquet"},
		"bad pages":  {damaged("pages.parquet", func(b []byte) []byte { return scribble(b, 100, len(b)/2) }), qerr.IO, "pages.parquet"},
	} {
		t.Run(name, func(t *testing.T) {
			err := streamError(t, e, c.sql)
			if !qerr.Is(err, c.kind) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("kind %v, want %v naming %q: %v", qerr.KindOf(err), c.kind, c.names, err)
			}
			if strings.Contains(err.Error(), "Stack Trace") {
				t.Errorf("a stack trace: %v", err)
			}
			_, err = e.Partition(context.Background(), Job{SQL: c.sql}, 1)
			if !qerr.Is(err, c.kind) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("partitioned: kind %v, want %v naming %q: %v", qerr.KindOf(err), c.kind, c.names, err)
			}
			if n := number(t, e, "SELECT count(*) FROM read_parquet('"+good+"')"); n != 200_000 {
				t.Errorf("afterwards the good file has %d rows", n)
			}
		})
	}
}

// scribble overwrites a range with a pattern.
func scribble(b []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		b[i] = byte(i * 7)
	}
	return b
}

func TestLimits(t *testing.T) {
	e := openEngine(t, func(c *Config) { c.MemoryBytes, c.TempBytesMax = 64<<20, 32<<20 })
	// Sorting far more than both limits allow.
	err := streamError(t, e, "SELECT i, hash(i)::VARCHAR || repeat('x', 100) AS s FROM range(3000000) t(i) ORDER BY s")
	if !qerr.Is(err, qerr.Resource) {
		t.Errorf("kind %v: %v", qerr.KindOf(err), err)
	}
	if n := number(t, e, "SELECT count(*) FROM range(1000)"); n != 1000 {
		t.Error("the next query gives", n)
	}
	// More than memory, less than the temporary directory: it spills and works, in the sandbox.
	spilling := openEngine(t, func(c *Config) { c.MemoryBytes = 64 << 20 })
	if n := number(t, spilling, "SELECT count(*) FROM (SELECT hash(i)::VARCHAR || repeat('x', 50) AS s, row_number() OVER (ORDER BY hash(i)) AS n FROM range(1500000) t(i)) WHERE n > 0"); n != 1_500_000 {
		t.Error("spilled sort gives", n)
	}
}

// TestChangedFile replaces a file between queries; the kept footer must not be used.
func TestChangedFile(t *testing.T) {
	data := t.TempDir()
	path := filepath.Join(data, "a.parquet")
	e := openEngine(t, func(c *Config) { c.DataLocations = []string{data} })
	for i, old := range []time.Duration{0, time.Hour, 2 * time.Hour, 0} {
		n := int64(1000 * (i + 1))
		writeFile(t, fmt.Sprintf("SELECT i FROM range(%d) t(i)", n), path)
		then := time.Now().Add(-old)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if got := number(t, e, "SELECT count(*) FROM read_parquet('"+path+"')"); got != n {
				t.Errorf("version %d has %d rows, want %d", i, got, n)
			}
		}
	}
}

func TestProgress(t *testing.T) {
	data := t.TempDir()
	path := filepath.Join(data, "a.parquet")
	writeFile(t, "SELECT i, hash(i) AS h FROM range(2000000) t(i)", path)
	e := openEngine(t, func(c *Config) { c.DataLocations = []string{data} })
	s, err := e.Stream(context.Background(), Job{SQL: "FROM read_parquet('" + path + "')"})
	if err != nil {
		t.Fatal(err)
	}
	last, seen := 0.0, false
	for {
		b, err := s.Next(context.Background())
		if err != nil {
			break
		}
		b.Release()
		p := s.Progress()
		if p < last || p > 1 {
			t.Errorf("progress went from %v to %v", last, p)
		}
		seen = seen || p > 0 && p < 1
		last = p
	}
	if !seen || s.Progress() != 1 {
		t.Errorf("progress was seen halfway: %v; at the end it is %v", seen, s.Progress())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
