package testcluster

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/worker"
)

// goroutineSlack is how many goroutines more than at the first Idle are no leak: connections that a first use opened keep
// a reader and a writer at each end, one pair a pair of nodes.
const goroutineSlack = 40

// Idle waits until nothing of any query is left anywhere, or fails the test saying what is: no live query, no release under
// way, no task, no kept output, no batch, no engine connection, no goroutine.
func (c *Cluster) Idle(t testing.TB) {
	t.Helper()
	c.eventually("the cluster is idle", c.isIdle)
	if now := runtime.NumGoroutine(); c.idle == 0 {
		c.idle = now
	}
	c.eventually("the goroutines of queries have ended", func() bool { return runtime.NumGoroutine() <= c.idle+goroutineSlack })
}

func (c *Cluster) isIdle() bool {
	u := c.Coordinator.Usage()
	u.Ended, u.Links, u.LinksUp = 0, 0, 0
	if u != (coordinator.Usage{}) {
		return false
	}
	for _, n := range c.Workers {
		if n.ended {
			continue
		}
		w := n.Worker.Usage()
		w.Watchers = 0
		engine := n.Engine.Usage()
		if w != (worker.Usage{}) || engine.Connections != 0 || engine.Inputs != 0 || engine.Batches != 0 || engine.Bytes != 0 || engine.TempBytes != 0 {
			return false
		}
	}
	return true
}

// describe says what everybody holds, for failures.
func (c *Cluster) describe() string {
	var b strings.Builder
	if c.Coordinator != nil {
		fmt.Fprintf(&b, "coordinator %+v\n", c.Coordinator.Usage())
	}
	for _, n := range c.Workers {
		if !n.ended {
			fmt.Fprintf(&b, "%s %+v engine %+v\n", n.ID, n.Worker.Usage(), n.Engine.Usage())
		}
	}
	fmt.Fprintf(&b, "goroutines %d, idle %d\n", runtime.NumGoroutine(), c.idle)
	return b.String()
}
