package compat

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/harness"
)

var rewrite = flag.Bool("rewrite", false, "keep what this run measures, and write docs/compatibility.md from it")

// columnsDir keeps the measured columns, one file a client.
const columnsDir = "testdata/columns"

// TestMain runs the tests and then holds what they measured against the kept columns: harnesses in other languages write
// theirs into the folder that OutVariable names.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	out := os.Getenv(OutVariable)
	if out == "" {
		var err error
		if out, err = os.MkdirTemp("", "compat-"); err != nil {
			return complain(err)
		}
		defer os.RemoveAll(out)
		if err := os.Setenv(OutVariable, out); err != nil {
			return complain(err)
		}
	}
	code := m.Run()
	if err := settle(out); err != nil {
		return complain(err)
	}
	return code
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "FAIL:", err)
	return 1
}

// settle compares what was measured with what is kept, and with -rewrite keeps it: a cell that is no longer "yes" fails
// all the same.
func settle(out string) error {
	kept, err := ReadColumns(columnsDir)
	if err != nil {
		return err
	}
	measured, err := ReadColumns(out)
	if err != nil {
		return err
	}
	page, err := harness.Path("docs", "compatibility.md")
	if err != nil {
		return err
	}
	differ, lost := Compare(kept, measured)
	if *rewrite {
		if err := keep(kept, measured, page); err != nil {
			return err
		}
		differ = lost
	} else if text, err := os.ReadFile(page); err != nil || string(text) != Table(kept) {
		differ = append(differ, "docs/compatibility.md is not what "+columnsDir+" gives")
	}
	if len(differ) == 0 {
		return nil
	}
	fault := fmt.Sprintf("%d cells of docs/compatibility.md are not what was measured; if that is right, run make compat and commit what it writes:", len(differ))
	for _, line := range differ {
		fault += "\n    " + line
	}
	return fmt.Errorf("%s", fault)
}

// keep merges the measured cells into the kept columns, drops rows that are no more, and writes both.
func keep(kept, measured map[string]*Column, page string) error {
	if err := os.MkdirAll(columnsDir, 0o755); err != nil {
		return err
	}
	for name, now := range measured {
		if was := kept[name]; was != nil {
			for feature, verdict := range was.Features {
				if _, ok := now.Features[feature]; !ok {
					now.Features[feature] = verdict
				}
			}
			if now.Version == "" {
				now.Version = was.Version
			}
		}
		kept[name] = now
		if err := now.Write(columnsDir, ""); err != nil {
			return err
		}
	}
	return os.WriteFile(page, []byte(Table(kept)), 0o644)
}

// A sheet collects what one client in this process, or a test on its behalf, was seen to do.
type sheet struct{ column Column }

func newSheet(client, version string) *sheet {
	return &sheet{Column{Client: client, Version: version, Features: map[string]Verdict{}}}
}

// note adds a verdict; see Column.merge for a second one of the same feature.
func (s *sheet) note(feature string, v Verdict) {
	s.column.merge(Column{Features: map[string]Verdict{feature: v}})
}

// passed notes "yes" or, after a failed test, "no".
func (s *sheet) passed(feature string, ok bool) {
	v := Yes
	if !ok {
		v = "no: the test fails"
	}
	s.note(feature, v)
}

// write leaves the sheet beside those of other harnesses; the suffix tells the tests apart that write of one client.
func (s *sheet) write(tb testing.TB, suffix string) {
	tb.Helper()
	if err := s.column.Write(os.Getenv(OutVariable), suffix); err != nil {
		tb.Error(err)
	}
}

// A verdictError is how a check gives another verdict than a plain yes, for a reason that is known and stays.
type verdictError struct{ verdict Verdict }

func (e verdictError) Error() string { return string(e.verdict) }

// notApplicable ends a check whose client has nothing to do it with, absent one whose client is known not to do it, and noted
// one that passed with something to know.
func notApplicable(reason string) error { return verdictError{Verdict("n/a: " + reason)} }
func absent(reason string) error        { return verdictError{Verdict("no: " + reason)} }
func noted(detail string) error         { return verdictError{Verdict("yes: " + detail)} }

// moduleVersion is a module's version in go.mod.
func moduleVersion(path string) string {
	name, err := harness.Path("go.mod")
	if err != nil {
		return err.Error()
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == path {
			return fields[1]
		}
	}
	return "not in go.mod"
}
