//go:build linux

package chaos

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/integration/chaos/relay"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// A position is where in the plan a fault comes.
type position int

const (
	leaf   position = iota // a task that scans, and reads no other
	middle                 // a task that reads others, and is read by others
	root                   // the task that the client reads, before it has the schema
	positions
)

func (p position) String() string { return [...]string{"leaf", "middle", "root"}[p] }

func positionOf(task *pb.TaskSpec) position {
	switch {
	case task.GetPartitions() == 0:
		return root
	case len(task.GetInputs()) == 0:
		return leaf
	}
	return middle
}

// An attemptID names an attempt of a task of the query under test.
type attemptID struct{ stage, task, attempt uint32 }

func idOf(k *pb.TaskKey) attemptID { return attemptID{k.GetStage(), k.GetTask(), k.GetAttempt()} }

func (a attemptID) String() string {
	return fmt.Sprintf("stage %d task %d attempt %d", a.stage, a.task, a.attempt)
}

// A trigger waits for the first task at a position, and holds what the worker says of it until the fault was made; so nobody
// has heard that the task is done. It is for one query on an otherwise idle cluster.
type trigger struct {
	fault fault
	at    position

	// here is closed when the fault is to be made; made when it was, and over when it was undone, which lets all go on that
	// is held still.
	here, made, over chan struct{}
	// spotted is closed when the victim's task failed, as it is to on a full disk; mended, when there is room again.
	spotted, mended chan struct{}

	mu        sync.Mutex
	query     string
	tasks     map[attemptID]*pb.TaskSpec
	consumers map[string][]attemptID // by the tickets that they were given: tasks that read the same have the same
	claimed   bool
	taken     chan struct{} // closed when the victim's task was taken and the coordinator told
	victim    int
	key       attemptID   // the task that the fault is to hit; of a refused fetch, the producer
	refused   []attemptID // one of them had its fetch refused
	failed    []attemptID // reported as failed by the victim
}

func newTrigger(f fault, at position) *trigger {
	t := &trigger{fault: f, at: at, tasks: map[attemptID]*pb.TaskSpec{}, consumers: map[string][]attemptID{}}
	for _, c := range []*chan struct{}{&t.here, &t.made, &t.over, &t.spotted, &t.mended, &t.taken} {
		*c = make(chan struct{})
	}
	return t
}

// see is the relays' script.
func (t *trigger) see(ctx context.Context, e relay.Event) error {
	t.note(e)
	switch {
	case e.Kind == relay.Fetch && !e.After && t.fault == refusedFetch:
		return t.refuse(e)
	case t.fault == refusedFetch:
		return nil
	case t.fault == fullDisk:
		return t.fill(ctx, e)
	}
	return t.strike(ctx, e)
}

// note remembers what the plan is.
func (t *trigger) note(e relay.Event) {
	if e.Kind != relay.Create || e.After {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.query = e.Key.GetQueryId()
	t.tasks[idOf(e.Key)] = e.Task
	for _, input := range e.Task.GetInputs() {
		for _, p := range input.GetProducers() {
			t.consumers[string(p.GetTicket())] = append(t.consumers[string(p.GetTicket())], idOf(e.Key))
		}
	}
}

// dispatched reports whether the query has tasks that were given to workers, not only one in the client's ticket.
func (t *trigger) dispatched() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.tasks) > 0
}

// claim makes a task the one to hit, when none is yet.
func (t *trigger) claim(e relay.Event) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.claimed {
		return false
	}
	t.claimed, t.victim, t.key = true, e.Worker, idOf(e.Key)
	return true
}

// hit reports whether the event is about the task to hit.
func (t *trigger) hit(e relay.Event) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.claimed && e.Worker == t.victim && idOf(e.Key) == t.key
}

