package roster

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// LivesMax bounds what joins can make a coordinator hold (a record is some 500 bytes); far above any fleet that one
// coordinator could feed.
const LivesMax = 10_000

// A Life names one life of a worker: what its record is filed under.
type Life struct {
	ID          ids.WorkerID
	Incarnation ids.Incarnation
}

// LifeOf is the life that a record tells of.
func LifeOf(r member.Record) Life { return Life{r.ID, r.Incarnation} }

// A Roster holds the live records. All methods may be called concurrently. The zero value is not usable.
type Roster struct {
	mu      sync.Mutex
	seats   map[Life]member.Joined
	sorted  []member.Joined // the seats in the order of their joins; nil = not known. Never changed, only replaced
	version uint64
	changed chan struct{} // closed and replaced at each change
	closed  bool
}

// New returns an empty roster.
func New() *Roster { return &Roster{seats: map[Life]member.Joined{}, changed: make(chan struct{})} }

// Change lets edit read and change the seats, alone; edit reports whether it changed any. It must not keep the map. A closed
// roster is not edited: the error has kind Unavailable.
func (r *Roster) Change(edit func(seats map[Life]member.Joined) (changed bool)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return closedError()
	}
	if edit(r.seats) {
		r.touch()
	}
	return nil
}

// touch tells of a change; mu is held.
func (r *Roster) touch() {
	r.version++
	r.sorted = nil
	close(r.changed)
	r.changed = make(chan struct{})
}

// Records returns the version and the live records in the order of their joins, which nobody may change. It costs nothing while
// there is no change.
func (r *Roster) Records() (uint64, []member.Joined) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sorted == nil {
		r.sorted = slices.SortedFunc(maps.Values(r.seats), func(a, b member.Joined) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	return r.version, r.sorted
}

// Wait returns nil as soon as the version is greater than after, else the cause of ctx's end, or an error of kind
// Unavailable once the roster was closed.
func (r *Roster) Wait(ctx context.Context, after uint64) error {
	for {
		r.mu.Lock()
		version, changed, closed := r.version, r.changed, r.closed
		r.mu.Unlock()
		switch {
		case closed:
			return closedError()
		case version > after:
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		}
	}
}

// Close wakes all waiters for good. Idempotent.
func (r *Roster) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.touch()
	}
}

func closedError() error { return qerr.New(qerr.Unavailable, "the membership is closed") }
