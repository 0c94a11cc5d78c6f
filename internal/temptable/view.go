package temptable

import (
	"context"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A View is a session's tables as the statements of one transaction see them; of transaction 0, those of the transaction begun
// last, or else what is committed.
type View struct {
	session     *Session
	transaction uint64
}

// In returns the view of a transaction.
func (s *Session) In(transaction uint64) *View { return &View{s, transaction} }

// now is the view's state. The caller holds mu.
func (v *View) now() *state {
	id := v.transaction
	if id == 0 {
		id = v.session.open()
	}
	if t := v.session.transactions[id]; t != nil {
		return &t.now
	}
	return &v.session.committed
}

// Table returns the version of a table that the caller releases; nil when there is none.
func (v *View) Table(name string) *Version {
	v.session.mu.Lock()
	defer v.session.mu.Unlock()
	if found := (*v.now())[table.Fold(name)]; found != nil {
		return found.Hold()
	}
	return nil
}

// List returns all tables by name; the caller releases each.
func (v *View) List() []*Version {
	v.session.mu.Lock()
	defer v.session.mu.Unlock()
	var all []*Version
	for _, name := range names(*v.now()) {
		all = append(all, (*v.now())[name].Hold())
	}
	return all
}

// Put makes a version its table's, and takes the caller's hold over, also when it fails: as Resource when the session's tables
// become too large, Unavailable when the session is over. The caller has the lock.
func (v *View) Put(version *Version) error {
	defer version.Release()
	s := v.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return qerr.New(qerr.Unavailable, "the session is over")
	}
	now, name := *v.now(), table.Fold(version.Name)
	old := now[name]
	if old != nil {
		old.Hold()
		defer old.Release()
	}
	now.put(name, version)
	if bytes := s.bytes(); bytes > s.bytesMax {
		now.put(name, old)
		return qerr.New(qerr.Resource, "the session's temporary tables would have %d bytes; at most %d are allowed: drop some, or rows of them", bytes, s.bytesMax)
	}
	return nil
}

// Drop forgets a table. The caller has the lock.
func (v *View) Drop(name string) {
	v.session.mu.Lock()
	defer v.session.mu.Unlock()
	v.now().put(table.Fold(name), nil)
}

// Lock waits until no other write of the session runs.
func (v *View) Lock(ctx context.Context) (unlock func(), err error) {
	select {
	case v.session.writing <- struct{}{}:
		return func() { <-v.session.writing }, nil
	case <-ctx.Done():
		return nil, qerr.Wrap(qerr.Cancelled, "wait for another write of the session", context.Cause(ctx))
	}
}

// sqlTransactions is where the numbers of transactions begin that were begun by a statement: after all others.
const sqlTransactions = 1 << 62

// Any reports whether there is a table.
func (v *View) Any() bool {
	v.session.mu.Lock()
	defer v.session.mu.Unlock()
	return len(*v.now()) > 0
}

// Begin opens a transaction for the statements that name none. It fails when one is open.
func (v *View) Begin() error {
	s := v.session
	s.mu.Lock()
	open := s.open()
	s.begun++
	id := sqlTransactions + s.begun
	s.mu.Unlock()
	if v.transaction != 0 || open != 0 {
		return qerr.New(qerr.User, "TransactionContext Error: a transaction is open already")
	}
	s.Begin(id)
	return nil
}

// End ends the open transaction; without one it does nothing.
func (v *View) End(commit bool) error {
	if v.transaction != 0 {
		return qerr.New(qerr.User, "the statement is sent in a transaction of the protocol: end it by EndTransaction")
	}
	return v.session.End(v.session.Open(), commit)
}
