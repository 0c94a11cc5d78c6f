package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of the kernel's CPU counters: USER_HZ, which is 100 on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// CPU gives the processor time that the process has used so far, in user and kernel mode together (Linux).
func (p *Process) CPU() (time.Duration, error) { return CPUOf(p.PID()) }

// CPUOf is CPU for any process by its number.
func CPUOf(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses, which may hold anything; the fields are counted behind it.
	_, rest, found := strings.Cut(string(data[strings.LastIndexByte(string(data), ')')+1:]), " ")
	fields := strings.Fields(rest)
	const user, system = 11, 12 // utime and stime are fields 14 and 15 of proc_pid_stat(5)
	if !found || len(fields) <= system {
		return 0, fmt.Errorf("/proc stat of process %d has %d fields", pid, len(fields))
	}
	var ticks int64
	for _, f := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc stat of process %d: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// threads lists the numbers of the process's threads (Linux).
func (p *Process) threads() ([]int, error) {
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(p.PID()), "task"))
	if err != nil {
		return nil, err
	}
	var all []int
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}
