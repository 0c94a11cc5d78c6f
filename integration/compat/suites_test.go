package compat

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/harness"
)

// A javaSetup is what the Java suites are told: Setup.java.
type javaSetup struct {
	Host       string            `json:"host"`
	Port       int               `json:"port"`
	Out        string            `json:"out"`
	Suites     []string          `json:"suites"`
	Properties map[string]string `json:"properties"`
	Calls      []javaCall        `json:"calls,omitempty"`
	LargeSQL   string            `json:"largeSql,omitempty"`
	LargeRows  int64             `json:"largeRows,omitempty"`
	LargeSum   int64             `json:"largeSum,omitempty"`
	Login      javaLogin         `json:"login"`
}

type javaCall struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

type javaLogin struct {
	User      string `json:"user"`
	Password  string `json:"password"`
	Token     string `json:"token"`
	Authority string `json:"authority"`
	Stranger  string `json:"stranger"`
}

// A javaOutcome is what came of them. A check is "suite/name"; its text is empty when it held.
type javaOutcome struct {
	Client  string            `json:"client"`
	Checks  map[string]string `json:"checks"`
	Skipped map[string]string `json:"skipped"` // and the reason
	Getters map[string]string `json:"getters"`
	Calls   map[string]string `json:"calls"`
}

// runSuites runs suites of a Java project against a cluster and makes each of their checks a subtest.
func runSuites(t *testing.T, cluster *harness.Cluster, project, main string, setup javaSetup) *javaOutcome {
	t.Helper()
	setup.Host, setup.Port, setup.Out = splitAddress(t, cluster.Door.Address), 0, t.TempDir()
	_, port, _ := strings.Cut(cluster.Door.Address, ":")
	setup.Port, _ = strconv.Atoi(port)
	command, err := javaCommand(project, main)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(setup)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(setup.Out, "setup.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), suitesLimit)
	defer cancel()
	output, err := exec.CommandContext(ctx, command[0], append(command[1:], path)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", main, err, output)
	}
	t.Logf("%s", output)
	text, err = os.ReadFile(filepath.Join(setup.Out, "outcome.json"))
	if err != nil {
		t.Fatal(err)
	}
	outcome := &javaOutcome{}
	if err := json.Unmarshal(text, outcome); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(outcome.Checks)) {
		t.Run(name, func(t *testing.T) {
			if fault := outcome.Checks[name]; fault != "" {
				t.Error(fault)
			}
		})
	}
	return outcome
}

func splitAddress(t *testing.T, address string) string {
	t.Helper()
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// verdict is "yes" with the detail when there are checks of these prefixes and all of them held.
func (o *javaOutcome) verdict(detail string, prefixes ...string) Verdict {
	yes := Yes
	if detail != "" {
		yes += Verdict(": " + detail)
	}
	for _, prefix := range prefixes {
		found := false
		for name, fault := range o.Checks {
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			found = true
			if fault != "" {
				return Verdict("no: " + name + " fails")
			}
		}
		if !found {
			return Verdict("no: " + prefix + " did not run")
		}
	}
	return yes
}

// writeColumn leaves measured verdicts for docs/compatibility.md, where they are asked for.
func writeColumn(t *testing.T, c Column, suffix string) {
	t.Helper()
	if dir := os.Getenv(OutVariable); dir != "" {
		if err := c.Write(dir, suffix); err != nil {
			t.Error(err)
		}
	}
}

// fullSize is set by make compat: large results at their full size.
func fullSize() bool { return cmp.Or(os.Getenv("ARBALEST_COMPAT"), "sample") == "full" }
