package deploy

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/integration/harness"
)

// sectionLimit bounds the blocks of one section; starting four processes takes seconds.
const sectionLimit = 3 * time.Minute

// drainLimit bounds the end of idle processes.
const drainLimit = 30 * time.Second

// preparation is the section that the others stand on.
const preparation = "Keys, certificates and users"

// sections reads the sh blocks of a page by their sections.
func sections(text string) map[string]string {
	blocks := map[string]string{}
	section, inside := "", false
	for line := range strings.Lines(text) {
		switch {
		case inside && strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			blocks[section] += line
		case strings.HasPrefix(line, "```sh"):
			inside = true
		case strings.HasPrefix(line, "## "):
			section = strings.TrimSpace(strings.TrimPrefix(line, "## "))
		}
	}
	return blocks
}

// TestPage runs each section after the preparation, in a fresh directory, and looks at what it prints last.
func TestPage(t *testing.T) {
	path, err := harness.Path("docs", "deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks := sections(string(page))
	want := map[string][]string{
		"Standalone": {"usable", "Ada", "Grace"},
		"Over etcd":  {"count_star()", "2", "(1 row)"},
	}
	if len(blocks) != len(want)+1 {
		t.Fatalf("the page has blocks in %d sections, the test knows %d", len(blocks), len(want)+1)
	}
	for section, prints := range want {
		t.Run(section, func(t *testing.T) {
			out := run(t, blocks[preparation]+blocks[section])
			for _, text := range prints {
				if !strings.Contains(out, text) {
					t.Errorf("no %q in what the section prints:\n%s", text, out)
				}
			}
		})
	}
}

// run gives the script to bash, with the binaries on its path, and ends what it left running.
func run(t *testing.T, script string) string {
	t.Helper()
	arbalest, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	etcd, err := harness.Etcd(etcdtest.Version)
	if err != nil {
		t.Fatal(err)
	}
	dir, bin := t.TempDir(), t.TempDir()
	for name, path := range map[string]string{"arbalest": arbalest, "etcd": etcd} {
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), sectionLimit)
	defer cancel()
	log, err := os.Create(filepath.Join(bin, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Run()
	if cmd.Process != nil {
		end(t, cmd.Process.Pid)
	}
	out, readErr := os.ReadFile(log.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// end asks the processes of a group to drain, waits for them, and kills what does not end.
func end(t *testing.T, group int) {
	t.Helper()
	_ = syscall.Kill(-group, syscall.SIGTERM) // the group may be gone
	for deadline := time.Now().Add(drainLimit); syscall.Kill(-group, 0) == nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(-group, syscall.SIGKILL)
			t.Errorf("the processes did not end within %s of SIGTERM", drainLimit)
			return
		}
	}
}
