package member

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A Snapshot is the membership at one moment. The zero value has no members.
type Snapshot struct {
	// Version grows with every change of one back end; it is only comparable within it.
	Version uint64
	// Members is sorted by id, then incarnation. Nobody changes it.
	Members []Member
}

// A Joined is a record with the order in which it joined, oldest first; of two with one id the older stays in use.
type Joined struct {
	Record
	// Seq grows with every join.
	Seq uint64
}

// NewSnapshot judges the records against the requirement. It keeps the largest compatible set; between equal ones the
// set of the oldest member.
func NewSnapshot(version uint64, need Requirement, joined []Joined) Snapshot {
	members := make([]judged, len(joined))
	for i, j := range joined {
		members[i] = judged{Member: Member{Record: j.Record}, seq: j.Seq}
	}
	slices.SortFunc(members, func(a, b judged) int { return cmp.Compare(a.seq, b.seq) })
	markDuplicates(members)
	markOwnState(members)
	markRequirement(members, need)
	markMinorities(members)
	slices.SortStableFunc(members, func(a, b judged) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Incarnation, b.Incarnation))
	})
	snapshot := Snapshot{Version: version, Members: make([]Member, len(members))}
	for i, m := range members {
		snapshot.Members[i] = m.Member
	}
	return snapshot
}

type judged struct {
	Member
	seq    uint64
	closed bool // a status other than Usable stands
}

func (m *judged) exclude(status Status, format string, args ...any) {
	if m.closed {
		return
	}
	m.closed, m.Status, m.Reason = true, status, fmt.Sprintf(format, args...)
}

// markDuplicates keeps the oldest of each id. The younger one is either a misconfiguration (two processes with one id),
// which must not flap, or a restart whose older life has not been noticed as lost yet, which resolves within a lease.
func markDuplicates(members []judged) {
	first := map[ids.WorkerID]*judged{}
	for i := range members {
		m := &members[i]
		if older, ok := first[m.ID]; ok {
			m.exclude(Duplicate, "worker id %s is in use by the worker at %s", m.ID, older.Address)
			continue
		}
		first[m.ID] = m
	}
}

func markOwnState(members []judged) {
	for i := range members {
		m := &members[i]
		switch {
		case m.Draining:
			m.exclude(Draining, "draining")
		case m.Address == "" || m.HashVector == "":
			m.exclude(Starting, "starting")
		}
	}
}

func markRequirement(members []judged, need Requirement) {
	for i := range members {
		m := &members[i]
		switch {
		case m.Protocol != need.Protocol:
			m.exclude(Incompatible, "speaks control protocol %d, this coordinator speaks %d", m.Protocol, need.Protocol)
		case need.DuckDB != "" && m.DuckDB != need.DuckDB:
			m.exclude(Incompatible, "runs DuckDB %s, this coordinator plans for %s", m.DuckDB, need.DuckDB)
		}
	}
}

// markMinorities leaves one set of equal engine version and hash vector.
func markMinorities(members []judged) {
	type set struct{ duckdb, hash string }
	size := map[set]int{}
	for _, m := range members {
		if !m.closed {
			size[set{m.DuckDB, m.HashVector}]++
		}
	}
	var best set
	for _, m := range members { // oldest first: ties go to the set of the oldest member
		if s := (set{m.DuckDB, m.HashVector}); !m.closed && size[s] > size[best] {
			best = s
		}
	}
	for i := range members {
		m := &members[i]
		if !m.closed && (set{m.DuckDB, m.HashVector}) != best {
			m.exclude(Incompatible, "its engine (DuckDB %s) hashes values differently from the %d workers in use", m.DuckDB, size[best])
		}
	}
}

// Usable lists the members that may be given tasks, sorted by id. The caller owns the slice.
func (s Snapshot) Usable() []Member {
	var usable []Member
	for _, m := range s.Members {
		if m.Status == Usable {
			usable = append(usable, m)
		}
	}
	return usable
}

// Find returns the member of the id that is in use or would be: a duplicate is never returned.
func (s Snapshot) Find(id ids.WorkerID) (Member, bool) {
	for _, m := range s.Members {
		if m.ID == id && m.Status != Duplicate {
			return m, true
		}
	}
	return Member{}, false
}
