package logic

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rewrite writes DuckDB's answers into the scripts, where no loop is in the way: review the difference.
var rewrite = flag.Bool("rewrite", false, "write DuckDB's answers into the scripts")

// sampleWorkers is the only size of cluster in the sample.
const sampleWorkers = 3

// TestScripts runs every script under testdata; on clusters of one size when ARBALEST_LOGIC is sample.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.slt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".slt"), func(t *testing.T) {
			s, err := Parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if os.Getenv("ARBALEST_LOGIC") == "sample" {
				s.Clusters = []int{sampleWorkers}
			}
			if *rewrite {
				Rewrite(t, s, file)
				return
			}
			Run(t, s)
		})
	}
}
