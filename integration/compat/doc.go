// Package compat holds the tests with real clients: ADBC (Python and Go), pyarrow.flight, JDBC, and Arrow's own Go client
// of today (v18) and of the retired path (v15). All run one plan of integration/scenario against one set of server
// processes, a coordinator and two workers, and the test compares what they got with the oracle.
//
//	python/     scripts                jdbc/       a Maven project          v15client/  a module and binary of its own
//	adbcjava/   a Maven project: arrow-adbc's validation suites for Java
//	rust/       a crate, built and run by make compat only
//
// What is Java's own goes by suites of jdbc/ (SuiteMain): all of DatabaseMetaData against testdata/jdbc_getters.txt and
// testdata/jdbc_metadata.txt, temporary tables, parameters, batches, transactions, early ends, URLs, logins, a HikariCP pool of
// fifty, and a large result: 600 thousand rows, or ten million with ARBALEST_COMPAT=full (make compat).
//
// What each client can do is measured besides, feature by feature (features.go): TestFeatures and the suites write a column a
// client, docs/compatibility.md is printed from the columns kept in testdata/columns, and a cell that comes out otherwise than
// it is kept fails the run. `make compat` measures all at full size and keeps it; `go test ./integration/compat -args -rewrite`
// keeps a sample's cells. A harness in another language gets a setting (kit_test.go) and writes its column as JSON into the
// folder that ARBALEST_COMPAT_OUT names (verdict.go). After each client the servers hold nothing: no session, statement,
// transaction, query, task or batch.
//
// The v18 and ADBC Go clients run inside the test process. `make tools` builds what the others need.
package compat
