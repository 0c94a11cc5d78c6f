// Package compat holds the tests with real clients: ADBC (Python and Go), pyarrow.flight, JDBC, and Arrow's own Go client
// of today (v18) and of the retired path (v15). All run one plan of integration/scenario against one set of server
// processes, a coordinator and two workers, and the test compares what they got with the oracle.
//
//	python/     two scripts            jdbc/       a Maven project          v15client/  a module and binary of its own
//
// The v18 and ADBC Go clients run inside the test process. `make tools` builds what the others need.
package compat
