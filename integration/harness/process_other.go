//go:build !linux

package harness

import "syscall"

// attributes has nothing to ask for here: only Linux has a parent-death signal.
func attributes() *syscall.SysProcAttr { return nil }
