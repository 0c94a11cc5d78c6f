package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// gatherTime is the least time between two snapshots that Watch tells. Judging a membership and following it costs its size: told at
// each change, a fleet that starts, flaps or leaves would cost its size squared. It is far below what a lost worker takes to be
// noticed.
const gatherTime = 20 * time.Millisecond

// A Cluster is the membership as one coordinator judges it. All methods may be called concurrently.
type Cluster struct {
	driver driver.Driver
	need   member.Requirement

	mu     sync.Mutex
	judged member.Snapshot // of the newest version asked for; guarded by mu
	valid  bool
}

// New returns the membership of a driver, judged by what the coordinator needs. The driver stays the caller's to close.
func New(d driver.Driver, need member.Requirement) *Cluster {
	return &Cluster{driver: d, need: need}
}

// Ledger is what the coordinators share beside the workers. The error has kind Unsupported when the driver has none: then
// queries end with their coordinator.
func (c *Cluster) Ledger() (driver.Ledger, error) {
	if ledger, ok := c.driver.(driver.Ledger); ok {
		return ledger, nil
	}
	return nil, qerr.New(qerr.Unsupported, "this kind of membership keeps no records of queries: they end with their coordinator")
}

// Members is the newest snapshot. It costs nothing while the membership does not change.
func (c *Cluster) Members() member.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	version, joined := c.driver.Records()
	if !c.valid || c.judged.Version != version {
		c.judged, c.valid = member.NewSnapshot(version, c.need, joined), true
	}
	return c.judged
}

// Watch calls changed with the newest snapshot, at once and after each change, never concurrently with itself; snapshots
// overtaken meanwhile are skipped, and changes that follow one another closely are told together. It returns the cause when ctx ends, or an error once the driver was closed.
func (c *Cluster) Watch(ctx context.Context, changed func(member.Snapshot)) error {
	for {
		snapshot := c.Members()
		changed(snapshot)
		told := time.Now()
		if err := c.driver.Wait(ctx, snapshot.Version); err != nil {
			return err
		}
		if gather := gatherTime - time.Since(told); gather > 0 {
			select {
			case <-time.After(gather):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}
