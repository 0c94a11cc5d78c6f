package logic

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestScripts runs every script under testdata.
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
			Run(t, s)
		})
	}
}
