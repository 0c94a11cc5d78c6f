package coordinator

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// links are the control streams to the workers: one for each life of a worker that is usable or draining.
type links struct {
	c *Coordinator

	mu      sync.Mutex
	workers map[ids.WorkerID]*link
	waiting map[*Query]struct{} // queries that wait for the first worker
	met     chan struct{}       // closed when a link is up for the first time; nil while nobody waits for that
}

// A link is the control stream to one life of a worker. record never changes.
type link struct {
	record member.Record
	cancel context.CancelCauseFunc
	gone   chan struct{} // closed when the worker left the membership

	// The rest is guarded by links.mu.
	up   bool
	met  bool // it was up once
	load *pb.WorkerLoad
}

func newLinks(c *Coordinator) *links {
	return &links{c: c, workers: map[ids.WorkerID]*link{}, waiting: map[*Query]struct{}{}}
}

// followMembers keeps the links in step with the membership.
func (c *Coordinator) followMembers(ctx context.Context) {
	err := c.cfg.Cluster.Watch(ctx, c.links.reconcile)
	if ctx.Err() == nil {
		c.cfg.Log.Error().Err(err).Msg("the membership can no longer be watched")
	}
}

// reconcile opens links to new lives of workers and ends those of lives that are over.
func (l *links) reconcile(snapshot member.Snapshot) {
	wanted := map[ids.WorkerID]member.Record{}
	for _, m := range snapshot.Members {
		if m.Status == member.Usable || m.Status == member.Draining {
			wanted[m.ID] = m.Record
		}
	}
	defer l.c.workersChanged() // a member may have become usable, or drain, without its link changing
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, old := range l.workers {
		if now, ok := wanted[id]; ok && sameLife(now, old.record) {
			continue
		}
		delete(l.workers, id)
		close(old.gone)
		old.cancel(errLeft)
		l.c.cfg.Clients.Drop(old.record.Address)
	}
	for id, record := range wanted {
		if _, ok := l.workers[id]; !ok {
			l.open(record)
		}
	}
	l.wake() // a member may have become usable without its link changing
}

var errLeft = errors.New("it left the cluster")

func sameLife(a, b member.Record) bool {
	return a.ID == b.ID && a.Incarnation == b.Incarnation && a.Address == b.Address && a.TLS == b.TLS
}

// open starts to follow a worker; mu is held.
func (l *links) open(record member.Record) {
	linkCtx, cancel := context.WithCancelCause(context.Background())
	link := &link{record: record, cancel: cancel, gone: make(chan struct{})}
	started := l.c.group.run(func(ctx context.Context) {
		defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
		defer cancel(nil)
		l.follow(linkCtx, link)
		l.hangUp(link.record.Address)
	})
	if started {
		l.workers[record.ID] = link
	}
}

// hangUp closes the connection to an address where nobody is followed any more: a call that began when its worker was leaving has
// opened it again.
func (l *links) hangUp(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, link := range l.workers {
		if link.record.Address == address {
			return
		}
	}
	l.c.cfg.Clients.Drop(address)
}

// setUp notes that the worker speaks, and starts the queries that waited for one.
func (l *links) setUp(link *link, load *pb.WorkerLoad) {
	l.mu.Lock()
	if load != nil {
		link.load = load
	}
	if link.up {
		l.mu.Unlock()
		return
	}
	link.up, link.met = true, true
	if l.met != nil {
		close(l.met)
		l.met = nil
	}
	l.wake()
	l.mu.Unlock()
	l.c.workersChanged()
	l.c.payOwed(link.record)
}

// wake starts the queries that wait for a worker once more; mu is held.
func (l *links) wake() {
	for q := range l.waiting {
		l.c.group.run(func(context.Context) { l.c.start(q) })
	}
	clear(l.waiting)
}

// setDown reports whether the worker was up.
func (l *links) setDown(link *link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := link.up
	link.up = false
	return was
}

// usableOrWait lists the workers that may be given tasks, sorted by id; when there is none, the query is started again as
// soon as one is up.
func (l *links) usableOrWait(q *Query) []member.Record {
	members := l.c.cfg.Cluster.Members().Usable()
	l.mu.Lock()
	defer l.mu.Unlock()
	usable := l.usable(members)
	if len(usable) == 0 && q != nil {
		l.waiting[q] = struct{}{}
	}
	return usable
}

// usable keeps the members whose control stream is up; mu is held.
func (l *links) usable(members []member.Member) []member.Record {
	var usable []member.Record
	for _, m := range members {
		if link, ok := l.workers[m.ID]; ok && link.up && sameLife(link.record, m.Record) {
			usable = append(usable, m.Record)
		}
	}
	return usable
}

// isUp reports whether this life of the worker is followed right now.
func (l *links) isUp(record member.Record) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	link, ok := l.workers[record.ID]
	return ok && link.up && sameLife(link.record, record)
}

// find returns the link of a worker; nil when it is gone.
func (l *links) find(id ids.WorkerID) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.workers[id]
}

// meet waits until every worker has been up once, or ctx ends or the time is over: a coordinator that has just begun knows workers by
// name only.
func (l *links) meet(ctx context.Context, atMost time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	for {
		members := l.c.cfg.Cluster.Members().Members
		l.mu.Lock()
		strange := slices.ContainsFunc(members, func(m member.Member) bool {
			link, ok := l.workers[m.ID]
			return (m.Status == member.Usable || m.Status == member.Draining) && (!ok || !link.met)
		})
		if strange && l.met == nil {
			l.met = make(chan struct{})
		}
		met := l.met
		l.mu.Unlock()
		if !strange {
			return
		}
		select {
		case <-met:
		case <-ctx.Done():
			return
		}
	}
}

// all lists the links to workers that are in the membership.
func (l *links) all() []*link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.workers))
}

// forget takes an ended query out of those that wait for a worker.
func (l *links) forget(q *Query) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waiting, q)
}

// loads returns what each followed worker said last of its load, and whether its stream is up.
func (l *links) loads() map[ids.WorkerID]linkState {
	l.mu.Lock()
	defer l.mu.Unlock()
	states := make(map[ids.WorkerID]linkState, len(l.workers))
	for id, link := range l.workers {
		states[id] = linkState{incarnation: link.record.Incarnation, up: link.up, load: link.load}
	}
	return states
}

type linkState struct {
	incarnation ids.Incarnation
	up          bool
	load        *pb.WorkerLoad
}

func (l *links) sizes() (all, up, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, link := range l.workers {
		if link.up {
			up++
		}
	}
	return len(l.workers), up, len(l.waiting)
}
