// Command v15client runs a plan of integration/scenario with the Flight SQL client of github.com/apache/arrow/go/v15, the
// retired path that existing programs still use. It is a module and a binary of its own because two versions of the Flight
// package in one process panic at start: both register Flight.proto.
package main
