package worker

import (
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

var explainColumns = []table.Column{{Name: "explain_key", Type: table.Of(table.Varchar)}, {Name: "explain_value", Type: table.Of(table.Varchar)}}

// events is a watch stream being read.
type events struct {
	c      *cluster
	stream grpc.ServerStreamingClient[pb.WatchEvent]
}

func (c *cluster) watch(i int) *events {
	c.t.Helper()
	stream, err := c.tasks(i).Watch(c.ctx(), &pb.WatchRequest{CoordinatorId: "c"})
	if err != nil {
		c.t.Fatal(err)
	}
	e := &events{c, stream}
	e.next() // the first ping: the watch is in place
	return e
}

func (e *events) next() *pb.WatchEvent {
	e.c.t.Helper()
	event, err := e.stream.Recv()
	if err != nil {
		e.c.t.Fatal(err)
	}
	return event
}

// until reads up to the event that says that a task is in a state.
func (e *events) until(key *pb.TaskKey, state pb.TaskState) *pb.TaskEvent {
	e.c.t.Helper()
	for {
		if task := e.next().GetTask(); proto.Equal(task.GetKey(), key) && task.GetState() == state {
			return task
		}
	}
}

func TestWatchersHearEverything(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 100_000)
	spec := task("q", 0, 0, "SELECT c1, c2 FROM scan_0", scan(c.split(path)), "BIGINT", "VARCHAR")
	first, second := c.watch(0), c.watch(0)
	c.create(0, spec)
	for _, w := range []*events{first, second} {
		w.until(spec.Key, pb.TaskState_TASK_STATE_PLACED)
	}
	// One that comes later hears of what is there.
	c.watch(0).until(spec.Key, pb.TaskState_TASK_STATE_PLACED)
	c.rows(0, c.ticket(0, spec, nil))
	for _, w := range []*events{first, second} {
		w.until(spec.Key, pb.TaskState_TASK_STATE_RUNNING)
		done := w.until(spec.Key, pb.TaskState_TASK_STATE_FINISHED)
		if done.Rows != 100_000 || done.Bytes == 0 || !done.SchemaSent || done.ElapsedNs <= 0 || done.Progress != 1 {
			t.Errorf("finished with %v", done)
		}
	}
	for {
		if load := first.next().GetLoad(); load != nil && load.RunningTasks == 0 {
			break
		}
	}
	c.release("q")
	c.eventually(func() string {
		if n := c.workers[0].Usage().Watchers; n != 3 {
			return "watchers are missing"
		}
		return ""
	})
}

// A watcher hears which of its queries have tasks here: neither another's, nor those that clients brought themselves.
func TestPingsTellWhatIsHeld(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 20_000)
	pings := c.watch(0)
	for query, owner := range map[string]string{"q1": "c", "q2": "c", "q3": "d"} {
		spec := task(query, 0, 0, "SELECT 1", nil, "INTEGER")
		spec.CoordinatorId = owner
		c.create(0, spec)
	}
	own := task("own", 0, 0, endlessSQL, scan(c.split(path)), "BIGINT")
	own.CoordinatorId = "c"
	r, err := c.open(c.ctx(), 0, c.ticket(0, own, direct(own)))
	if err != nil {
		t.Fatal(err)
	}
	holds := func(want ...string) {
		t.Helper()
		for { // the cluster's patience ends it
			if e := pings.next(); e.GetLoad() != nil && slices.Equal(e.GetHeldQueryIds(), want) {
				return
			}
		}
	}
	holds("q1", "q2")
	c.release("q1")
	holds("q2")
	c.release("q2")
	holds()
	c.release("q3")
	_ = r.Close()
}

// TestKeptTasksTellTheirProgress hears of rows, bytes and progress of a task that is running.
func TestKeptTasksTellTheirProgress(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 20_000)
	spec := task("q", 0, 0, "SELECT a.c1 + b.c1 FROM scan_0 a, scan_0 b", scan(c.split(path)), "BIGINT")
	spec.Partitions = 1
	events := c.watch(0)
	c.create(0, spec)
	defer c.release("q")
	for {
		if e := events.next().GetTask(); e.GetState() == pb.TaskState_TASK_STATE_RUNNING && e.GetRows() > 0 && e.GetBytes() > 0 && e.GetProgress() > 0 {
			if e.Progress > 1 || e.Rows > 400_000_000 {
				t.Errorf("progress %v", e)
			}
			return
		} else if e != nil && e.GetState() != pb.TaskState_TASK_STATE_RUNNING {
			t.Fatalf("no progress before %v", e)
		}
	}
}

func TestASlowWatcherGetsTheNewestOfEachTask(t *testing.T) {
	h := newHub()
	key := func(n int) ids.TaskKey { return ids.TaskKey{Query: "q", Task: ids.TaskIndex(n)} }
	w := h.watch("c", []lifecycle.Event{{Key: key(0), State: lifecycle.Placed}})
	h.publish([]lifecycle.Event{{Key: key(1), State: lifecycle.Placed}, {Key: key(0), State: lifecycle.Running}})
	h.publish([]lifecycle.Event{{Key: key(0), State: lifecycle.Finished}})
	<-w.wake
	got, ok := w.take()
	if !ok || len(got) != 2 || got[0].Key != key(0) || got[0].State != lifecycle.Finished || got[1].State != lifecycle.Placed {
		t.Fatalf("%v, %t", got, ok)
	}
	if got, _ := w.take(); len(got) != 0 {
		t.Fatalf("events came twice: %v", got)
	}
	var many []lifecycle.Event
	for i := range pendingMax + 1 {
		many = append(many, lifecycle.Event{Key: key(i)})
	}
	h.publish(many)
	if _, ok := w.take(); ok {
		t.Fatal("a watcher that fell behind without bound was not cut off")
	}
	h.publish(many[:1])
	w.leave()
	if h.watchers() != 0 {
		t.Fatal("a watcher is left")
	}
	h.close()
	if h.watch("c", nil) != nil {
		t.Fatal("a closed hub takes watchers")
	}
}
