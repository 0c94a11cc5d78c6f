package planted

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// root is the module's, seen from this package.
const root = "../../.."

// runMax bounds one suite over one plant: a planted bug may make a query hang.
const runMax = 15 * time.Minute

func load(t *testing.T) (plants []Plant, base string) {
	t.Helper()
	base, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if plants, err = Load("testdata"); err != nil || len(plants) == 0 {
		t.Fatalf("%d plants: %v", len(plants), err)
	}
	return plants, base
}

// TestPlantsFit: every edit fits the sources as they are now, and the logic test that a plant names exists.
func TestPlantsFit(t *testing.T) {
	plants, base := load(t)
	for _, p := range plants {
		if _, err := p.Apply(base); err != nil {
			t.Errorf("%s does not fit any more; let it plant the same bug in the new text: %v", p.Name, err)
		}
		if _, err := os.Stat(filepath.Join(base, "integration", "logic", "testdata", p.Logic+".slt")); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "# why\nlogic: a/b\n", "# why\nfile: x\n<<<<\na\n====\nb\n>>>>\n", "logic: a/b\nfile: x\n<<<<\na\n====\nb\n>>>>\n",
		"# why\nlogic: a/b\nfile: x\n<<<<\na\n====\n", "# why\nlogic: a/b\nfile: x\n<<<<\na\n====\nb\n>>>>\nmore\n",
	} {
		if p, err := Parse("x", text); err == nil {
			t.Errorf("%q is taken for %+v", text, p)
		}
	}
}

var (
	found    = regexp.MustCompile(`ARBALEST_FUZZ_SEED=\d+ ARBALEST_FUZZ_CASE=\d+[^\n]*`)
	compared = regexp.MustCompile(`\d+ statements in \d+ runs`)
)

// TestPlanted plants the bugs, one after the other: the named logic test and the random queries must both fail. It takes a
// minute a plant, and runs when ARBALEST_PLANTED is set to a regular expression of names (. for all).
func TestPlanted(t *testing.T) {
	wanted := os.Getenv("ARBALEST_PLANTED")
	if wanted == "" {
		t.Skip("ARBALEST_PLANTED is not set: make test-planted")
	}
	names := regexp.MustCompile(wanted)
	plants, base := load(t)
	for _, p := range plants {
		if !names.MatchString(p.Name) {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			dir := t.TempDir()
			overlay, err := p.Overlay(base, dir)
			if err != nil {
				t.Fatal(err)
			}
			logic := build(t, base, dir, overlay, "logic")
			if out, failed := run(t, base, "logic", logic, "^TestScripts$/"+p.Logic+"$"); !failed {
				t.Errorf("the logic test %s passes with the bug planted\n%s", p.Logic, tail(out))
			}
			oracle := build(t, base, dir, overlay, "oracle")
			out, failed := run(t, base, "oracle", oracle, "^TestRandomQueries$", "ARBALEST_FUZZ_FIRST=1", "ARBALEST_FUZZ_SHRINK=0")
			at := found.Find(out)
			if !failed || at == nil {
				t.Errorf("the random queries find nothing\n%s", tail(out))
				return
			}
			t.Logf("the logic test %s fails; the random queries find it among %s: %s", p.Logic, compared.Find(out), at)
		})
	}
}

// build makes the test binary of a suite out of the edited sources.
func build(t *testing.T, base, dir, overlay, suite string) string {
	t.Helper()
	binary := filepath.Join(dir, suite+".test")
	command := exec.CommandContext(t.Context(), "go", "test", "-tags", "duckdb_arrow", "-overlay", overlay, "-c", "-o", binary, "./integration/"+suite)
	command.Dir = base
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the planted sources: %v\n%s", err, out)
	}
	return binary
}

// run runs some tests of a suite in its directory.
func run(t *testing.T, base, suite, binary, tests string, environment ...string) (out []byte, failed bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runMax)
	defer cancel()
	command := exec.CommandContext(ctx, binary, "-test.v", "-test.run", tests)
	command.Dir = filepath.Join(base, "integration", suite)
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	if !bytes.Contains(out, []byte("=== RUN")) {
		t.Fatalf("no test ran: %v\n%s", err, out)
	}
	return out, err != nil
}

func tail(out []byte) []byte { return out[max(0, len(out)-2000):] }
