package coordinator

import (
	"sync"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// registry holds the live queries, and the last ended ones for sys.queries.
type registry struct {
	liveMax, endedMax int

	mu      sync.Mutex
	closed  bool
	empty   chan struct{} // closed when the registry is closed and no query is live but those at rest
	running map[ids.QueryID]*Query
	resting map[ids.QueryID]struct{} // of running: rows of temporary tables, which last as long as their sessions like
	ended   map[ids.QueryID]*Query
	ring    []ids.QueryID // ids of ended, oldest at next
	next    int
}

func newRegistry(liveMax, endedMax int) *registry {
	return &registry{liveMax: liveMax, endedMax: endedMax, empty: make(chan struct{}), running: map[ids.QueryID]*Query{}, resting: map[ids.QueryID]struct{}{}, ended: map[ids.QueryID]*Query{}}
}

// add makes a query live. Past the bound it is refused: its client may try again.
func (r *registry) add(q *Query) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return errStopping
	case len(r.running) >= r.liveMax:
		return qerr.New(qerr.Unavailable, "the coordinator holds %d queries that are running, waiting or unread, which is its limit; try again later", r.liveMax)
	}
	r.running[q.id] = q
	return nil
}

// end moves a query to the ended ones, of which the oldest gives way.
func (r *registry) end(q *Query) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.running[q.id]; !ok {
		return
	}
	delete(r.running, q.id)
	delete(r.resting, q.id)
	r.tellEmpty()
	if len(r.ring) < r.endedMax {
		r.ring = append(r.ring, q.id)
	} else {
		delete(r.ended, r.ring[r.next])
		r.ring[r.next] = q.id
		r.next = (r.next + 1) % r.endedMax
	}
	r.ended[q.id] = q
}

// rest says that a live query only keeps rows of a temporary table: nobody waits for its end.
func (r *registry) rest(q *Query) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.running[q.id]; ok {
		r.resting[q.id] = struct{}{}
		r.tellEmpty()
	}
}

func (r *registry) find(id ids.QueryID) (*Query, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q, ok := r.running[id]; ok {
		return q, true
	}
	q, ok := r.ended[id]
	return q, ok
}

// isLive reports whether there is a query of that id that has not ended.
func (r *registry) isLive(id ids.QueryID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.running[id]
	return ok
}

// live lists the queries that have not ended, in no order.
func (r *registry) live() []*Query {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*Query, 0, len(r.running))
	for _, q := range r.running {
		all = append(all, q)
	}
	return all
}

// all lists live and ended queries, in no order.
func (r *registry) all() []*Query {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*Query, 0, len(r.running)+len(r.ended))
	for _, q := range r.running {
		all = append(all, q)
	}
	for _, q := range r.ended {
		all = append(all, q)
	}
	return all
}

func (r *registry) sizes() (live, ended int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.running), len(r.ended)
}

// close refuses further queries.
func (r *registry) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.tellEmpty()
	}
}

// isClosed reports whether further queries are refused.
func (r *registry) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// tellEmpty closes empty when it is time, once; mu is held. A closed registry never fills again.
func (r *registry) tellEmpty() {
	if !r.closed || len(r.running) > len(r.resting) {
		return
	}
	select {
	case <-r.empty: // told before: those at rest end one after the other
	default:
		close(r.empty)
	}
}
