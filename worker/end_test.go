package worker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// endlessSQL yields rows for longer than any test waits.
const endlessSQL = "SELECT a.c1 + b.c1 + d.c1 AS c0 FROM scan_0 a, scan_0 b, scan_0 d"

func TestEndingAStreamMidway(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 20_000)
	for name, end := range map[string]struct {
		end  func(cancel context.CancelFunc, r flightx.Reader)
		kind qerr.Kind
	}{
		"release": {func(context.CancelFunc, flightx.Reader) { c.release("q release") }, qerr.Cancelled},
		"release for a cause": {func(context.CancelFunc, flightx.Reader) {
			_, err := c.tasks(0).Release(c.ctx(), &pb.ReleaseRequest{QueryId: "q release for a cause", Cause: grpcerr.ToProto(qerr.New(qerr.IO, "a file of its sibling"))})
			if err != nil {
				t.Error(err)
			}
		}, qerr.IO},
		"cancel of the attempt": {func(context.CancelFunc, flightx.Reader) {
			_, err := c.tasks(0).Cancel(c.ctx(), &pb.CancelRequest{Key: &pb.TaskKey{QueryId: "q cancel of the attempt", Attempt: 1},
				Cause: grpcerr.ToProto(qerr.New(qerr.Unavailable, "given up"))})
			if err != nil {
				t.Error(err)
			}
		}, qerr.Unavailable},
		"the client's cancel": {func(cancel context.CancelFunc, _ flightx.Reader) { cancel() }, qerr.Cancelled},
		"the client's close":  {func(_ context.CancelFunc, r flightx.Reader) { _ = r.Close() }, qerr.Cancelled},
		"the connection's end": {func(context.CancelFunc, flightx.Reader) { c.clients.Drop(c.workers[0].cfg.Address) },
			qerr.Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			spec := task("q "+name, 0, 0, endlessSQL, scan(c.split(path)), "BIGINT")
			ctx, cancel := context.WithCancel(c.ctx())
			defer cancel()
			r, err := c.open(ctx, 0, c.ticket(0, spec, direct(spec)))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			batch, err := r.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			batch.Release()
			if c.workers[0].Usage().Running != 1 {
				t.Error("the task does not run")
			}
			end.end(cancel, r)
			// Without another Next: the client is one that does not read.
			c.nothingLeft()
			_, err = readAll(ctx, r)
			wantKind(t, err, end.kind)
		})
	}
}

func TestReleaseInterruptsKeptTasks(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 20_000)
	spec := task("q", 0, 0, "SELECT sum(a.c1 * b.c1 % 7 + d.c1) FROM scan_0 a, scan_0 b, scan_0 d", scan(c.split(path)), "HUGEINT")
	spec.Partitions = 1
	events := c.watch(0)
	c.create(0, spec)
	events.until(spec.Key, pb.TaskState_TASK_STATE_RUNNING)
	c.release("q")
	if u := c.workers[0].Usage(); u.Running != 0 {
		t.Errorf("after Release: %+v", u)
	}
	events.until(spec.Key, pb.TaskState_TASK_STATE_CANCELLED)
}

// A cancelled attempt ends at once, keeps nothing, and cannot come again; the next one can.
func TestCancelFencesAnAttempt(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 20_000)
	spec := task("q", 0, 0, "SELECT sum(a.c1 * b.c1 % 7 + d.c1) FROM scan_0 a, scan_0 b, scan_0 d", scan(c.split(path)), "HUGEINT")
	spec.Partitions = 1
	events := c.watch(0)
	c.create(0, spec)
	events.until(spec.Key, pb.TaskState_TASK_STATE_RUNNING)
	if _, err := c.tasks(0).Cancel(c.ctx(), &pb.CancelRequest{Key: spec.Key}); err != nil {
		t.Fatal(err)
	}
	events.until(spec.Key, pb.TaskState_TASK_STATE_CANCELLED)
	c.nothingLeft()
	_, err := c.tasks(0).Create(c.ctx(), &pb.CreateRequest{Task: spec})
	wantKind(t, grpcerr.FromStatus(err), qerr.Fenced)
	_, err = c.tasks(0).Cancel(c.ctx(), &pb.CancelRequest{})
	wantKind(t, grpcerr.FromStatus(err), qerr.User)
	next := proto.CloneOf(spec)
	next.Key.Attempt++
	c.create(0, next)
	events.until(next.Key, pb.TaskState_TASK_STATE_RUNNING)
	c.release("q")
}

