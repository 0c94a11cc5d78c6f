package clustertest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// A Harness makes fixtures of one driver.
type Harness struct {
	// Run runs the test with a fresh fixture. A driver without real I/O runs it in a synctest bubble, so that leases take
	// no time.
	Run func(t *testing.T, test func(t *testing.T, f Fixture))
	// LeaseTTL is how long a worker may be silent.
	LeaseTTL time.Duration
}

// A Fixture is one membership and the means to join it.
type Fixture interface {
	// Driver is the membership as a coordinator has it. The fixture closes it.
	Driver() driver.Driver
	// Join makes a worker join, by the real worker side of the driver, and keeps its lease.
	Join(record *pb.WorkerRecord) Worker
}

// A Clocked fixture is one of a driver whose worker side reads a clock. The others read none, which package lint sees to.
type Clocked interface {
	Fixture
	// JoinAt is Join for a worker with a clock of its own.
	JoinAt(record *pb.WorkerRecord, clock func() time.Time) Worker
}

// A Worker is the worker side of one membership.
type Worker interface {
	// Update tells a changed record.
	Update(record *pb.WorkerRecord)
	// Silence lets the worker neither speak nor leave any more: as a process that hangs.
	Silence()
	// Leave ends the membership.
	Leave()
}

// need is the requirement of the coordinators in the suite.
var need = member.Requirement{Protocol: 1, DuckDB: "v1.5.5"}

// Record returns a complete record of a worker, for harnesses' own tests too.
func Record(id, incarnation string, change ...func(*pb.WorkerRecord)) *pb.WorkerRecord {
	r := &pb.WorkerRecord{
		WorkerId: id, Incarnation: incarnation, Address: id + ".example:1", Advertised: id + ".example:2",
		ProtocolVersion: 1, DuckdbVersion: "v1.5.5", HashVector: []byte("hash"), Threads: 2, MemoryBytes: 1 << 30, Version: "test",
	}
	for _, c := range change {
		c(r)
	}
	return r
}

// RunConformance checks a driver against the contract in package driver.
func RunConformance(t *testing.T, h Harness) {
	tests := map[string]func(t *testing.T, f Fixture, h Harness){
		"empty":          testEmpty,
		"join and leave": testJoinAndLeave,
		"whole record":   testWholeRecord,
		"lease":          testLease,
		"drain":          testDrain,
		"incompatible":   testIncompatible,
		"duplicate":      testDuplicate,
		"rejoin":         testRejoin,
		"clock skew":     testClockSkew,
		"flapping":       testFlapping,
		"watch":          testWatch,
		"close":          testClose,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h.Run(t, func(t *testing.T, f Fixture) { test(t, f, h) })
		})
	}
}

// patience bounds every wait; in a bubble it takes no time.
func patience(h Harness) time.Duration { return 3*h.LeaseTTL + time.Minute }

func show(s member.Snapshot) string {
	var parts []string
	for _, m := range s.Members {
		parts = append(parts, fmt.Sprintf("%s/%s=%s", m.ID, m.Incarnation, m.Status))
	}
	return strings.Join(parts, " ")
}

// await waits until the snapshot looks as wanted, woken by the driver alone.
func await(t *testing.T, f Fixture, h Harness, want string) member.Snapshot {
	t.Helper()
	c := cluster.New(f.Driver(), need)
	ctx, cancel := context.WithTimeout(t.Context(), patience(h))
	defer cancel()
	for {
		s := c.Members()
		if show(s) == want {
			return s
		}
		if err := f.Driver().Wait(ctx, s.Version); err != nil {
			t.Fatalf("members are %q, want %q: %v", show(s), want, err)
		}
	}
}

