package cluster_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/clustertest"
	"github.com/arbalest-sql/arbalest/internal/cluster/memory"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A fleet that comes or goes at once is told in few snapshots, whatever its size, the last of which has all of it; a change that
// comes alone is told without delay.
func TestWatchGathersChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const fleet = 1000
		membership := memory.New(memory.Config{})
		c := cluster.New(membership, member.Requirement{Protocol: 1, DuckDB: "v1.5.5"})
		ctx, cancel := context.WithCancel(t.Context())
		told, members := 0, 0
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = c.Watch(ctx, func(s member.Snapshot) { told, members = told+1, len(s.Members) })
		}()
		quiet := func() {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		quiet()
		told = 0

		begin := time.Now()
		var seats []*memory.Embedded
		for i := range fleet {
			if i == 1 {
				synctest.Wait()
				if told != 1 || members != 1 {
					t.Errorf("the first change was told %d times, with %d members", told, members)
				}
			}
			seat, err := membership.Add(clustertest.Record(fmt.Sprint("w", i), "1"))
			if err != nil {
				t.Fatal(err)
			}
			seats = append(seats, seat)
			if i%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		quiet()
		if members != fleet {
			t.Errorf("%d members were told of %d", members, fleet)
		}
		for _, seat := range seats {
			_ = seat.Close()
		}
		quiet()
		if members != 0 {
			t.Errorf("%d members were told after all had left", members)
		}
		if told > 10 {
			t.Errorf("%d changes in %s were told in %d snapshots", 2*fleet, time.Since(begin), told)
		}
		cancel()
		<-ended
		_ = membership.Close()
	})
}

// A driver that keeps no records says so.
func TestNoLedger(t *testing.T) {
	membership := memory.New(memory.Config{})
	defer func() { _ = membership.Close() }()
	if _, err := cluster.New(membership, member.Requirement{}).Ledger(); !qerr.Is(err, qerr.Unsupported) {
		t.Errorf("the memory's ledger: %v, want UNSUPPORTED", err)
	}
}
