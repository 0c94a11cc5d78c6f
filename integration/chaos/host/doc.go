// Package host makes the surroundings that faults need, on this machine alone: network namespaces that stand for hosts and can
// be cut off, small disks that can be filled, and control groups that bound memory. Linux only, and it needs the rights of
// root: whatever is not permitted is an error that says what was tried.
//
// Everything made is undone by the value's Close. What a run left that was killed is removed by the next one: names carry the
// process that made them.
package host
