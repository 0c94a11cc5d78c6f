package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startWait bounds how long a server may take to print its line on a busy machine.
const startWait = 60 * time.Second

func call(args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = dispatch(args, &o, &e)
	return code, o.String(), e.String()
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, exitUsage, "usage: arbalest SUBCOMMAND"},
		{[]string{"help"}, exitDone, "coordinator"},
		{[]string{"fly"}, exitUsage, `"fly" is no subcommand`},
		{[]string{"version"}, exitDone, "DuckDB v1.5.5"},
		{[]string{"version", "now"}, exitUsage, `unexpected argument "now"`},
		{[]string{"serve", "--listen", "here"}, exitUsage, "want HOST:PORT"},
		{[]string{"serve", "--nope"}, exitUsage, "--nope"},
		{[]string{"worker"}, exitUsage, "--coordinator is missing"},
		{[]string{"sql", "--format", "xml", "-c", "SELECT 1"}, exitUsage, "parquet"},
		{[]string{"sql", "-c", "SELECT 1", "-f", "x"}, exitUsage, "exclude each other"},
		{[]string{"sql", "--server", "http://x", "-c", "SELECT 1"}, exitFailed, "grpc+tls"},
		{[]string{"sql", "--server", "grpc://127.0.0.1:1", "-c", "SELECT 1"}, exitFailed, "Unavailable"},
	} {
		code, out, errOut := call(c.args...)
		if code != c.code || !strings.Contains(out+errOut, c.says) {
			t.Errorf("%v: exit %d, want %d with %q:\n%s%s", c.args, code, c.code, c.says, out, errOut)
		}
	}
}

func TestEverySubcommandHasCompleteHelp(t *testing.T) {
	for _, c := range subcommands() {
		code, out, _ := call(c.name, "--help")
		if code != exitDone || !strings.Contains(out, "usage: arbalest "+c.name) {
			t.Errorf("%s --help: exit %d\n%s", c.name, code, out)
		}
	}
}

// A firstLine is what a server prints when it is up; Write may come from another goroutine than the reader's.
type firstLine struct {
	mu   sync.Mutex
	text string
	seen chan struct{}
}

func (f *firstLine) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.text == "" {
		close(f.seen)
	}
	f.text += string(p)
	return len(p), nil
}

// serve runs the subcommand in this process and returns the server's URL; the test's end stops it by the real signal.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	var servers servers
	t.Cleanup(func() { servers.stop(t) })
	return servers.start(t, append([]string{"serve", "--http", "127.0.0.1:0"}, args...)...)
}

// servers are subcommands that run in this process. One signal ends them all.
type servers []func() (code int, errOut string)

// start runs a server until its first line, and returns the URL in it.
func (s *servers) start(t *testing.T, args ...string) string {
	t.Helper()
	line := &firstLine{seen: make(chan struct{})}
	var errOut bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- dispatch(append(args, "--listen", "127.0.0.1:0"), line, &errOut) }()
	select {
	case <-line.seen:
	case code := <-done:
		t.Fatalf("%s ended with %d: %s", args[0], code, errOut.String())
	case <-time.After(startWait):
		t.Fatalf("%s did not start", args[0])
	}
	*s = append(*s, func() (int, string) { code := <-done; return code, errOut.String() })
	line.mu.Lock()
	defer line.mu.Unlock()
	url := regexp.MustCompile(`grpc(\+tls)?://[0-9.:]+`).FindString(line.text)
	if url == "" {
		t.Fatalf("no address in %q", line.text)
	}
	return url
}

func (s *servers) stop(t *testing.T) {
	t.Helper()
	if len(*s) == 0 {
		return // Nobody would take the signal.
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for _, wait := range *s {
		if code, errOut := wait(); code != exitDone {
			t.Errorf("a server ended with %d: %s", code, errOut)
		}
	}
}

func TestServeAndAsk(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "towns.csv"), []byte("name,people\nUr,30000\nUruk,40000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := serve(t, "--data", data, "--workers", "2", "--threads", "2", "--memory-limit", "512MB")
	for format, want := range map[string]string{
		"csv":   "name,people\nUr,30000\nUruk,40000\n",
		"json":  "{\"name\":\"Ur\",\"people\":30000}\n{\"name\":\"Uruk\",\"people\":40000}\n",
		"table": "(2 rows)",
	} {
		code, out, errOut := call("sql", "--server", url, "--format", format, "-c", "SELECT * FROM towns ORDER BY people")
		if code != exitDone || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d\n%s%s", format, code, out, errOut)
		}
	}
	if code, _, errOut := call("sql", "--server", url, "-c", "SELECT * FROM town"); code != exitFailed || !strings.Contains(errOut, "towns") {
		t.Errorf("an unknown table: exit %d, %s", code, errOut)
	}
	script := filepath.Join(data, "script.sql")
	copied := filepath.Join(data, "out", "copy.parquet")
	if err := os.Mkdir(filepath.Dir(copied), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, []byte("SELECT 1 AS a;\nSELECT\n  2 AS b;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := call("sql", "--server", url, "--format", "csv", "-f", script); code != exitDone || out != "a\n1\nb\n2\n" {
		t.Errorf("a script: exit %d, %q %s", code, out, errOut)
	}
	if code, _, errOut := call("sql", "--server", url, "--format", "parquet", "-o", copied, "-c", "SELECT * FROM towns"); code != exitDone {
		t.Errorf("parquet: exit %d, %s", code, errOut)
	}
	// The copy is in a sub-directory of the data, so it is a table now.
	if code, out, errOut := call("sql", "--server", url, "--format", "csv", "-c", "SELECT sum(people) AS n FROM out"); code != exitDone || out != "n\n70000\n" {
		t.Errorf("the copy: exit %d, %q %s", code, out, errOut)
	}
	code, out, errOut := call("status", "--server", url, "--json")
	var status struct{ Workers, Queries []json.RawMessage }
	if err := json.Unmarshal([]byte(out), &status); code != exitDone || err != nil || len(status.Workers) != 2 {
		t.Errorf("status: exit %d, %v, %d workers\n%s%s", code, err, len(status.Workers), out, errOut)
	}
}
