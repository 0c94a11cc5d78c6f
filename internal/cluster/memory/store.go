package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// life names one life of a worker: what a record is filed under.
type life struct {
	id          ids.WorkerID
	incarnation ids.Incarnation
}

// seat is a record and the stream that owns it: only the owner may change or remove it, so that a late end of an old
// stream cannot remove what its successor wrote.
type seat struct {
	joined member.Joined
	owner  uint64
}

// store holds the live records.
type store struct {
	mu      sync.Mutex
	seats   map[life]seat
	version uint64
	seq     uint64        // last join or owner number
	changed chan struct{} // closed and replaced at each change
	closed  bool
}

func newStore() *store { return &store{seats: map[life]seat{}, changed: make(chan struct{})} }

// put files a record for a new owner and returns the owner's number. Past max lives it is refused.
func (s *store) put(r member.Record, max int) (owner uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := life{r.ID, r.Incarnation}
	old, known := s.seats[key]
	switch {
	case s.closed:
		return 0, qerr.New(qerr.Unavailable, "the membership is closed")
	case !known && len(s.seats) >= max:
		return 0, qerr.New(qerr.Resource, "the membership is full: %d workers", max)
	}
	s.seq++
	seq := s.seq
	if known {
		seq = old.joined.Seq
	}
	s.seats[key] = seat{joined: member.Joined{Record: r, Seq: seq}, owner: s.seq}
	s.touch()
	return s.seq, nil
}

// update changes the owner's record; false when another stream has replaced it.
func (s *store) update(owner uint64, r member.Record) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := life{r.ID, r.Incarnation}
	old, ok := s.seats[key]
	if !ok || old.owner != owner {
		return false
	}
	if old.joined.Record != r {
		old.joined.Record = r
		s.seats[key] = old
		s.touch()
	}
	return true
}

// owned reports whether the owner still holds the life.
func (s *store) owned(owner uint64, key life) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seats[key].owner == owner
}

func (s *store) remove(owner uint64, key life) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seats[key].owner == owner {
		delete(s.seats, key)
		s.touch()
	}
}

// touch tells of a change; mu is held.
func (s *store) touch() {
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *store) records() (uint64, []member.Joined) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]member.Joined, 0, len(s.seats))
	for _, seat := range s.seats {
		all = append(all, seat.joined)
	}
	slices.SortFunc(all, func(a, b member.Joined) int { return cmp.Compare(a.Seq, b.Seq) })
	return s.version, all
}

func (s *store) wait(ctx context.Context, after uint64) error {
	for {
		s.mu.Lock()
		version, changed, closed := s.version, s.changed, s.closed
		s.mu.Unlock()
		switch {
		case closed:
			return qerr.New(qerr.Unavailable, "the membership is closed")
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

func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.touch()
	}
}
