package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// RSS gives the resident memory of the process in bytes, as the kernel counts it (Linux).
func (p *Process) RSS() (int64, error) { return p.statusKiB("VmRSS:") }

// PeakRSS gives the most resident memory the process has had since its start or since ResetPeakRSS, in bytes (Linux).
func (p *Process) PeakRSS() (int64, error) { return p.statusKiB("VmHWM:") }

// ResetPeakRSS makes the kernel count PeakRSS anew from the present RSS (Linux).
func (p *Process) ResetPeakRSS() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.PID()), []byte("5"), 0)
}

func (p *Process) statusKiB(key string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc status of %s has no %s", p.Name, key)
}

// Descriptors lists what the process holds open: the target of each descriptor ("socket:[…]", a path) (Linux).
func (p *Process) Descriptors() ([]string, error) {
	dir := fmt.Sprintf("/proc/%d/fd", p.PID())
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var targets []string
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil { // it may close meanwhile
			targets = append(targets, target)
		}
	}
	return targets, nil
}
