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
	"github.com/arbalest-sql/arbalest/integration/kubetest"
)

// sectionLimit bounds the blocks of one section; starting four processes takes seconds.
const sectionLimit = 8 * time.Minute

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
	if len(blocks) != len(want)+2 {
		t.Fatalf("the page has blocks in %d sections, the tests know %d", len(blocks), len(want)+2)
	}
	etcd, err := harness.Etcd(etcdtest.Version)
	if err != nil {
		t.Fatal(err)
	}
	for section, prints := range want {
		t.Run(section, func(t *testing.T) {
			contains(t, run(t, blocks[preparation]+blocks[section], map[string]string{"etcd": etcd}), prints)
		})
	}
}

// TestKubernetesPage runs the section on Kubernetes against an API server: a release is installed; no pod runs, as there is no
// node.
func TestKubernetesPage(t *testing.T) {
	kubetest.Enabled(t)
	server := kubetest.Start(t, nil)
	path, err := harness.Path("docs", "deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	chart, err := harness.Path("deploy", "helm")
	if err != nil {
		t.Fatal(err)
	}
	tools := map[string]string{}
	for name, file := range map[string]string{"helm": "helm-" + kubetest.HelmVersion, "kubectl": "kubectl-" + kubetest.Version} {
		if tools[name], err = harness.Tool(file, "make tools-k8s"); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBECONFIG", server.Kubeconfig(server.Admin))
	t.Setenv("CHART", chart)
	t.Setenv("HOME", t.TempDir()) // kubectl and Helm keep caches there
	blocks := sections(string(page))
	contains(t, run(t, blocks[preparation]+blocks["Kubernetes"], tools), []string{"1 chart(s) linted, 0 chart(s) failed", "STATUS: deployed",
		"deployment.apps/arbalest", "statefulset.apps/arbalest-workers", "networkpolicy.networking.k8s.io/arbalest-workers",
		"poddisruptionbudget.policy/arbalest-workers", "service/arbalest-workers", "deployment.apps/arbalest configured (server dry run)",
		"REVISION: 2"})
}

func contains(t *testing.T, out string, prints []string) {
	t.Helper()
	for _, text := range prints {
		if !strings.Contains(out, text) {
			t.Errorf("no %q in what the section prints:\n%s", text, out)
		}
	}
}

// run gives the script to bash, with arbalest and other tools on its path, and ends what it left running.
func run(t *testing.T, script string, tools map[string]string) string {
	t.Helper()
	arbalest, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir, bin := t.TempDir(), t.TempDir()
	tools["arbalest"] = arbalest
	for name, path := range tools {
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
