//go:build !linux

package harness

import (
	"errors"
	"syscall"
)

// attributes has nothing to ask for here: only Linux has a parent-death signal.
func attributes() *syscall.SysProcAttr { return nil }

// Pin is for Linux only.
func (p *Process) Pin(int) error { return errors.ErrUnsupported }
