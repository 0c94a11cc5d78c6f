package roster

import (
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Owned is a roster whose seats belong to streams: only the owner may change or remove one, so that a late end of an old stream
// cannot remove what its successor wrote. All methods may be called concurrently. The zero value is not usable.
type Owned struct {
	*Roster
	max    int
	owners map[Life]uint64 // touched inside Change only
	seq    uint64          // last join or owner number; likewise
}

// NewOwned returns an empty roster of at most LivesMax lives.
func NewOwned() *Owned { return newOwned(LivesMax) }

func newOwned(max int) *Owned { return &Owned{Roster: New(), max: max, owners: map[Life]uint64{}} }

// Put files a record for a new owner and returns the owner's number. A life that is there keeps its place in the order and
// changes hands. When the roster is full the error has kind Resource.
func (o *Owned) Put(r member.Record) (owner uint64, err error) {
	closed := o.Change(func(seats map[Life]member.Joined) bool {
		life := LifeOf(r)
		old, known := seats[life]
		if !known && len(seats) >= o.max {
			err = qerr.New(qerr.Resource, "the membership is full: %d workers", o.max)
			return false
		}
		o.seq++
		seq := o.seq
		if known {
			seq = old.Seq
		}
		owner = o.seq
		seats[life], o.owners[life] = member.Joined{Record: r, Seq: seq}, owner
		return true
	})
	if closed != nil {
		return 0, closed
	}
	return owner, err
}

// Update changes the owner's record; false when another stream has replaced it.
func (o *Owned) Update(owner uint64, r member.Record) (mine bool) {
	_ = o.Change(func(seats map[Life]member.Joined) bool {
		life := LifeOf(r)
		if mine = o.owners[life] == owner; !mine || seats[life].Record == r {
			return false
		}
		seats[life] = member.Joined{Record: r, Seq: seats[life].Seq}
		return true
	})
	return mine
}

// Held reports whether the owner still holds the life.
func (o *Owned) Held(owner uint64, life Life) (mine bool) {
	_ = o.Change(func(map[Life]member.Joined) bool { mine = o.owners[life] == owner; return false })
	return mine
}

// Remove takes the owner's record away; nothing when another stream holds it.
func (o *Owned) Remove(owner uint64, life Life) {
	_ = o.Change(func(seats map[Life]member.Joined) bool {
		if o.owners[life] != owner {
			return false
		}
		delete(seats, life)
		delete(o.owners, life)
		return true
	})
}
