// Package soak runs many queries of every sort over a long time and watches what the processes hold: nothing may grow.
//
// The test runs a small sample; `make soak` runs 50,000 queries (SOAK=n: another number). At least half of them have an
// exchange, a tenth spills, and some fail, are cancelled, killed by KILL, or left by clients that disconnect. In the first tenth
// a worker process is killed and started again. Several times in each tenth the clients pause until the cluster is idle and gives no
// more memory back, and resident memory, goroutines and descriptors of every process are read; the medians of each tenth after the
// first are held to that of the second. What processes take while queries run is read too, and printed beside.
package soak