// What is meant for an earlier life of the worker, at the same address, is not for this one: nobody would tell it the query's
// end.
func TestCallsToAnotherLifeAreRefused(t *testing.T) {
	c := newCluster(t, 1, nil)
	spec := task("q", 0, 0, "SELECT 1", nil, "INTEGER")
	_, err := c.tasks(0).Create(c.ctx(), &pb.CreateRequest{Task: spec, Incarnation: "earlier"})
	wantKind(t, grpcerr.FromStatus(err), qerr.Fenced)
	stream, err := c.tasks(0).Watch(c.ctx(), &pb.WatchRequest{CoordinatorId: "c", Incarnation: "earlier"})
	if err == nil {
		_, err = stream.Recv()
	}
	wantKind(t, grpcerr.FromStatus(err), qerr.Fenced)
	c.nothingLeft()
	if _, err := c.tasks(0).Create(c.ctx(), &pb.CreateRequest{Task: spec, Incarnation: string(c.workers[0].cfg.Incarnation)}); err != nil {
		t.Error(err)
	}
	c.release("q")
}

func TestDeadlines(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 20_000)
	soon := func() int64 { return time.Now().Add(100 * time.Millisecond).UnixMilli() }
	events := c.watch(0)

	unread := task("unread", 0, 0, "SELECT 1", scan(c.split(path)), "INTEGER")
	unread.DeadlineUnixMs = soon()
	c.create(0, unread)
	e := events.until(unread.Key, pb.TaskState_TASK_STATE_FAILED)
	wantKind(t, grpcerr.FromProto(e.Error), qerr.Deadline)
	c.release("unread")

	long := task("long", 0, 0, endlessSQL, scan(c.split(path)), "BIGINT")
	long.DeadlineUnixMs = soon()
	r, err := c.open(c.ctx(), 0, c.ticket(0, long, direct(long)))
	if err == nil {
		_, err = readAll(c.ctx(), r)
		_ = r.Close()
	}
	wantKind(t, err, qerr.Deadline)
}

func TestTasksWithoutCoordinatorsEnd(t *testing.T) {
	c := newCluster(t, 1, func(cfg *Config) { cfg.OrphanAfter = 50 * time.Millisecond })
	path := c.write("a.parquet", 0, 20_000)
	// A reader of its own ticket is not concerned.
	own := task("own", 0, 0, endlessSQL, scan(c.split(path)), "BIGINT")
	r, err := c.open(c.ctx(), 0, c.ticket(0, own, direct(own)))
	if err != nil {
		t.Fatal(err)
	}
	kept := task("q", 0, 0, "SELECT sum(a.c1 * b.c1 % 7 + d.c1) FROM scan_0 a, scan_0 b, scan_0 d", scan(c.split(path)), "HUGEINT")
	kept.Partitions = 1
	c.create(0, kept)
	c.create(0, task("q", 1, 0, "SELECT 1", nil, "INTEGER"))
	c.eventually(func() string {
		if u := c.workers[0].Usage(); u.Running != 1 || u.Placed != 0 {
			return fmt.Sprintf("usage is %+v", u)
		}
		return ""
	})
	if batch, err := r.Next(c.ctx()); err != nil {
		t.Error(err)
	} else {
		batch.Release()
	}
	_ = r.Close()
}

