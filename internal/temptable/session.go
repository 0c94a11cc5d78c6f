package temptable

import (
	"maps"
	"slices"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// state maps folded names to versions, and holds each of them.
type state map[string]*Version

func (s state) clone() state {
	for _, v := range s {
		v.Hold()
	}
	return maps.Clone(s)
}

func (s state) release() {
	for _, v := range s {
		v.Release()
	}
}

// A Session is the temporary tables of one session. Safe for concurrent use.
type Session struct {
	bytesMax int64
	writing  chan struct{} // holds a token while a write runs

	mu           sync.Mutex
	closed       bool
	begun        uint64 // by statements
	committed    state
	transactions map[uint64]*transaction
}

type transaction struct {
	base, now  state
	savepoints map[uint64]state
}

func (t *transaction) release() {
	t.base.release()
	t.now.release()
	for _, s := range t.savepoints {
		s.release()
	}
}

// NewSession returns a session without tables, whose tables may have so many bytes together.
func NewSession(bytesMax int64) *Session {
	return &Session{bytesMax: bytesMax, writing: make(chan struct{}, 1), committed: state{}, transactions: map[uint64]*transaction{}}
}

// Close forgets all tables. Views of it fail from then on.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, t := range s.transactions {
		t.release()
	}
	s.committed.release()
	s.committed, s.transactions = state{}, map[uint64]*transaction{}
}

// Begin opens a transaction under a number that grows from one to the next.
func (s *Session) Begin(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.transactions[id] == nil {
		s.transactions[id] = &transaction{base: s.committed.clone(), now: s.committed.clone(), savepoints: map[uint64]state{}}
	}
}

// End commits a transaction or rolls it back. One that is over already is no fault. A commit fails as Unavailable when another
// transaction has written one of the same tables since this one began; it is rolled back then.
func (s *Session) End(id uint64, commit bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.transactions[id]
	if t == nil {
		return nil
	}
	delete(s.transactions, id)
	defer t.release()
	if !commit {
		return nil
	}
	next := s.committed.clone()
	for _, name := range names(t.base, t.now) {
		if t.base[name] == t.now[name] {
			continue
		}
		if s.committed[name] != t.base[name] {
			next.release()
			return qerr.New(qerr.Unavailable, "another transaction of the session has written the temporary table %q meanwhile; "+
				"this one is rolled back, begin it again", name)
		}
		next.put(name, t.now[name])
	}
	s.committed.release()
	s.committed = next
	return nil
}

// put names a version, or none.
func (s state) put(name string, v *Version) {
	if old := s[name]; old != nil {
		old.Release()
	}
	delete(s, name)
	if v != nil {
		s[name] = v.Hold()
	}
}

func names(states ...state) []string {
	all := map[string]struct{}{}
	for _, s := range states {
		for name := range s {
			all[name] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Savepoint remembers a transaction's state under a number.
func (s *Session) Savepoint(id, point uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.transactions[id]; t != nil && t.savepoints[point] == nil {
		t.savepoints[point] = t.now.clone()
	}
}

// EndSavepoint forgets a savepoint, or goes back to it and keeps it. Those made after it are forgotten in both cases.
func (s *Session) EndSavepoint(id, point uint64, rollback bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.transactions[id]
	if t == nil || t.savepoints[point] == nil {
		return
	}
	if rollback {
		t.now.release()
		t.now = t.savepoints[point].clone()
	}
	for later, kept := range t.savepoints {
		if later > point || later == point && !rollback {
			kept.release()
			delete(t.savepoints, later)
		}
	}
}

// open is the number of the transaction begun last that is open; 0 when there is none. The caller holds mu.
func (s *Session) open() uint64 {
	newest := uint64(0)
	for id := range s.transactions {
		newest = max(newest, id)
	}
	return newest
}

// Open is the number of the transaction begun last that is open; 0 when there is none.
func (s *Session) Open() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open()
}

// bytes counts what a session names, each Rows once. The caller holds mu.
func (s *Session) bytes() (bytes int64) {
	counted := map[*Rows]struct{}{}
	count := func(named state) {
		for _, v := range named {
			for _, r := range v.Rows {
				if _, known := counted[r]; known {
					continue
				}
				counted[r] = struct{}{}
				for _, p := range r.Parts {
					bytes += p.Bytes
				}
			}
		}
	}
	count(s.committed)
	for _, t := range s.transactions {
		count(t.base)
		count(t.now)
		for _, point := range t.savepoints {
			count(point)
		}
	}
	return bytes
}
