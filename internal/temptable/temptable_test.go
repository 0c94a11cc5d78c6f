package temptable

import (
	"context"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// store counts the rows that are not freed.
type store struct {
	t    *testing.T
	live map[ids.QueryID]bool
}

func newStore(t *testing.T) *store { return &store{t, map[ids.QueryID]bool{}} }

func (s *store) version(name, query string, bytes int64) *Version {
	id := ids.QueryID(query)
	s.live[id] = true
	rows := NewRows(id, []Part{{Rows: 1, Bytes: bytes}}, func() {
		if !s.live[id] {
			s.t.Errorf("%s was freed twice", id)
		}
		delete(s.live, id)
	})
	return NewVersion(name, nil, []*Rows{rows})
}

func (s *store) want(queries ...string) {
	s.t.Helper()
	for _, q := range queries {
		if !s.live[ids.QueryID(q)] {
			s.t.Errorf("%s was freed", q)
		}
	}
	if len(s.live) != len(queries) {
		s.t.Errorf("live are %v, want %v", s.live, queries)
	}
}

func put(t *testing.T, v *View, version *Version) {
	t.Helper()
	if err := v.Put(version); err != nil {
		t.Fatal(err)
	}
}

// see is the query behind a table, and "" when there is none.
func see(v *View, name string) string {
	found := v.Table(name)
	if found == nil {
		return ""
	}
	defer found.Release()
	return string(found.Rows[0].Query)
}

func TestVersionsAreFreedOnce(t *testing.T) {
	s, session := newStore(t), NewSession(100)
	v := session.In(0)
	put(t, v, s.version("T", "q1", 1))
	reading := v.Table("t")
	put(t, v, s.version("t", "q2", 1))
	s.want("q1", "q2")
	reading.Release()
	s.want("q2")
	v.Drop("T")
	s.want()
	put(t, v, s.version("t", "q3", 1))
	session.Close()
	s.want()
	if err := v.Put(s.version("t", "q4", 1)); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("a closed session took a table: %v", err)
	}
	s.want()
}

func TestBytesAreBounded(t *testing.T) {
	s, session := newStore(t), NewSession(100)
	v := session.In(0)
	put(t, v, s.version("a", "q1", 60))
	if err := v.Put(s.version("a", "q2", 101)); !qerr.Is(err, qerr.Resource) {
		t.Errorf("too many bytes: %v", err)
	}
	if err := v.Put(s.version("b", "q3", 41)); !qerr.Is(err, qerr.Resource) {
		t.Errorf("too many bytes in two tables: %v", err)
	}
	if see(v, "a") != "q1" || see(v, "b") != "" {
		t.Errorf("a is %q, b %q", see(v, "a"), see(v, "b"))
	}
	put(t, v, s.version("a", "q4", 100))
	s.want("q4")
	session.Close()
}

func TestTransactions(t *testing.T) {
	s, session := newStore(t), NewSession(100)
	outside := session.In(0)
	put(t, outside, s.version("t", "q1", 1))
	session.Begin(1)
	if session.Open() != 1 {
		t.Errorf("open is %d", session.Open())
	}
	inside := session.In(1)
	put(t, inside, s.version("t", "q2", 1))
	if see(inside, "t") != "q2" || see(outside, "t") != "q2" { // what names no transaction belongs to the open one
		t.Error("a write is not seen in its transaction")
	}
	session.Savepoint(1, 7)
	inside.Drop("t")
	put(t, inside, s.version("u", "q3", 1))
	session.Savepoint(1, 8)
	session.EndSavepoint(1, 7, true)
	if see(inside, "t") != "q2" || see(inside, "u") != "" {
		t.Error("the savepoint was not gone back to")
	}
	s.want("q1", "q2")
	inside.Drop("t")
	session.EndSavepoint(1, 7, true)
	session.EndSavepoint(1, 7, false)
	session.EndSavepoint(1, 7, true) // is released
	if see(inside, "t") != "q2" {
		t.Error("a savepoint is good for one rollback only")
	}
	if err := session.End(1, false); err != nil || see(outside, "t") != "q1" {
		t.Errorf("rolled back, t is %q (%v)", see(outside, "t"), err)
	}
	s.want("q1")
	session.Begin(2)
	session.In(2).Drop("t")
	put(t, session.In(2), s.version("u", "q4", 1))
	if err := session.End(2, true); err != nil || see(outside, "t") != "" || see(outside, "u") != "q4" {
		t.Errorf("committed, t is %q and u %q (%v)", see(outside, "t"), see(outside, "u"), err)
	}
	s.want("q4")
	if err := session.End(2, true); err != nil {
		t.Error(err)
	}
	session.Close()
	s.want()
}

func TestConflictingTransactions(t *testing.T) {
	s, session := newStore(t), NewSession(100)
	session.Begin(1)
	session.Begin(2)
	put(t, session.In(1), s.version("t", "q1", 1))
	put(t, session.In(2), s.version("t", "q2", 1))
	put(t, session.In(2), s.version("u", "q3", 1))
	if err := session.End(1, true); err != nil {
		t.Fatal(err)
	}
	if err := session.End(2, true); !qerr.Is(err, qerr.Unavailable) || !strings.Contains(err.Error(), `"t"`) {
		t.Errorf("a conflict is %v", err)
	}
	if v := session.In(0); see(v, "t") != "q1" || see(v, "u") != "" {
		t.Error("half of a transaction was committed")
	}
	s.want("q1")
	session.Close()
	s.want()
}

func TestWritesWait(t *testing.T) {
	v := NewSession(1).In(0)
	unlock, err := v.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Lock(ctx); !qerr.Is(err, qerr.Cancelled) {
		t.Errorf("a second lock: %v", err)
	}
	unlock()
	if unlock, err = v.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	unlock()
}
