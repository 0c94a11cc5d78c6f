package harness

import "syscall"

// attributes makes the child die with its parent, also when a test run is killed.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
