package cluster

import (
	"context"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/member"
)

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
// overtaken meanwhile are skipped. It returns the cause when ctx ends, or an error once the driver was closed.
func (c *Cluster) Watch(ctx context.Context, changed func(member.Snapshot)) error {
	for {
		snapshot := c.Members()
		changed(snapshot)
		if err := c.driver.Wait(ctx, snapshot.Version); err != nil {
			return err
		}
	}
}