// The successor of a fallen coordinator has what it wants; the fallen one is refused, and what it left is ended.
func TestSuccession(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 20_000)
	kept := task("q", 0, 0, "SELECT c1 FROM scan_0", scan(c.split(path)), "BIGINT")
	kept.Partitions, kept.CoordinatorId = 1, "a"
	slow := task("q", 0, 1, "SELECT sum(a.c1 * b.c1 % 7 + d.c1) FROM scan_0 a, scan_0 b, scan_0 d", scan(c.split(path)), "HUGEINT")
	slow.Partitions, slow.CoordinatorId = 1, "a"
	c.create(0, kept)
	c.create(0, slow)
	c.finished(0, kept.Key)
	watch, err := c.tasks(0).Watch(c.ctx(), &pb.WatchRequest{CoordinatorId: "a"})
	if err != nil {
		t.Fatal(err)
	}
	request := &pb.SucceedRequest{CoordinatorId: "b", FallenId: "a", Queries: []*pb.Succession{{QueryId: "q", Epoch: 2, Keep: []*pb.TaskKey{kept.Key}}}}
	for range 2 {
		reply, err := c.tasks(0).Succeed(c.ctx(), request)
		if err != nil || len(reply.GetTasks()) != 1 || reply.GetTasks()[0].GetState() != pb.TaskState_TASK_STATE_FINISHED {
			t.Fatalf("succeed: %v, %v", reply, err)
		}
	}
	c.eventually(func() string {
		if u := c.workers[0].Usage(); u.Running != 0 || u.Kept != 1 {
			return fmt.Sprintf("usage is %+v", u)
		}
		return ""
	})
	for err == nil { // its stream ends
		_, err = watch.Recv()
	}
	again, err := c.tasks(0).Watch(c.ctx(), &pb.WatchRequest{CoordinatorId: "a"})
	if err == nil {
		_, err = again.Recv()
	}
	wantKind(t, grpcerr.FromStatus(err), qerr.Fenced)
	_, err = c.tasks(0).Create(c.ctx(), &pb.CreateRequest{Task: slow})
	wantKind(t, grpcerr.FromStatus(err), qerr.Fenced)
	_, err = c.tasks(0).Release(c.ctx(), &pb.ReleaseRequest{QueryId: "q", CoordinatorId: "a"})
	wantKind(t, grpcerr.FromStatus(err), qerr.Fenced)
	_, err = c.tasks(0).Cancel(c.ctx(), &pb.CancelRequest{Key: kept.Key, CoordinatorId: "a"})
	wantKind(t, grpcerr.FromStatus(err), qerr.Fenced)
	_, err = c.tasks(0).Succeed(c.ctx(), &pb.SucceedRequest{CoordinatorId: "a", FallenId: "b"})
	wantKind(t, grpcerr.FromStatus(err), qerr.Fenced)
	_, err = c.tasks(0).Succeed(c.ctx(), &pb.SucceedRequest{CoordinatorId: "b", FallenId: "b"})
	wantKind(t, grpcerr.FromStatus(err), qerr.User)
	// Another coordinator that says that b has fallen, too, and that nobody wants anything of it any more.
	third, err := c.tasks(0).Watch(c.ctx(), &pb.WatchRequest{CoordinatorId: "c", FallenIds: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := third.Recv(); err != nil {
		t.Fatal(err)
	}
	c.eventually(func() string {
		if u := c.workers[0].Usage(); u.Kept != 0 {
			return fmt.Sprintf("usage is %+v", u)
		}
		return ""
	})
}

func TestDrainAndClose(t *testing.T) {
	c := newCluster(t, 1, nil)
	w := c.workers[0]
	path := c.write("a.parquet", 0, 100)
	kept := task("q", 0, 0, "SELECT c1 FROM scan_0", scan(c.split(path)), "BIGINT")
	kept.Partitions = 1
	c.create(0, kept)
	c.finished(0, kept.Key)
	rows := task("temporary", 0, 0, "SELECT c1 FROM scan_0", scan(c.split(path)), "BIGINT") // of a temporary table: not waited for
	rows.Partitions, rows.Keep = 1, true
	c.create(0, rows)
	c.finished(0, rows.Key)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	wantKind(t, w.Drain(ended), qerr.Cancelled)
	if !w.Record().Draining {
		t.Error("the record does not say draining")
	}
	_, err := c.tasks(0).Create(c.ctx(), &pb.CreateRequest{Task: task("q2", 0, 0, "SELECT 1", nil, "INTEGER")})
	wantKind(t, grpcerr.FromStatus(err), qerr.Unavailable)
	drained := make(chan error, 1)
	go func() { drained <- w.Drain(c.ctx()) }()
	// What is kept is still served.
	r, err := c.open(c.ctx(), 0, c.ticket(0, kept, func(ticket *pb.Ticket) {
		ticket.Audience, ticket.Partitions = pb.Audience_AUDIENCE_EXCHANGE, []uint32{0}
	}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(c.ctx(), r)
	if err != nil || len(got) != 100 {
		t.Fatal(len(got), err)
	}
	_ = r.Close()
	c.release("q")
	if err := <-drained; err != nil {
		t.Fatal(err)
	}
	c.release("temporary")
}

func TestCloseEndsWhatRuns(t *testing.T) {
	c := newCluster(t, 1, nil)
	w := c.workers[0]
	path := c.write("a.parquet", 0, 20_000)
	spec := task("q", 0, 0, endlessSQL, scan(c.split(path)), "BIGINT")
	r, err := w.Open(c.ctx(), c.ticket(0, spec, direct(spec)), "ada")
	if err != nil {
		t.Fatal(err)
	}
	placed := task("q", 0, 1, endlessSQL, scan(c.split(path)), "BIGINT")
	c.create(0, placed)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = r.Next(c.ctx())
	wantKind(t, err, qerr.Unavailable)
	_ = r.Close()
	if u := w.Usage(); u != (Usage{}) {
		t.Errorf("after Close: %+v", u)
	}
	_, err = w.Open(c.ctx(), c.ticket(0, spec, direct(spec)), "ada")
	wantKind(t, err, qerr.Unavailable)
}