// strike is for what happens to a whole worker: it comes when the worker has the task, and the coordinator knows; of a root
// task, when the client has redeemed its ticket.
func (t *trigger) strike(ctx context.Context, e relay.Event) error {
	switch {
	case e.Kind == relay.Create && !e.After && t.at != root && positionOf(e.Task) == t.at:
		t.claim(e)
	case e.Kind == relay.Create && e.After && t.hit(e):
		context.AfterFunc(ctx, func() { closeOnce(t.taken) })
	case e.Kind == relay.Fetch && !e.After && t.at == root && e.Ticket.GetAudience() == pb.Audience_AUDIENCE_RESULT:
		t.claim(e)
	case e.Kind == relay.Fetch && e.After && t.at == root && t.hit(e):
		closeOnce(t.here)
	case e.Kind == relay.Report && !e.After && t.hit(e):
		if t.at != root {
			if !wait(ctx, t.taken) {
				return nil
			}
			closeOnce(t.here)
		}
		wait(ctx, t.over)
	case e.Kind == relay.Schema && !e.After && t.hit(e):
		wait(ctx, t.over)
	}
	return nil
}

// fill is for a full disk: it is filled before the worker has the task, or the root's reader, and there is room again when the
// task has failed, before the coordinator or the client hears it.
func (t *trigger) fill(ctx context.Context, e relay.Event) error {
	switch {
	case e.Kind == relay.Create && !e.After && t.at != root && positionOf(e.Task) == t.at,
		e.Kind == relay.Fetch && !e.After && t.at == root && e.Ticket.GetAudience() == pb.Audience_AUDIENCE_RESULT:
		if t.claim(e) {
			closeOnce(t.here)
			wait(ctx, t.made)
		}
	case e.Kind == relay.Report && !e.After && e.Report.GetState() == pb.TaskState_TASK_STATE_FAILED && e.Report.GetError().GetKind() == "RESOURCE",
		e.Kind == relay.Refusal && t.hit(e):
		t.mu.Lock()
		if id := idOf(e.Key); t.claimed && e.Worker == t.victim && !slices.Contains(t.failed, id) {
			t.failed = append(t.failed, id)
		}
		t.mu.Unlock()
		if t.hit(e) {
			closeOnce(t.spotted)
			wait(ctx, t.mended)
		}
	}
	return nil
}

// refuse ends one fetch: of a leaf's output, by a middle task, or by the root.
func (t *trigger) refuse(e relay.Event) error {
	if e.Ticket.GetAudience() != pb.Audience_AUDIENCE_EXCHANGE {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	producer, consumers := idOf(e.Key), t.consumers[string(e.Signed)]
	judged := producer
	if t.at != leaf && len(consumers) > 0 {
		judged = consumers[0] // they are of one stage
	}
	if t.claimed || positionOf(t.tasks[judged]) != t.at {
		return nil
	}
	t.claimed, t.victim, t.key, t.refused = true, e.Worker, producer, consumers
	closeOnce(t.here)
	return status.Error(codes.Unavailable, "the fetch was refused on purpose")
}

// readers lists the stages that read a stage, however indirectly.
func (t *trigger) readers(stage uint32) map[uint32]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := map[uint32]bool{}
	for grown := true; grown; {
		grown = false
		for id, task := range t.tasks {
			for _, input := range task.GetInputs() {
				for _, p := range input.GetProducers() {
					from := p.GetKey().GetStage()
					if (from == stage || all[from]) && !all[id.stage] {
						all[id.stage], grown = true, true
					}
				}
			}
		}
	}
	return all
}

// shape says what was seen of the plan, for failures.
func (t *trigger) shape() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := map[position]int{}
	bytes := 0
	for _, task := range t.tasks {
		counts[positionOf(task)]++
		bytes += proto.Size(task)
	}
	return fmt.Sprintf("tasks %v in %d bytes", counts, bytes)
}

// wait waits for a channel's end; false when ctx ended first.
func wait(ctx context.Context, c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

var closing sync.Mutex

// closeOnce closes a channel that may be closed already.
func closeOnce(c chan struct{}) {
	closing.Lock()
	defer closing.Unlock()
	select {
	case <-c:
	default:
		close(c)
	}
}
