package harness

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes makes the child die with its parent, also when a test run is killed.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// Pin binds the process to one core. Threads that it starts later inherit that from those it has.
func (p *Process) Pin(core int) error {
	var set unix.CPUSet
	set.Set(core)
	all, err := p.threads()
	if err != nil {
		return fmt.Errorf("pin %s: %w", p.Name, err)
	}
	for _, thread := range all {
		if err := unix.SchedSetaffinity(thread, &set); err != nil && err != unix.ESRCH { //nolint:errorlint // an errno
			return fmt.Errorf("pin %s: %w", p.Name, err)
		}
	}
	return nil
}
