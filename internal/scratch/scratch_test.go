package scratch

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestOpenRemovesWhatTheDeadLeft(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "new")
	living, err := Open(parent, "x-")
	if err != nil {
		t.Fatal(err)
	}
	// A directory that nobody locks is a dead owner's; other names are none of our business.
	for _, dead := range []string{"x-dead/deep", "y-other"} {
		if err := os.MkdirAll(filepath.Join(parent, dead), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"x-dead/deep/file", "x-file"} {
		if err := os.WriteFile(filepath.Join(parent, file), []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next, err := Open(parent, "x-")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(living.Path()); err != nil {
		t.Error("a living owner's directory is gone")
	}
	if got := names(t, parent); len(got) != 4 {
		t.Errorf("left are %v", got)
	}
	if err := os.WriteFile(filepath.Join(next.Path(), "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Dir{living, next, next} {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := names(t, parent); len(got) != 2 {
		t.Errorf("left are %v", got)
	}
}

func TestManyOpenAtOnce(t *testing.T) {
	parent := t.TempDir()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			d, err := Open(parent, "x-")
			if err != nil {
				t.Error(err)
				return
			}
			if err := os.WriteFile(filepath.Join(d.Path(), "file"), nil, 0o600); err != nil {
				t.Error("a directory vanished while its owner lived:", err)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := names(t, parent); len(got) != 0 {
		t.Errorf("left are %v", got)
	}
}

func TestOpenWhereNothingCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, "x-"); err == nil {
		t.Fatal("a directory below a file")
	}
}
