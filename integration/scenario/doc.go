// Package scenario is the common script of all clients under compatibility test: a plan of steps as JSON in, a report and
// the results as files out. A client in any language runs the plan with its own library and judges nothing; the Go test
// compares what it wrote with the oracle.
//
//	plan.json ──► client (Python, Java, Go v15, Go v18, ADBC) ──► report.json, <step>.arrow or <step>.json
//
// Step kinds: "query" keeps the result; "execute" runs for the effect; "params" binds one row of parameters to a prepared
// statement; "partitions" reads a distributed result endpoint by endpoint, where the client has such a call; "cancel"
// starts, cancels after AfterMillis, and reports how it ended. Every fault is a result of its step, never the end of the run.
package scenario
