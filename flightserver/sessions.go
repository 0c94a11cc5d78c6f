package flightserver

import (
	"container/list"
	"crypto/rand"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
	"github.com/arbalest-sql/arbalest/internal/temptable"
)

// newSessionID makes a session's name; it cannot be guessed, though knowing it is worth nothing without a token.
// It names the coordinator that began the session.
func newSessionID(life string) string { return "s" + rand.Text() + lifeMark + life }

// lifeMark stands in a session's name before the coordinator that began it.
const lifeMark = "@"

// lifeOf is the coordinator that began a session.
func lifeOf(session string) string {
	_, life, _ := strings.Cut(session, lifeMark)
	return life
}

// sessions are the sessions that hold something. A session that was never given an option, a statement or a transaction
// is its name in a token and nothing else, so that clients which drop their token cost nothing.
//
// One lock guards everything here, sessions included: all work under it is short and never waits.
type sessions struct {
	cfg *Config

	mu sync.Mutex
	// byID finds the element of order whose value is a *session. Guarded by mu.
	byID map[string]*list.Element
	// order has the session used last at its back. Guarded by mu.
	order *list.List
	// next is past every number that a forgotten session has given out, so that its handles mean nothing in a session that comes
	// after it under the same name. Guarded by mu.
	next uint64
	// bytes are the statement texts and bindings of all sessions. Guarded by mu.
	bytes  int64
	closed bool
	// resting are sessions that were dropped and have a record; restingMany: there are more. Guarded by mu.
	resting     map[string]struct{}
	restingMany bool

	changes changes
}

// A session is the state of one client. Guarded by sessions.mu.
type session struct {
	id, subject  string
	used         time.Time
	settings     settings.Values
	initial      string // the fingerprint of the settings that it began with
	next         uint64 // numbers statements, bindings and transactions
	statements   map[uint64]*list.Element
	order        *list.List // of *prepared, the one used last at the back
	transactions map[uint64]*transaction
	tables       *temptable.Session
	kept         mark // its record
}

func newSessions(cfg *Config) *sessions {
	return &sessions{cfg: cfg, byID: map[string]*list.Element{}, order: list.New(), resting: map[string]struct{}{}, changes: changes{seed: maphash.MakeSeed()}}
}

// find is the caller's session, if it is here. The caller holds mu.
func (t *sessions) find(c caller) *session {
	if e := t.byID[c.session]; e != nil && e.Value.(*session).subject == c.subject { // See with.
		return e.Value.(*session)
	}
	return nil
}

// with runs f on the caller's session, under the lock. A session that does not exist is made when create is set, else f gets
// nil. One that holds nothing afterwards is forgotten, as clients without a way to close sessions leave many of those.
func (t *sessions) with(c caller, create bool, f func(*session) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.cfg.Now()
	t.expire(now)
	element := t.byID[c.session]
	if element == nil {
		if !create {
			return f(nil)
		}
		if t.closed {
			return qerr.New(qerr.Unavailable, "the server is shutting down")
		}
		for len(t.byID) >= t.cfg.SessionsMax {
			t.drop(t.order.Front())
		}
		options := c.options()
		element = t.order.PushBack(&session{id: c.session, subject: c.subject, next: t.next, statements: map[uint64]*list.Element{},
			settings: options, initial: options.Fingerprint(), order: list.New(), transactions: map[uint64]*transaction{}, tables: temptable.NewSession(t.cfg.TemporaryBytesMax)})
		t.byID[c.session] = element
		delete(t.resting, c.session)
	}
	s := element.Value.(*session) // Nothing else is put there.
	if s.subject != c.subject {
		return qerr.New(qerr.PermissionDenied, "this session belongs to another user")
	}
	s.used = now
	t.order.MoveToBack(element)
	err := f(s)
	if s.empty() {
		// Its tables are not closed: a statement that is running may write the first one, and keepTemporary then brings them back.
		t.forget(element)
	}
	return err
}

// empty says that nothing would be lost with the session.
func (s *session) empty() bool {
	return len(s.statements) == 0 && len(s.transactions) == 0 && !s.temporary() && s.settings.Fingerprint() == s.initial && s.kept.said == ""
}

// temporary says that the session has temporary tables.
func (s *session) temporary() bool { return s.tables.In(0).Any() || s.tables.Open() != 0 }

// settings are the caller's settings now.
func (t *sessions) settings(c caller) settings.Values {
	values := c.options()
	_ = t.with(c, false, func(s *session) error {
		if s != nil {
			values = s.settings
		}
		return nil
	})
	return values
}

// temporary are the caller's temporary tables. When the session holds nothing yet they are new ones, which keepTemporary gives to it
// if something came of them.
func (t *sessions) temporary(c caller) *temptable.Session {
	tables := temptable.NewSession(t.cfg.TemporaryBytesMax)
	_ = t.with(c, false, func(s *session) error {
		if s != nil {
			tables = s.tables
		}
		return nil
	})
	return tables
}

// keepTemporary gives tables to the caller's session, unless it has them, or there are none.
func (t *sessions) keepTemporary(c caller, tables *temptable.Session) error {
	known := t.temporary(c)
	if known == tables || !tables.In(0).Any() && tables.Open() == 0 {
		return nil
	}
	err := t.with(c, true, func(s *session) error {
		if s.tables != tables && (s.tables.In(0).Any() || s.tables.Open() != 0) {
			return qerr.New(qerr.Unavailable, "the session's first two temporary tables were made at the same time, and this one is lost; make it again")
		}
		s.tables = tables
		return nil
	})
	if err != nil {
		tables.Close()
	}
	return err
}

// end drops the caller's session.
func (t *sessions) end(c caller) {
	t.mu.Lock()
	defer t.mu.Unlock()
	element := t.byID[c.session]
	if element != nil {
		t.drop(element)
	}
	delete(t.resting, c.session)
}

// expire drops the sessions that are past their idle time. The caller holds mu.
func (t *sessions) expire(now time.Time) {
	for e := t.order.Front(); e != nil; e = t.order.Front() {
		if s := e.Value.(*session); now.Sub(s.used) < t.cfg.SessionIdleMax { // See with.
			return
		}
		t.drop(e)
	}
}

// drop forgets a session and what it holds. The caller holds mu.
func (t *sessions) drop(e *list.Element) {
	s := t.forget(e)
	t.rest(s)
	// Rows are freed in the coordinator, which never calls back.
	s.tables.Close()
	for s.order.Len() > 0 {
		t.dropStatement(s, s.order.Front())
	}
}

// forget takes a session out of the lists. The caller holds mu.
func (t *sessions) forget(e *list.Element) *session {
	s := t.order.Remove(e).(*session) // See with.
	delete(t.byID, s.id)
	t.next = max(t.next, s.next)
	return s
}

// reserve takes bytes from the budget of all sessions. The caller holds mu and gives them back by bytes.
func (t *sessions) reserve(bytes int64) error {
	if t.bytes+bytes > t.cfg.StateBytesMax {
		return qerr.New(qerr.Resource, "the sessions' prepared statements and parameters have reached %d bytes; close some, or try again later",
			t.cfg.StateBytesMax)
	}
	t.bytes += bytes
	return nil
}

func (t *sessions) usage() Usage {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(t.cfg.Now())
	u := Usage{Sessions: len(t.byID), StateBytes: t.bytes}
	for e := t.order.Front(); e != nil; e = e.Next() {
		s := e.Value.(*session) // See with.
		u.Statements += s.order.Len()
		u.Transactions += len(s.transactions)
	}
	return u
}

func (t *sessions) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for t.order.Len() > 0 {
		t.drop(t.order.Front())
	}
}
