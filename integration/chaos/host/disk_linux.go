package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Disk is a small file system in memory.
type Disk struct{ Path string }

// NewDisk mounts an empty disk of so many bytes at a folder, which is made.
func NewDisk(path string, bytes int64) (*Disk, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	size := fmt.Sprintf("size=%d", bytes)
	if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, size); err != nil {
		return nil, fmt.Errorf("make a disk: `mount -t tmpfs -o %s tmpfs %s`: %w", size, path, err)
	}
	return &Disk{path}, nil
}

// Fill writes until there is no room.
func (d *Disk) Fill() error {
	f, err := os.Create(d.ballast())
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer f.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		switch _, err := f.Write(block); {
		case errors.Is(err, unix.ENOSPC):
			block = block[:len(block)/2]
		case err != nil:
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	return nil
}

// Empty takes back what Fill wrote.
func (d *Disk) Empty() error {
	if err := os.Remove(d.ballast()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("empty the disk: %w", err)
	}
	return nil
}

func (d *Disk) ballast() string { return filepath.Join(d.Path, "ballast") }

// Free gives the bytes that can be written.
func (d *Disk) Free() (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(d.Path, &s); err != nil {
		return 0, fmt.Errorf("look at the disk: %w", err)
	}
	return int64(s.Bavail) * s.Bsize, nil
}

// Close unmounts the disk, also while files on it are open.
func (d *Disk) Close() error { return unix.Unmount(d.Path, unix.MNT_DETACH) }
