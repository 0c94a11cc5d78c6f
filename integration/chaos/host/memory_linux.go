package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Memory is a control group that bounds the memory of the processes put into it, page cache and all, swap excluded.
type Memory struct {
	dir string
	v2  bool
}

// NewMemory makes a control group of this process's own.
func NewMemory(name string, bytes int64) (*Memory, error) {
	top, v2, err := memoryTop()
	if err != nil {
		return nil, fmt.Errorf("make a memory control group: %w", err)
	}
	m := &Memory{filepath.Join(top, fmt.Sprintf("%s%d-%s", prefix, os.Getpid(), name)), v2}
	if err := os.Mkdir(m.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a memory control group: `mkdir %s`: %w", m.dir, err)
	}
	limit := strconv.FormatInt(bytes, 10)
	if v2 {
		if err := m.write("memory.max", limit); err != nil {
			return nil, errors.Join(err, m.Close())
		}
		_ = m.write("memory.swap.max", "0") // there may be no accounting of swap, and then no swap
		return m, nil
	}
	if err := m.write("memory.limit_in_bytes", limit); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	_ = m.write("memory.memsw.limit_in_bytes", limit)
	return m, nil
}

// memoryTop finds where groups are made: version 2's tree when it controls memory, else version 1's of memory.
func memoryTop() (top string, v2 bool, err error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", false, err
	}
	var v1 string
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		switch {
		case len(f) < 4:
		case f[2] == "cgroup" && contains(f[3], ",", "memory"):
			v1 = f[1]
		case f[2] == "cgroup2":
			if data, err := os.ReadFile(filepath.Join(f[1], "cgroup.subtree_control")); err == nil && contains(strings.TrimSpace(string(data)), " ", "memory") {
				return f[1], true, nil
			}
		}
	}
	if v1 == "" {
		return "", false, errors.New("no control group tree of this machine controls memory (`grep cgroup /proc/self/mounts`)")
	}
	return v1, false, nil
}

func contains(list, separator, word string) bool {
	for _, one := range strings.Split(list, separator) {
		if one == word {
			return true
		}
	}
	return false
}

// Add puts a process into the group; what it holds already stays on its former group's account.
func (m *Memory) Add(pid int) error { return m.write("cgroup.procs", strconv.Itoa(pid)) }

// Kills counts the processes of the group that the kernel killed for want of memory.
func (m *Memory) Kills() (int64, error) {
	file := "memory.oom_control"
	if m.v2 {
		file = "memory.events"
	}
	data, err := os.ReadFile(filepath.Join(m.dir, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no oom_kill", file)
}

// Peak is the most that the group ever held, in bytes.
func (m *Memory) Peak() (int64, error) {
	file := "memory.max_usage_in_bytes"
	if m.v2 {
		file = "memory.peak"
	}
	data, err := os.ReadFile(filepath.Join(m.dir, file))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
}

// Anonymous is what the group holds now that is not page cache, in bytes.
func (m *Memory) Anonymous() (int64, error) {
	data, err := os.ReadFile(filepath.Join(m.dir, "memory.stat"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		for _, key := range []string{"anon ", "rss "} {
			if rest, ok := strings.CutPrefix(line, key); ok {
				return strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			}
		}
	}
	return 0, errors.New("memory.stat has neither anon nor rss")
}

// Close removes the group; its processes must have ended.
func (m *Memory) Close() error { return os.Remove(m.dir) }

func (m *Memory) write(file, text string) error {
	path := filepath.Join(m.dir, file)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("`echo %s > %s`: %w", text, path, err)
	}
	return nil
}
