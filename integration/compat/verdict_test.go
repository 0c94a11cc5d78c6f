package compat

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a harness writes is read; names that are in no list, and verdicts without a reason, are refused with the file's name.
func TestReadColumns(t *testing.T) {
	for _, test := range []struct{ name, text, fault string }{
		{"good", `{"client": "jdbc", "version": "1", "features": {"tls": "yes", "login": "no: it hangs", "poll": "n/a: no call"}}`, ""},
		{"client", `{"client": "odbc", "features": {}}`, `"odbc"`},
		{"feature", `{"client": "jdbc", "features": {"speed": "yes"}}`, `"speed"`},
		{"verdict", `{"client": "jdbc", "features": {"tls": "perhaps"}}`, `"perhaps"`},
		{"reason", `{"client": "jdbc", "features": {"tls": "no"}}`, "no reason"},
		{"json", `{`, "unexpected"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "x.json"), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			columns, err := ReadColumns(dir)
			if test.fault == "" {
				if err != nil || columns["jdbc"].Features["login"].reason() != "it hangs" {
					t.Errorf("%v, %v", columns["jdbc"], err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.fault) || !strings.Contains(err.Error(), "x.json") {
				t.Errorf("want a fault about %s in x.json, got %v", test.fault, err)
			}
		})
	}
}

// Two harnesses may measure one client: the worse verdict counts, whichever file is read first.
func TestMerge(t *testing.T) {
	for _, order := range [][]string{{"-a", "-b"}, {"-b", "-a"}} {
		dir := t.TempDir()
		for i, v := range []Verdict{Yes, "no: it fails"} {
			c := Column{Client: "jdbc", Features: map[string]Verdict{"tls": v, "login": Yes}}
			if err := c.Write(dir, order[i]); err != nil {
				t.Fatal(err)
			}
		}
		columns, err := ReadColumns(dir)
		if err != nil {
			t.Fatal(err)
		}
		if f := columns["jdbc"].Features; f["tls"] != "no: it fails" || f["login"] != Yes {
			t.Errorf("%v", f)
		}
	}
}

// A cell that changed is told, one that was not measured is not, and one that became a no is lost.
func TestCompare(t *testing.T) {
	kept := map[string]*Column{"jdbc": {Client: "jdbc", Version: "1",
		Features: map[string]Verdict{"tls": Yes, "login": Yes, "poll": "no: hangs", "token": "n/a: none"}}}
	measured := map[string]*Column{
		"jdbc": {Client: "jdbc", Version: "2", Features: map[string]Verdict{"tls": "no: fails", "poll": "no: crashes", "token": "n/a: none"}},
		"rust": {Client: "rust", Features: map[string]Verdict{"tls": Yes, "poll": "no: new"}},
	}
	differ, lost := Compare(kept, measured)
	if len(differ) != 5 {
		t.Errorf("differ: %q", differ)
	}
	want := []string{`jdbc, tls: "no: fails", kept is "yes"`}
	if !slices.Equal(lost, want) {
		t.Errorf("lost %q, want %q", lost, want)
	}
	if differ, _ = Compare(kept, kept); differ != nil {
		t.Errorf("a column differs from itself: %q", differ)
	}
}

// The table has a column for each measured client, a cell for each feature, and one footnote for equal reasons.
func TestTable(t *testing.T) {
	text := Table(map[string]*Column{
		"pyarrow": {Client: "pyarrow", Version: "9.9", Features: map[string]Verdict{"login": Yes, "token": "n/a: no such call", "tls": "no: a|b"}},
		"jdbc":    {Client: "jdbc", Features: map[string]Verdict{"login": "yes: both ways", "tls": "n/a: no such call"}},
	})
	for _, line := range []string{"| | JDBC | pyarrow |", "| login | yes[^1] | yes |", "| token | · | n/a[^2] |", "| tls | n/a[^2] | no[^3] |",
		"[^1]: both ways", "[^2]: no such call", `[^3]: a\|b`, "| pyarrow | `pyarrow.flight`, the Flight SQL commands encoded by hand | 9.9 |"} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	if n := strings.Count(text, "\n| "); n < 2*len(Features) {
		t.Errorf("%d lines of tables for %d features", n, len(Features))
	}
}