func testEmpty(t *testing.T, f Fixture, h Harness) {
	await(t, f, h, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	version, _ := f.Driver().Records()
	if err := f.Driver().Wait(ctx, version); err == nil {
		t.Error("Wait returned without a change and without an error")
	}
}

func testJoinAndLeave(t *testing.T, f Fixture, h Harness) {
	a := f.Join(Record("a", "1"))
	f.Join(Record("b", "1"))
	await(t, f, h, "a/1=usable b/1=usable")
	a.Leave()
	await(t, f, h, "b/1=usable")
}

func testWholeRecord(t *testing.T, f Fixture, h Harness) {
	r := Record("a", "1", func(r *pb.WorkerRecord) { r.Tls, r.Threads, r.MemoryBytes = true, 7, 12345 })
	f.Join(r)
	s := await(t, f, h, "a/1=usable")
	if got, want := s.Members[0].Record, cluster.FromProto(r); got != want {
		t.Errorf("the record came as %+v, want %+v", got, want)
	}
}

func testLease(t *testing.T, f Fixture, h Harness) {
	a := f.Join(Record("a", "1"))
	f.Join(Record("b", "1"))
	await(t, f, h, "a/1=usable b/1=usable")
	a.Silence()
	await(t, f, h, "b/1=usable")
	time.Sleep(3 * h.LeaseTTL) // b keeps its lease by itself; in a bubble this takes no time
	await(t, f, h, "b/1=usable")
}

func testDrain(t *testing.T, f Fixture, h Harness) {
	a := f.Join(Record("a", "1"))
	await(t, f, h, "a/1=usable")
	a.Update(Record("a", "1", func(r *pb.WorkerRecord) { r.Draining = true }))
	await(t, f, h, "a/1=draining")
	a.Leave()
	await(t, f, h, "")
}

func testIncompatible(t *testing.T, f Fixture, h Harness) {
	f.Join(Record("a", "1"))
	f.Join(Record("b", "1", func(r *pb.WorkerRecord) { r.HashVector = []byte("other") }))
	f.Join(Record("c", "1", func(r *pb.WorkerRecord) { r.ProtocolVersion = 99 }))
	f.Join(Record("d", "1", func(r *pb.WorkerRecord) { r.DuckdbVersion = "v0.0.1" }))
	f.Join(Record("e", "1", func(r *pb.WorkerRecord) { r.HashVector = nil }))
	s := await(t, f, h, "a/1=usable b/1=incompatible c/1=incompatible d/1=incompatible e/1=starting")
	for _, m := range s.Members[1:] {
		if m.Reason == "" {
			t.Errorf("%s is %s without a reason", m.ID, m.Status)
		}
	}
}

func testDuplicate(t *testing.T, f Fixture, h Harness) {
	first := f.Join(Record("a", "1"))
	await(t, f, h, "a/1=usable")
	f.Join(Record("a", "2"))
	await(t, f, h, "a/1=usable a/2=duplicate")
	first.Leave()
	await(t, f, h, "a/2=usable")
}

// A worker that lost its connection joins again under its incarnation: one member, not two, and the late end of its old
// stream does not remove it.
func testRejoin(t *testing.T, f Fixture, h Harness) {
	old := f.Join(Record("a", "1"))
	f.Join(Record("a", "0")) // a younger namesake, to see that the place in the order is kept
	await(t, f, h, "a/0=duplicate a/1=usable")
	old.Silence()
	f.Join(Record("a", "1", func(r *pb.WorkerRecord) { r.Threads = 9 }))
	old.Leave()
	time.Sleep(2 * h.LeaseTTL)
	s := await(t, f, h, "a/0=duplicate a/1=usable")
	if got := s.Members[1].Threads; got != 9 {
		t.Errorf("the record is still the first one's: threads=%d", got)
	}
}

// joinOff makes a worker join whose clock is off by so much.
func joinOff(f Fixture, record *pb.WorkerRecord, off time.Duration) Worker {
	if c, ok := f.(Clocked); ok {
		return c.JoinAt(record, func() time.Time { return time.Now().Add(off) })
	}
	return f.Join(record)
}

// Workers whose clocks are minutes ahead and behind stay as long as they live, leave as soon as others once they are silent, and may
// come back.
func testClockSkew(t *testing.T, f Fixture, h Harness) {
	ahead := joinOff(f, Record("ahead", "1"), auth.ClockSkewMax)
	behind := joinOff(f, Record("behind", "1"), -auth.ClockSkewMax)
	f.Join(Record("right", "1"))
	await(t, f, h, "ahead/1=usable behind/1=usable right/1=usable")
	time.Sleep(2 * h.LeaseTTL) // each keeps its lease; in a bubble this takes no time
	await(t, f, h, "ahead/1=usable behind/1=usable right/1=usable")
	ahead.Silence()
	behind.Silence()
	await(t, f, h, "right/1=usable")
	joinOff(f, Record("ahead", "2"), auth.ClockSkewMax)
	joinOff(f, Record("behind", "2"), -auth.ClockSkewMax)
	await(t, f, h, "ahead/2=usable behind/2=usable right/1=usable")
}

func testFlapping(t *testing.T, f Fixture, h Harness) {
	f.Join(Record("b", "1"))
	for i := range 20 {
		incarnation := fmt.Sprint(i)
		w := f.Join(Record("a", incarnation))
		await(t, f, h, "a/"+incarnation+"=usable b/1=usable")
		w.Leave()
		await(t, f, h, "b/1=usable")
	}
}

func testWatch(t *testing.T, f Fixture, h Harness) {
	c := cluster.New(f.Driver(), need)
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan member.Snapshot, 100)
	ended := make(chan error, 1)
	go func() { ended <- c.Watch(ctx, func(s member.Snapshot) { seen <- s }) }()

	var last uint64
	expect := func(want string) {
		t.Helper()
		timeout := time.After(patience(h))
		for {
			select {
			case s := <-seen:
				if s.Version < last {
					t.Errorf("version went back from %d to %d", last, s.Version)
				}
				last = s.Version
				if show(s) == want {
					return
				}
			case <-timeout:
				t.Fatalf("watch never showed %q", want)
			}
		}
	}
	expect("")
	w := f.Join(Record("a", "1"))
	expect("a/1=usable")
	w.Silence()
	expect("")
	cancel()
	if err := <-ended; err == nil {
		t.Error("Watch returned no error at the end of its context")
	}
}

func testClose(t *testing.T, f Fixture, h Harness) {
	f.Join(Record("a", "1"))
	await(t, f, h, "a/1=usable")
	for range 2 {
		if err := f.Driver().Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := f.Driver().Wait(t.Context(), 1<<62); err == nil {
		t.Error("Wait on a closed driver returned no error")
	}
}
