// Package harness runs real Arbalest processes for the suites under integration, for the demo and for the benchmarks.
//
// It knows the outside only: the binary bin/arbalest with its flags, the HTTP pages /readyz and /metrics, and what the
// operating system says of a process. Nothing in it imports DuckDB, so programs over it link in a second.
//
//	Launch ──► coordinator process ◄── worker processes      (or one `serve` process)
//	   │            ▲ /readyz, /metrics, /proc
//	   └── Stop: SIGTERM, wait for the drain, SIGKILL after a limit; the logs stay for the failure message
//
// Invariants
//  1. Every process a Cluster started has ended when Stop returns; it also ends when the program that started it dies.
//  2. Everything listens on loopback, on ports that package ports found free.
//  3. Made data lies under .tmp/data of the repository, complete or not at all, and is made once.
package harness
