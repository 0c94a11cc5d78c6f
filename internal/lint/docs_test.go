package lint

import (
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestEveryPackageHasDoc: purpose, place in the flow, invariants, ownership stand in doc.go.
func TestEveryPackageHasDoc(t *testing.T) {
	documented, seen := map[string]bool{}, map[string]bool{}
	sources(t, func(s source) {
		if s.test {
			return
		}
		seen[s.dir] = true
		if filepath.Base(s.path) == "doc.go" {
			documented[s.dir] = true
			if s.file.Doc == nil || len(strings.Fields(s.file.Doc.Text())) < 10 {
				t.Errorf("%s: no package comment to speak of", s.path)
			}
		}
	})
	for dir := range seen {
		if !documented[dir] && dir != "internal/protocol/pb" {
			t.Errorf("%s has no doc.go", dir)
		}
	}
}

// TestArchitectureIsTrue: every path that ARCHITECTURE.md names exists, and it names every actor at the top.
func TestArchitectureIsTrue(t *testing.T) {
	base := root(t)
	text, err := os.ReadFile(filepath.Join(base, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatalf("ARCHITECTURE.md is missing: it is the map of the repository (%v)", err)
	}
	entries, err := os.ReadDir(base)
	if err != nil {
		t.Fatal(err)
	}
	var tops []string
	for _, e := range entries {
		if e.IsDir() {
			tops = append(tops, e.Name())
		}
	}
	planned := []string{"bench", "catalog", "cmd", "deploy", "distplan", "docs", "flightserver", "integration", "internal", "worker"}
	for _, path := range regexp.MustCompile(`[A-Za-z0-9_.{},*-]+(/[A-Za-z0-9_.{},*-]*)+`).FindAllString(string(text), -1) {
		path = strings.TrimRight(path, "/.,")
		first, _, _ := strings.Cut(path, "/")
		if !slices.Contains(tops, first) && !slices.Contains(planned, first) || strings.ContainsAny(path, "{}") {
			continue // a word with a slash, an import path, a pattern
		}
		found, err := filepath.Glob(filepath.Join(base, path))
		if err != nil || len(found) == 0 {
			t.Errorf("ARCHITECTURE.md names %s, which does not exist", path)
		}
	}
	for _, p := range packages(t) {
		first, _, _ := strings.Cut(p.ImportPath, "/")
		if !strings.Contains(string(text), first) {
			t.Errorf("ARCHITECTURE.md does not mention %s", first)
		}
	}
}

// words splits an identifier at capitals: JobGraph is Job, Graph; HTTPServer is HTTP, Server.
func words(identifier string) []string {
	var out []string
	runes := []rune(identifier)
	start := 0
	for i := 1; i <= len(runes); i++ {
		if i == len(runes) || unicode.IsUpper(runes[i]) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) || runes[i] == '_' {
			out = append(out, strings.Trim(string(runes[start:i]), "_"))
			start = i
		}
	}
	return out
}

func TestWords(t *testing.T) {
	for identifier, want := range map[string]string{"JobGraph": "Job Graph", "HTTPServer": "HTTP Server", "Subjob": "Subjob", "TaskID": "Task ID", "A": "A"} {
		if got := strings.Join(words(identifier), " "); got != want {
			t.Errorf("%s: %s, want %s", identifier, got, want)
		}
	}
}

// TestGlossary looks for words in exported identifiers for which we have another one: one word a concept.
func TestGlossary(t *testing.T) {
	used := map[string]bool{}
	check := func(s source, id *ast.Ident) {
		if !id.IsExported() {
			return
		}
		parts := words(id.Name)
		for banned, ours := range bannedWords {
			for i := range parts {
				joined := strings.Join(parts[i:min(len(parts), i+len(words(banned)))], "")
				if joined != banned && joined != banned+"s" {
					continue
				}
				if exception := s.dir + " " + banned; wordExceptions[exception] != "" {
					used[exception] = true
					continue
				}
				t.Errorf("%s: %s: the glossary says %s for %s", s.at(id.Pos()), id.Name, ours, strings.ToLower(banned))
			}
		}
	}
	sources(t, func(s source) {
		if s.test {
			return
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				check(s, d.Name)
			case *ast.GenDecl:
				ast.Inspect(d, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.TypeSpec:
						check(s, n.Name)
					case *ast.ValueSpec:
						for _, id := range n.Names {
							check(s, id)
						}
					case *ast.Field:
						for _, id := range n.Names {
							check(s, id)
						}
					}
					return true
				})
			}
		}
	})
	for exception := range wordExceptions {
		dir, _, _ := strings.Cut(exception, " ")
		if _, err := os.Stat(filepath.Join(root(t), dir)); err == nil && !used[exception] {
			t.Errorf("exception %q is not needed any more", exception)
		}
	}
}

// TestDecisionsAreNumbered: each file is 0001-title.md with the same number in its heading, one after the other, and none twice.
func TestDecisionsAreNumbered(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root(t), "docs", "decisions", "[0-9]*.md"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no decisions: %v", err)
	}
	for i, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if name := filepath.Base(path); !strings.HasPrefix(name, fmt.Sprintf("%04d-", i+1)) || !strings.HasPrefix(string(text), fmt.Sprintf("# %d. ", i+1)) {
			t.Errorf("%s: decision %d is expected here, with its number in the heading", name, i+1)
		}
	}
}
