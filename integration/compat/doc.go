// Package compat holds the tests with real clients: ADBC (Python and Go), pyarrow.flight, JDBC, and Arrow's own Go client
// of today (v18) and of the retired path (v15). All run one plan of integration/scenario against one set of server
// processes, a coordinator and two workers, and the test compares what they got with the oracle.
//
//	python/     two scripts            jdbc/       a Maven project          v15client/  a module and binary of its own
//
// What is Java's own goes by suites of jdbc/ (SuiteMain): all of DatabaseMetaData against testdata/jdbc_getters.txt and
// testdata/jdbc_metadata.txt, temporary tables, parameters, batches, transactions, early ends, URLs, logins, a HikariCP pool of
// fifty, and a large result: 600 thousand rows, or ten million with ARBALEST_COMPAT=full (make compat).
//
// The v18 and ADBC Go clients run inside the test process. `make tools` builds what the others need.
package compat
