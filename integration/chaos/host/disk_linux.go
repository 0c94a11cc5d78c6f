package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Disk is a small file system in memory.
type Disk struct {
	Path  string
	bytes int64
}

// NewDisk mounts an empty disk of so many bytes at a folder, which is made.
func NewDisk(path string, bytes int64) (*Disk, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	size := fmt.Sprintf("size=%d", bytes)
	if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, size); err != nil {
		return nil, fmt.Errorf("make a disk: `mount -t tmpfs -o %s tmpfs %s`: %w", size, path, err)
	}
	return &Disk{path, bytes}, nil
}

// Fill leaves no room: the disk shrinks to what is on it, which takes no time however large and busy it is.
func (d *Disk) Fill() error {
	for {
		var s unix.Statfs_t
		if err := unix.Statfs(d.Path, &s); err != nil {
			return fmt.Errorf("fill the disk: %w", err)
		}
		used := int64(s.Blocks-s.Bfree) * s.Bsize
		err := d.resize(max(used, s.Bsize)) // 0 would be without limit
		if errors.Is(err, unix.EINVAL) {    // more was written meanwhile
			continue
		}
		if err != nil || used > 0 {
			return err
		}
		// The one block of an empty disk.
		if err := os.WriteFile(filepath.Join(d.Path, "ballast"), make([]byte, s.Bsize), 0o600); err != nil && !errors.Is(err, unix.ENOSPC) {
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
}

// Empty gives back the room that Fill took.
func (d *Disk) Empty() error { return d.resize(d.bytes) }

func (d *Disk) resize(bytes int64) error {
	size := fmt.Sprintf("size=%d", bytes)
	if err := unix.Mount("tmpfs", d.Path, "tmpfs", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, size); err != nil {
		return fmt.Errorf("resize a disk: `mount -o remount,%s %s`: %w", size, d.Path, err)
	}
	return nil
}

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
