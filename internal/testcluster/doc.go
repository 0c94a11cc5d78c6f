// Package testcluster runs a whole Arbalest in one process, for integration tests: a coordinator and workers with real
// engines, talking over loopback listeners exactly as separate processes would.
//
//	c := testcluster.Start(t, testcluster.Options{Workers: 3, Data: dir})
//	rows := c.Rows(t, "SELECT k, count(*) FROM t GROUP BY k")
//	c.Idle(t) // nothing is left: no task, batch, connection, goroutine
//
// Everything is closed by the test's cleanup. Tests that want the Flight SQL door give one by Options.Door.
package testcluster
