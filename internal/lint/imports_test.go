package lint

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A pkg is what go list tells of a package; import paths of ours are without the module.
type pkg struct {
	ImportPath string
	Dir        string
	Name       string
	Imports    []string
	Deps       []string
	GoFiles    []string
	CgoFiles   []string
}

// packages lists all packages of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-tags", "duckdb_arrow", "-json=ImportPath,Dir,Name,Imports,Deps,GoFiles,CgoFiles", "./...")
	cmd.Dir = root(t)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		for _, list := range [][]string{p.Imports, p.Deps} {
			for i := range list {
				list[i] = strings.TrimPrefix(list[i], module)
			}
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages", len(all))
	}
	return all
}

// match reports whether the path is one of the patterns: "x" is itself, "x/..." also all below, "./..." everything of ours.
func match(path string, patterns ...string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if p == "./..." {
			return true
		}
		prefix, below := strings.CutSuffix(p, "/...")
		return path == prefix || below && strings.HasPrefix(path, prefix+"/")
	})
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		path, pattern string
		want          bool
	}{
		{"a", "a", true}, {"a/b", "a", false}, {"a/b", "a/...", true}, {"a", "a/...", true}, {"ab", "a/...", false}, {"x", "./...", true},
	} {
		if match(c.path, c.pattern) != c.want {
			t.Errorf("%s, %s", c.path, c.pattern)
		}
	}
}

func ours(path string, all []pkg) bool {
	return slices.ContainsFunc(all, func(p pkg) bool { return p.ImportPath == path })
}

func pure(path string) bool {
	_, impure := impurePackages[path]
	return match(path, purePackages...) && !impure
}

func TestReach(t *testing.T) {
	for _, p := range packages(t) {
		for _, r := range reachRules {
			if !match(p.ImportPath, r.from...) || r.from[0] == "./..." && match(p.ImportPath, reachExceptions...) {
				continue
			}
			for _, dep := range p.Deps {
				if match(dep, r.to...) && !match(dep, r.except...) {
					t.Errorf("%s reaches %s: %s", p.ImportPath, dep, r.why)
				}
			}
		}
	}
}

func TestDirectImports(t *testing.T) {
	all := packages(t)
	for _, p := range all {
		for _, imported := range p.Imports {
			for _, r := range directRules {
				if match(imported, r.packages...) && !match(p.ImportPath, r.allowed...) && !(imported == "log" && p.Name == "main") {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, r.why)
				}
			}
			for _, r := range importRules {
				if !match(p.ImportPath, r.of) || !ours(imported, all) || match(imported, r.allowed...) || pure(imported) {
					continue
				}
				t.Errorf("%s imports %s, may import %v: %s", p.ImportPath, imported, r.allowed, r.why)
			}
		}
	}
}

// TestPureImports: with only pure packages of ours and harmless ones of the standard library below, purity is transitive.
func TestPureImports(t *testing.T) {
	all := packages(t)
	for _, p := range all {
		if !pure(p.ImportPath) {
			continue
		}
		for _, imported := range p.Imports {
			banned := ""
			for pattern, why := range impureImports {
				if match(imported, pattern) {
					banned = why
				}
			}
			switch {
			case p.ImportPath == "internal/invariants":
			case banned != "":
				t.Errorf("pure package %s imports %s: %s", p.ImportPath, imported, banned)
			case ours(imported, all) && !pure(imported):
				t.Errorf("pure package %s imports %s, which is not pure", p.ImportPath, imported)
			case !ours(imported, all) && strings.Contains(strings.Split(imported, "/")[0], "."):
				t.Errorf("pure package %s imports %s: plans are built of the standard library", p.ImportPath, imported)
			}
		}
	}
}

// TestPureBuildWithoutCgo builds the pure packages as any tool could that links no engine.
func TestPureBuildWithoutCgo(t *testing.T) {
	args := []string{"build"}
	for _, p := range packages(t) {
		if pure(p.ImportPath) {
			args = append(args, "./"+p.ImportPath)
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
