package testcluster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A fetch that fails at its begin or midway has its producer run again and nothing else, and fails the query with a typed error
// when tasks are tried once.
func TestFailedFetch(t *testing.T) {
	for _, after := range []int{0, 1} {
		for _, attempts := range []int{4, 1} {
			t.Run(fmt.Sprintf("after=%d/attempts=%d", after, attempts), func(t *testing.T) {
				c := Start(t, Options{Workers: 3, Data: writeTables(t)})
				want := c.sorted(t, grouped)
				fired := c.Inject(t, Fault{Audience: pb.Audience_AUDIENCE_EXCHANGE, Stage: 0, After: after, Budget: 1,
					Err: qerr.New(qerr.IO, "a spool that cannot be read")})
				q, err := c.Submit(t, grouped, trying(t, attempts))
				if err != nil {
					t.Fatal(err)
				}
				rows, err := c.readAll(t, q)
				if attempts == 1 {
					if !qerr.Is(err, qerr.Unavailable) {
						t.Errorf("with one attempt: %v (%s)", err, qerr.KindOf(err))
					}
					c.Idle(t)
					return
				}
				if err != nil || !slices.Equal(rows, want) {
					t.Errorf("%s, %v; want %s", clip(rows), err, clip(want))
				}
				c.Idle(t)
				if got := c.Rows(t, "SELECT count(*) FROM sys.tasks WHERE stage = 0 AND state = 'failed' AND query_id = '"+string(q.ID())+"'"); got[0] != "1" || fired() != 1 {
					t.Errorf("%s producers failed for %d faults", got[0], fired())
				}
			})
		}
	}
}

// A slow link costs time only.
func TestSlowFetch(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	want := c.sorted(t, grouped)
	c.Inject(t, Fault{Audience: pb.Audience_AUDIENCE_EXCHANGE, Stage: -1, Budget: 2, Delay: 200 * time.Millisecond})
	q, err := c.Submit(t, grouped, trying(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := c.readAll(t, q); err != nil || !slices.Equal(rows, want) {
		t.Errorf("%s, %v; want %s", clip(rows), err, clip(want))
	}
	c.Idle(t)
}
