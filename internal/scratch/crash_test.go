package scratch

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// inChild has the parent directory, in the process that TestAKilledOwner starts.
const inChild = "ARBALEST_TEST_SCRATCH"

// TestAKilledOwner kills a process that has a directory, and opens another.
func TestAKilledOwner(t *testing.T) {
	if parent := os.Getenv(inChild); parent != "" {
		d, err := Open(parent, "x-")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d.Path(), "file"), []byte("spilled"), 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Println("ready")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until it is killed
		return
	}
	parent := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAKilledOwner$")
	child.Env = append(os.Environ(), inChild+"="+parent)
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Errorf("the child said %q, %v", line, err)
	}
	first, err := Open(parent, "x-")
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, parent); len(got) != 2 {
		t.Errorf("while it lives there are %v", got)
	}
	if err := child.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = child.Wait() // it was killed
	second, err := Open(parent, "x-")
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, parent); len(got) != 2 {
		t.Errorf("after its death there are %v", got)
	}
	for _, d := range []*Dir{first, second} {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
