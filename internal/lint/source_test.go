package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// linesMax is what a file may have: beyond it holds more than one concept. Most have 100 to 250.
const linesMax = 400

// root is the repository's.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// walk visits every file of the repository by its relative path, outside what tools make.
func walk(t *testing.T, visit func(path string, content []byte)) {
	t.Helper()
	base := root(t)
	made := map[string]bool{".git": true, ".tmp": true, ".demo": true, "bin": true, "target": true, "__pycache__": true, "node_modules": true}
	err := filepath.WalkDir(base, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if made[d.Name()] {
				return filepath.SkipDir
			}
			return nil
		}
		relative, err := filepath.Rel(base, path)
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, ".test") || strings.HasSuffix(path, ".out") {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil // a temporary file of a tool that runs beside
		}
		if err == nil {
			visit(filepath.ToSlash(relative), content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func generated(content []byte) bool {
	head := string(content[:min(len(content), 2000)])
	return regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`).MatchString(head)
}

// A source is a parsed Go file that people wrote.
type source struct {
	path string // relative
	dir  string
	test bool
	file *ast.File
	set  *token.FileSet
}

func (s source) at(pos token.Pos) string { return s.set.Position(pos).String() }

func sources(t *testing.T, visit func(source)) {
	t.Helper()
	count := 0
	walk(t, func(path string, content []byte) {
		if !strings.HasSuffix(path, ".go") || generated(content) || strings.Contains(path, "testdata/") {
			return
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, content, parser.ParseComments)
		if err != nil {
			t.Error(err)
			return
		}
		count++
		visit(source{path, strings.TrimSuffix(filepath.ToSlash(filepath.Dir(path)), "/"), strings.HasSuffix(path, "_test.go"), file, set})
	})
	if count < 20 {
		t.Fatalf("only %d Go files were found", count)
	}
}

func TestFileLength(t *testing.T) {
	walk(t, func(path string, content []byte) {
		if strings.HasPrefix(path, "internal/duck/include/") {
			return // the engine's own headers, as its makers wrote them
		}
		switch filepath.Ext(path) {
		case ".go", ".c", ".h", ".py", ".java", ".proto":
			if lines := strings.Count(string(content), "\n"); lines > linesMax && !generated(content) {
				t.Errorf("%s has %d lines, more than %d: it holds more than one concept", path, lines, linesMax)
			}
		}
	})
}

// TestNoMachinePaths: a path of one machine is wrong on all others.
func TestNoMachinePaths(t *testing.T) {
	// Written so that this file does not find itself.
	machine := regexp.MustCompile(`(^|[\s"'` + "`" + `(=:,\[])(/` + `work/|/` + `root/|/` + `home/[a-z]|/` + `Users/[A-Za-z]|/tmp/` + `(tpch|warm)\b)`)
	walk(t, func(path string, content []byte) {
		if strings.HasSuffix(path, "go.sum") || strings.ContainsRune(string(content[:min(len(content), 8000)]), 0) {
			return
		}
		for i, line := range strings.Split(string(content), "\n") {
			if found := machine.FindString(line); found != "" {
				t.Errorf("%s:%d: path of one machine: %s", path, i+1, strings.TrimSpace(line))
			}
		}
	})
}

// TestNoPanic: a panic ends every query of the process. Broken invariants go through internal/invariants.
func TestNoPanic(t *testing.T) {
	sources(t, func(s source) {
		if s.test || s.dir == "internal/invariants" || strings.HasSuffix(s.dir, "test") || match(s.dir, "integration/...") {
			return // parts of tests, by their name or place
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "panic" && f.Obj == nil {
					t.Errorf("%s: panic; return a qerr.Error, or use internal/invariants for a bug of ours", s.at(n.Pos()))
				}
			}
			return true
		})
	})
}

// TestNoPrinting: standard output belongs to programs; packages log or return.
func TestNoPrinting(t *testing.T) {
	sources(t, func(s source) {
		if s.file.Name.Name == "main" || s.test {
			return
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch f := call.Fun.(type) {
			case *ast.Ident:
				if (f.Name == "print" || f.Name == "println") && f.Obj == nil {
					t.Errorf("%s: %s", s.at(n.Pos()), f.Name)
				}
			case *ast.SelectorExpr:
				if x, ok := f.X.(*ast.Ident); ok && x.Name == "fmt" && strings.HasPrefix(f.Sel.Name, "Print") {
					t.Errorf("%s: fmt.%s; only programs print", s.at(n.Pos()), f.Sel.Name)
				}
			}
			return true
		})
	})
}

// TestMembershipComparesNoClocks: who lives is told by leases and silence, which timers measure; a node's clock may be wrong.
func TestMembershipComparesNoClocks(t *testing.T) {
	clock := map[string]bool{"Now": true, "Since": true, "Until": true, "Unix": true, "UnixMilli": true}
	looked := 0
	sources(t, func(s source) {
		if s.test || !match(s.dir, "internal/cluster/etcd", "internal/cluster/kubernetes", "internal/cluster/roster") {
			return
		}
		looked++
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := call.X.(*ast.Ident); ok && x.Name == "time" && clock[call.Sel.Name] {
					t.Errorf("%s: time.%s in a driver of the membership: use a timer, or the time of the store", s.at(n.Pos()), call.Sel.Name)
				}
			}
			return true
		})
	})
	if looked == 0 {
		t.Error("no driver was found")
	}
}

// TestPureHasNoEffects: no clock and no goroutine in pure packages; time.Duration and time.Time as values are fine.
func TestPureHasNoEffects(t *testing.T) {
	clock := map[string]bool{"Now": true, "Since": true, "Until": true, "After": true, "AfterFunc": true, "Sleep": true, "Tick": true, "NewTimer": true, "NewTicker": true}
	sources(t, func(s source) {
		if s.test || !pure(s.dir) {
			return
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a goroutine in a pure package", s.at(n.Pos()))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && clock[n.Sel.Name] {
					t.Errorf("%s: time.%s in a pure package; take the time as a parameter", s.at(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	})
}
