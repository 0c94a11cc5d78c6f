// Package load holds the test of many clients at once: right results under concurrency, cancels and disconnects, and
// nothing left in any process afterwards.
package load
