package memory

import (
	"github.com/arbalest-sql/arbalest/internal/cluster/roster"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// store is the roster, and who owns each seat of it: only the owner may change or remove it, so that a late end of an old
// stream cannot remove what its successor wrote.
type store struct {
	*roster.Roster
	owners map[roster.Life]uint64 // touched inside Change only
	seq    uint64                 // last join or owner number; likewise
}

func newStore() *store { return &store{Roster: roster.New(), owners: map[roster.Life]uint64{}} }

// put files a record for a new owner and returns the owner's number. Past max lives it is refused.
func (s *store) put(r member.Record, max int) (owner uint64, err error) {
	closed := s.Change(func(seats map[roster.Life]member.Joined) bool {
		key := roster.LifeOf(r)
		old, known := seats[key]
		if !known && len(seats) >= max {
			err = qerr.New(qerr.Resource, "the membership is full: %d workers", max)
			return false
		}
		s.seq++
		seq := s.seq
		if known {
			seq = old.Seq
		}
		owner = s.seq
		seats[key], s.owners[key] = member.Joined{Record: r, Seq: seq}, owner
		return true
	})
	if closed != nil {
		return 0, closed
	}
	return owner, err
}

// update changes the owner's record; false when another stream has replaced it.
func (s *store) update(owner uint64, r member.Record) (mine bool) {
	_ = s.Change(func(seats map[roster.Life]member.Joined) bool {
		key := roster.LifeOf(r)
		if mine = s.owners[key] == owner; !mine || seats[key].Record == r {
			return false
		}
		seats[key] = member.Joined{Record: r, Seq: seats[key].Seq}
		return true
	})
	return mine
}

// owned reports whether the owner still holds the life.
func (s *store) owned(owner uint64, key roster.Life) (mine bool) {
	_ = s.Change(func(map[roster.Life]member.Joined) bool { mine = s.owners[key] == owner; return false })
	return mine
}

func (s *store) remove(owner uint64, key roster.Life) {
	_ = s.Change(func(seats map[roster.Life]member.Joined) bool {
		if s.owners[key] != owner {
			return false
		}
		delete(seats, key)
		delete(s.owners, key)
		return true
	})
}
