package deploy

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/ports"
)

// setting gives the value of a unit's setting, with the specifiers that it uses replaced.
func setting(t *testing.T, unit, name string, specifiers *strings.Replacer) string {
	t.Helper()
	for line := range strings.Lines(unit) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			return specifiers.Replace(value)
		}
	}
	t.Fatalf("the unit has no %s", name)
	return ""
}

// TestUnit runs the command of the systemd unit, with its environment and its working user's view of a configuration file, and
// stops it by the unit's signal within its time.
func TestUnit(t *testing.T) {
	path, err := harness.Path("deploy", "systemd", "arbalest@.service")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	free, err := ports.Free("127.0.0.1", 2)
	if err != nil {
		t.Fatal(err)
	}
	specifiers := strings.NewReplacer("%i", "serve", "%S", dir, "/etc/arbalest", dir, "/usr/local/bin/arbalest", binary)
	for name, content := range map[string]string{
		"serve.yaml":      fmt.Sprintf("listen: %s\nhttp: %s\ndata: [%s]\n", free[0], free[1], filepath.Join(dir, "data")),
		"data/people.csv": "id,name\n1,Ada\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stop, err := time.ParseDuration(setting(t, string(text), "TimeoutStopSec", specifiers))
	if err != nil {
		t.Fatal(err)
	}
	if signal := setting(t, string(text), "KillSignal", specifiers); signal != "SIGTERM" {
		t.Fatalf("the unit stops by %s", signal)
	}
	if stop <= drainLimit {
		t.Errorf("the unit kills after %s; draining takes %s", stop, drainLimit)
	}
	ctx, cancel := context.WithTimeout(t.Context(), sectionLimit)
	defer cancel()
	command := strings.Fields(setting(t, string(text), "ExecStart", specifiers))
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), setting(t, string(text), "Environment", specifiers))
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ready := func() bool {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+free[1]+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		_ = reply.Body.Close()
		return reply.StatusCode == http.StatusOK
	}
	for !ready() {
		select {
		case err := <-ended: // killed, when the limit is over
			t.Fatalf("it ended before it was ready: %v\n%s", err, &log)
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
}
