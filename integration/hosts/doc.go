// Package hosts runs every process on a host of its own: a network namespace with a real address, a coordinator and three workers,
// and the client on another one. What holds on one machine by accident, because everything is on loopback, is seen here: which
// address a client is told, who can reach whom, and what happens when two hosts cannot.
//
//	client (this process) ── bridge ── coordinator
//	                            ├───── worker 1 ─╳─ worker 2
//	                            └───── worker 3
//
// Linux and the rights of root are needed.
package hosts
