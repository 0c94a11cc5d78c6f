package distplan_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"

	"github.com/arbalest-sql/arbalest/distplan"
)

// ruleless are rule files that register no rule, with the reason.
var ruleless = map[string]string{
	"rule_fallback.go": "what it does is counted by the reasons that it gives",
}

// Every file that holds a rule registers it, or build.go does for its rewrite: what is not registered nobody counts.
func TestEveryRuleIsRegistered(t *testing.T) {
	rewrites := map[string]bool{}
	registers := map[string]bool{}
	declares := map[string][]string{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				declares[name] = append(declares[name], n.Name.Name)
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "newRule" {
					registers[name] = true
				}
			case *ast.CompositeLit:
				if len(n.Elts) == 2 {
					if id, ok := n.Elts[1].(*ast.Ident); ok {
						rewrites[id.Name] = true
					}
				}
			}
			return true
		})
	}
	rules, err := filepath.Glob("rule_*.go")
	if err != nil || len(rules) == 0 {
		t.Fatalf("no rule files: %v", err)
	}
	for _, name := range rules {
		rewrite := slices.ContainsFunc(declares[name], func(f string) bool { return rewrites[f] })
		if !registers[name] && !rewrite && ruleless[name] == "" {
			t.Errorf("%s registers no rule by newRule and holds no rewrite of build.go", name)
		}
	}
	all := distplan.Rules()
	if len(all) == 0 || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("no rules, or one that is registered twice: %q", all)
	}
}
