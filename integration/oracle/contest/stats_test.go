package contest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/integration/oracle"
)

// What EXPLAIN prints is counted; a rule that no plan had shows up with nothing.
func TestCountPlan(t *testing.T) {
	fired := distplan.Rules()[0]
	s := &Stats{}
	s.CountPlan("plan stages=3\nstage 2 root\n  join left on=(a = b)\n    exchange hash(a)x2 from=0\n    exchange hash(b)x2 from=1\n" +
		"fallback: list runs in one task: it cannot be computed in parts\nrule: " + fired + "\n")
	s.CountPlan("plan stages=1\nstage 0 root leaf\n  scan t splits=2 (k)\n")
	if s.Plans != 2 || s.Exchanging != 1 || s.Rules[fired] != 1 || s.Shapes["join left"] != 1 || len(s.Fallbacks) != 1 {
		t.Errorf("%+v", s)
	}
	if text := s.String(); len(s.Rules) != len(distplan.Rules()) || !strings.Contains(text, "       0 "+distplan.Rules()[1]) {
		t.Errorf("rules that did not fire are not told:\n%s", text)
	}
}

// A long run that leaves a rule alone fails; a short one does not.
func TestFaults(t *testing.T) {
	s := &Stats{}
	s.CountPlan("exchange gather from=0\nexchange gather from=1")
	rows := &Want{Rows: &oracle.Rows{Cells: make([][]oracle.Cell, 1)}}
	for range judgedQueries {
		s.Count(rows, 4)
	}
	if faults := s.Faults(); len(faults) > 0 {
		t.Errorf("a short run: %q", faults)
	}
	for range coverageQueries {
		s.Count(rows, 4)
	}
	if faults := s.Faults(); len(faults) != len(distplan.Rules()) {
		t.Errorf("a long run: %q", faults)
	}
	for range 10 * coverageQueries {
		s.Count(&Want{Rows: &oracle.Rows{}}, 4)
	}
	if faults := s.Faults(); len(faults) != len(distplan.Rules())+1 {
		t.Errorf("a run without rows: %q", faults)
	}
}

// Runs that share a file are counted as one.
func TestAddFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stats.json")
	for n := 1; n <= 3; n++ {
		s := &Stats{}
		s.Count(&Want{Rows: &oracle.Rows{}}, 4)
		s.CountPlan("  join left on=(a = b)\nrule: " + distplan.Rules()[0])
		s.Accept("a difference")
		if err := s.AddFile(path); err != nil {
			t.Fatal(err)
		}
		if s.Statements != n || s.Runs != 4*n || s.Plans != n || s.Rules[distplan.Rules()[0]] != n || s.Shapes["join left"] != n || s.Accepted["a difference"] != n {
			t.Errorf("after %d runs: %s", n, s)
		}
	}
}
