package flightserver

import (
	"context"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A transaction covers the session's temporary tables: it reads those that were committed when it began, and its own writes. Of
// the catalog's tables, which cannot be written, each statement sees the newest snapshot, inside a transaction as outside. It is
// good until it is ended or its session is over.

// transactionsMax bounds a session's open transactions; the oldest is forgotten. Drivers hold one a connection, and some never
// end their last one.
const transactionsMax = 64

// savepointsMax bounds the savepoints of a transaction.
const savepointsMax = 256

// A transaction that is open. Guarded by sessions.mu.
type transaction struct {
	savepoints map[uint64]bool
}

func (s *Server) begin(c caller) ([]byte, error) {
	var id uint64
	err := s.sessions.with(c, true, func(session *session) error {
		for len(session.transactions) >= transactionsMax {
			oldest := session.next
			for n := range session.transactions {
				oldest = min(oldest, n)
			}
			delete(session.transactions, oldest)
			_ = session.tables.End(oldest, false)
		}
		session.next++
		id = session.next
		session.transactions[id] = &transaction{savepoints: map[uint64]bool{}}
		session.tables.Begin(id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.sign(transactionHandle, c, pack(id))
}

// withTransaction runs f on an open transaction, under the lock.
func (s *Server) withTransaction(owner caller, id uint64, f func(*session, *transaction) error) error {
	return s.sessions.with(owner, false, func(session *session) error {
		if session == nil || session.transactions[id] == nil {
			return qerr.New(qerr.NotFound, "the transaction is over, or its session is; begin a new one")
		}
		return f(session, session.transactions[id])
	})
}

// transactionOf reads a transaction's handle.
func (s *Server) transactionOf(c caller, handle []byte) (owner caller, id uint64, err error) {
	owner, body, err := s.verify(transactionHandle, c, handle)
	if err == nil {
		err = unpack(body, &id)
	}
	return owner, id, err
}

// checkTransaction refuses a statement in a transaction that is not open. The statement is one of the session that began it.
func (s *Server) checkTransaction(c caller, handle []byte) (owner caller, id uint64, err error) {
	owner, id, err = s.transactionOf(c, handle)
	if err != nil {
		return caller{}, 0, err
	}
	return owner, id, s.withTransaction(owner, id, func(*session, *transaction) error { return nil })
}

func (s *Server) endTransaction(ctx context.Context, c caller, m *wire.ActionEndTransactionRequest) error {
	if a := m.GetAction(); a != wire.ActionEndTransactionRequest_END_TRANSACTION_COMMIT && a != wire.ActionEndTransactionRequest_END_TRANSACTION_ROLLBACK {
		return qerr.New(qerr.User, "ending a transaction needs an action: commit or rollback")
	}
	owner, id, err := s.transactionOf(c, m.GetTransactionId())
	if err != nil {
		return err
	}
	err = s.withTransaction(owner, id, func(session *session, _ *transaction) error {
		delete(session.transactions, id)
		return session.tables.End(id, m.GetAction() == wire.ActionEndTransactionRequest_END_TRANSACTION_COMMIT)
	})
	if err != nil {
		return err
	}
	return s.sessions.keep(ctx, owner)
}

func (s *Server) beginSavepoint(c caller, m *wire.ActionBeginSavepointRequest) ([]byte, error) {
	if m.GetName() == "" {
		return nil, qerr.New(qerr.User, "a savepoint needs a name")
	}
	owner, id, err := s.transactionOf(c, m.GetTransactionId())
	if err != nil {
		return nil, err
	}
	var number uint64
	err = s.withTransaction(owner, id, func(session *session, t *transaction) error {
		if len(t.savepoints) >= savepointsMax {
			return qerr.New(qerr.Resource, "the transaction has %d savepoints already", savepointsMax)
		}
		session.next++
		number = session.next
		t.savepoints[number] = true
		session.tables.Savepoint(id, number)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.sign(savepointHandle, owner, pack(id, number))
}

func (s *Server) endSavepoint(c caller, m *wire.ActionEndSavepointRequest) error {
	release := m.GetAction() == wire.ActionEndSavepointRequest_END_SAVEPOINT_RELEASE
	if !release && m.GetAction() != wire.ActionEndSavepointRequest_END_SAVEPOINT_ROLLBACK {
		return qerr.New(qerr.User, "ending a savepoint needs an action: release or rollback")
	}
	owner, body, err := s.verify(savepointHandle, c, m.GetSavepointId())
	if err != nil {
		return err
	}
	var id, number uint64
	if err := unpack(body, &id, &number); err != nil {
		return err
	}
	return s.withTransaction(owner, id, func(session *session, t *transaction) error {
		if !t.savepoints[number] {
			return qerr.New(qerr.NotFound, "the savepoint is released")
		}
		session.tables.EndSavepoint(id, number, !release)
		for later := range t.savepoints {
			// Both ends of a savepoint end those made after it; rolling back keeps the savepoint itself.
			if later > number || release && later == number {
				delete(t.savepoints, later)
			}
		}
		return nil
	})
}
