package flightx

import "golang.org/x/sys/unix"

// lendBack tells the system that it may take a free buffer's pages when memory is short. A page that is written first stays.
func lendBack(b []byte) { _ = unix.Madvise(b, unix.MADV_FREE) } // fails on kernels without it, which then keep the pages
