// Package chaos runs real processes and breaks them: workers are killed and stopped, cut off the network, their disks filled,
// their memory bounded, the fetches between them refused, the links slowed down. Whatever happens, a query gives the rows that
// DuckDB gives, or an error of the kind that says what to do; and afterwards nothing of it is left anywhere.
//
//	clients ──▶ coordinator ──▶ relay ──▶ worker     one relay, one network namespace and one small disk a worker
//	   └───────────────────────▶ relay ──▶ worker
//
// A fault comes when the plan is at a certain place (a trigger over the relays' events), not after some time, and a test whose
// fault did not come fails. `make test-chaos` runs a fixed sample; ARBALEST_CHAOS=full (`make chaos`) runs
// everything.
//
// The suite needs Linux and, for the network, the disks and the memory, the rights of root; without them those tests fail and
// say which command was not permitted.
package chaos
