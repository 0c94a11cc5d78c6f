package testcluster

import (
	"slices"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A worker that hangs costs time only, whoever waits for it: the coordinator, or a consumer that fetches from it. When it goes
// on, it keeps nothing of what it had.
func TestHungWorkerIsReplaced(t *testing.T) {
	for name, point := range map[string]struct {
		sql  string
		wait func(c *Cluster, q *coordinator.Query)
	}{
		"leaf": {heavy, func(c *Cluster, _ *coordinator.Query) {
			c.eventually("the last worker has a leaf", func() bool {
				u := c.Workers[2].Worker.Usage()
				return u.Running+u.Kept > 0
			})
		}},
		"placed": {grouped, func(c *Cluster, q *coordinator.Query) { _ = q.Ready(c.t.Context()) }},
	} {
		t.Run(name, func(t *testing.T) {
			c := Start(t, Options{Workers: 3, Data: writeTables(t), Lease: 4 * time.Second, Limits: coordinator.Limits{PingSilenceMax: 2500 * time.Millisecond}})
			want := c.sorted(t, point.sql)
			q, err := c.Submit(t, point.sql, trying(t, 4))
			if err != nil {
				t.Fatal(err)
			}
			point.wait(c, q)
			goOn := c.Workers[2].Hang()
			rows, err := c.readAll(t, q)
			if err != nil || !slices.Equal(rows, want) {
				t.Errorf("%s, %v (%s); want %s", clip(rows), err, qerr.KindOf(err), clip(want))
			}
			goOn()
			c.eventually("the worker is followed again", func() bool { return c.Coordinator.Usage().LinksUp == 3 })
			c.Idle(t)
			if rows := c.sorted(t, point.sql); !slices.Equal(rows, want) {
				t.Errorf("afterwards %s, want %s", clip(rows), clip(want))
			}
			c.Idle(t)
		})
	}
}
