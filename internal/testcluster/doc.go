// Package testcluster runs a whole Arbalest in one process, for integration tests: a coordinator and workers with real
// engines, talking over loopback listeners exactly as separate processes would.
//
//	c := testcluster.Start(t, testcluster.Options{Workers: 3, Data: dir})
//	rows := c.Rows(t, "SELECT k, count(*) FROM t GROUP BY k")
//	c.Idle(t) // nothing is left: no task, batch, connection, goroutine
//
// Faults are injected by what they hit and how often: Inject breaks or slows the streams that workers serve, Hang stops a worker
// for a while, Kill ends it. An injected fault that never fires fails the test.
//
// Everything is closed by the test's cleanup. Tests that want the Flight SQL door give one by Options.Door.
package testcluster
