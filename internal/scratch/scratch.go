package scratch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// parentWait bounds the wait for other processes that open their directories at the same moment, or clean up after dead
	// ones: removing files of many gigabytes takes some file systems seconds.
	parentWait = 30 * time.Second
	// parentRetry is the pause between two looks.
	parentRetry = 10 * time.Millisecond
)

// A Dir is a directory of this process's own.
type Dir struct {
	path string
	lock *os.File
}

// Open makes a new directory below parent (made if it is missing; empty = the system's directory for temporary files), named by
// the prefix and something random, and removes the directories with the same prefix whose owners are dead.
func Open(parent, prefix string) (*Dir, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	// A directory that was made and not yet locked looks like one of a dead owner: so makers exclude each other.
	unlock, err := lockParent(parent)
	if err != nil {
		return nil, err
	}
	defer unlock()
	clean(parent, prefix)
	path, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return nil, err
	}
	lock, err := tryLock(path)
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return &Dir{path, lock}, nil
}

// Path is where the directory is.
func (d *Dir) Path() string { return d.path }

// Close removes the directory with all that is in it. It may be called again.
func (d *Dir) Close() error {
	err := os.RemoveAll(d.path)
	_ = d.lock.Close()
	return err
}

func lockParent(parent string) (unlock func(), err error) {
	deadline := time.Now().Add(parentWait)
	for {
		lock, err := tryLock(parent)
		if err == nil {
			return func() { _ = lock.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(deadline) {
			return nil, fmt.Errorf("lock %s: %w", parent, err)
		}
		time.Sleep(parentRetry)
	}
}

// tryLock locks a directory until the file is closed, or fails with EWOULDBLOCK.
func tryLock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// clean removes what dead owners left. What cannot be opened or removed is somebody else's.
func clean(parent, prefix string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		path := filepath.Join(parent, e.Name())
		if lock, err := tryLock(path); err == nil {
			_ = os.RemoveAll(path)
			_ = lock.Close()
		}
	}
}
