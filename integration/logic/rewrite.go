package logic

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/oracle/contest"
)

// Rewrite puts DuckDB's answers into a script's file. Scripts with loops are left as they are: their lines are not those of
// the file.
func Rewrite(t *testing.T, s *Script, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains("\n"+string(text), "\nloop") || strings.Contains("\n"+string(text), "\nforeach") {
		t.Skip("it has loops")
	}
	lines := strings.Split(string(text), "\n")
	r := open(t, s)
	answers := make([][]string, len(s.Records))
	for i, record := range s.Records {
		if record.Kind != Query {
			if err := r.run(record); err != nil {
				t.Errorf("line %d: %v", record.Line, err)
			}
			continue
		}
		if err := r.write(); err != nil {
			t.Fatal(err)
		}
		want, err := contest.Ask(t.Context(), r.db, record.SQL)
		if err != nil || want.Refusal != nil {
			t.Fatalf("line %d: %v %v", record.Line, err, want)
		}
		record.Columns = len(want.Rows.Columns)
		all := arrange(shown(want.Rows), record)
		if agree(record, want) == nil {
			continue // as good, perhaps with fewer digits
		}
		answers[i] = []string{}
		for row := range slices.Chunk(all, record.Columns) {
			answers[i] = append(answers[i], strings.Join(row, "\t"))
		}
	}
	for i, record := range slices.Backward(s.Records) {
		if answers[i] != nil {
			lines = slices.Replace(lines, record.answers[0], record.answers[1], answers[i]...)
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}
