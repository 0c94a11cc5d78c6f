package fleet

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
)

// A coordinator that stands still for longer than its lease is taken for dead. When it goes on, it finds that out and ends; what it
// began has been finished by another one meanwhile, for the client that polls it there.
func TestOwnerHangs(t *testing.T) {
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	long := longQueries()[:1]
	want, err := ask(t, data, long)[long[0].Name].Rows()
	if err != nil {
		t.Fatal(err)
	}
	servers := etcdtest.Start(t, 1)
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: 2, Standby: 1, Flags: []string{"--coordinator-lease", "9s"}, WorkFlags: []string{"--log-level", "debug"}, Meet: []string{
		"--cluster", "etcd://" + strings.Join(servers.Endpoints(), ",") + "/hang", "--cluster-key", keyFile(t)}})
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	hung, other := cluster.Door, distributed(ctx, t, cluster.Standby[0])
	first := distributed(ctx, t, hung)
	poll, err := first.SQL.ExecutePoll(ctx, long[0].SQL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := hung.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if poll.GetFlightDescriptor() == nil {
		t.Log("the query was complete before its coordinator hung")
	}
	for poll.GetFlightDescriptor() != nil {
		if poll, err = other.SQL.ExecutePoll(ctx, long[0].SQL, poll.GetFlightDescriptor()); err != nil {
			t.Fatalf("polled at another coordinator: %v", err)
		}
	}
	r, err := other.Read(ctx, poll.GetInfo())
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	defer r.Release()
	if err := oracle.Compare(want, oracle.FromBatches(r.Schema, r.Batches)); err != nil {
		t.Error(err)
	}
	await(ctx, t, "the hung one is succeeded", func() bool { return succeeded(t, cluster.Standby) == 1 })
	if err := hung.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-hung.Ended():
	case <-ctx.Done():
		t.Fatal("the fallen coordinator goes on")
	}
	hung.Kill() // its end is no fault of the test's
	if log := hung.LogTail(); !strings.Contains(log, "another coordinator has taken over") {
		t.Errorf("the fallen coordinator does not say why it ended:\n%s", log)
	}
	for _, w := range cluster.Workers {
		history, err := historyOf(w.LogPath)
		if err != nil {
			t.Fatal(err)
		}
		faults, _ := checkHistory(history)
		for _, fault := range faults {
			t.Errorf("%s: %s", w.Name, fault)
		}
	}
}
