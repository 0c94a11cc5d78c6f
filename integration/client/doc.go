// Package client is the plain Go Flight SQL client (arrow-go v18) as the suites, the demo and the benchmarks use it: one
// session, statements in, batches out, and for each endpoint where it was read and how many rows it gave.
//
// It behaves as the simplest correct client would: gRPC's default message limit unless told otherwise, the session kept by the bearer token of
// the first reply, every endpoint read at the first location that gives its schema, all endpoints at once.
//
// Ownership: a Result owns its batches until Release. A Session is safe for concurrent use; Close ends its connections.
package client
