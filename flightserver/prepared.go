package flightserver

import (
	"container/list"
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// bindingsMax is how many bindings a statement keeps. A handle names its binding, and each bind makes a new handle; a client
// that ignores those (arrow/go v15) uses the first handle, which stands for the last binding.
const bindingsMax = 8

// statementOverheadBytes is what a prepared statement costs beside its text.
const statementOverheadBytes = 4 << 10

// A prepared statement. Guarded by sessions.mu but for what never changes.
type prepared struct {
	// Fixed:
	id       uint64
	sql      string
	dataset  *arrow.Schema // nil for statements without rows
	params   *arrow.Schema
	isUpdate bool
	// transaction is the one it was prepared in; 0 for none. It runs there while that is open, and in its session's later.
	transaction uint64
	// bindings has the newest at its end.
	bindings []*binding
}

// prepare plans a statement and keeps it in the caller's session, or in that of its transaction: a client that keeps neither token
// nor cookie has a new session with each call, and nothing but the handles to say what belongs together.
func (s *Server) prepare(ctx context.Context, sql string, transaction []byte) (*wire.ActionCreatePreparedStatementResult, error) {
	c := callerOf(ctx)
	e, err := s.statement(c, sql, transaction)
	if err != nil {
		return nil, err
	}
	r := s.request(e)
	d, err := s.cfg.Queries.Describe(ctx, r)
	if err != nil {
		return nil, err
	}
	p := &prepared{sql: sql, isUpdate: d.IsUpdate, transaction: e.transaction, params: parameterSchema(d.Params, r.Settings.TimeZone())}
	if !d.IsUpdate {
		p.dataset = arrowtype.ClientSchema(d.Columns, r.Settings.TimeZone())
	}
	if err := s.sessions.addStatement(e.caller, p); err != nil {
		return nil, err
	}
	handle, err := s.sign(preparedHandle, e.caller, pack(p.id, 0))
	if err != nil {
		return nil, err
	}
	result := &wire.ActionCreatePreparedStatementResult{PreparedStatementHandle: handle, ParameterSchema: s.serialize(p.params), IsUpdate: &p.isUpdate}
	if p.dataset != nil {
		result.DatasetSchema = s.serialize(p.dataset)
	}
	return result, nil
}

// parameterSchema tells what a statement's parameters should be. JDBC cannot set a parameter of type Null, so that one whose
// type is not known is text, which the engine casts to whatever it needs. Times and timestamps are announced in milliseconds: JDBC
// (18.3.0) writes milliseconds into whatever unit it is told, so any other would shift its values by a factor of a thousand.
// Who binds finer ones loses nothing: a binding's own types count.
func parameterSchema(params []table.Column, timeZone string) *arrow.Schema {
	known := make([]table.Column, len(params))
	for i, p := range params {
		if p.Type.ID == table.Null || p.Type.ID == "" {
			p.Type = table.Of(table.Varchar)
		}
		known[i] = p
	}
	fields := arrowtype.ClientSchema(known, timeZone).Fields()
	for i, f := range fields {
		switch t := f.Type.(type) {
		case *arrow.TimestampType:
			fields[i].Type = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: t.TimeZone}
		case *arrow.Time64Type:
			fields[i].Type = arrow.FixedWidthTypes.Time32ms
		}
	}
	return arrow.NewSchema(fields, nil)
}

// An openStatement is a prepared statement in use by one call, with the binding that the handle names. Close it.
type openStatement struct {
	*prepared
	owner   caller
	binding *binding // retained; nil when nothing was bound
	inside  uint64   // the transaction it runs in; 0 for none named
}

// openPrepared finds a prepared statement by its handle.
func (s *Server) openPrepared(c caller, handle []byte) (*openStatement, error) {
	owner, body, err := s.verify(preparedHandle, c, handle)
	if err != nil {
		return nil, err
	}
	var id, bound uint64
	if err := unpack(body, &id, &bound); err != nil {
		return nil, err
	}
	open := &openStatement{owner: owner}
	err = s.sessions.withStatement(owner, id, func(session *session, p *prepared) error {
		open.prepared = p
		if session.transactions[p.transaction] != nil {
			open.inside = p.transaction
		}
		var err error
		open.binding, err = p.find(bound)
		if open.binding != nil {
			open.binding.retain()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return open, nil
}

func (o *openStatement) close() {
	if o.binding != nil {
		o.binding.release()
	}
}

// rows is the number of bound rows; 0 when nothing is bound.
func (o *openStatement) rows() int64 {
	if o.binding == nil {
		return 0
	}
	return o.binding.rows
}

// execution is one run of the statement with row i of its binding, or without parameters when nothing is bound. The caller
// releases it.
func (o *openStatement) execution(i int64) execution { return o.executionWith(o.binding, i) }

func (o *openStatement) executionWith(b *binding, i int64) execution {
	e := execution{caller: o.owner, sql: o.sql, transaction: o.inside}
	if b != nil {
		e.params = b.row(i)
	}
	return e
}

// find returns the binding of a number; 0 is the last one, or nil when there is none.
func (p *prepared) find(number uint64) (*binding, error) {
	if number == 0 {
		if len(p.bindings) == 0 {
			return nil, nil
		}
		return p.bindings[len(p.bindings)-1], nil
	}
	for _, b := range p.bindings {
		if b.number == number {
			return b, nil
		}
	}
	return nil, qerr.New(qerr.NotFound, "the parameters of this handle were replaced by %d later binds; bind them again", bindingsMax)
}

// addStatement keeps a statement in the caller's session and numbers it.
func (t *sessions) addStatement(c caller, p *prepared) error {
	return t.with(c, true, func(s *session) error {
		for s.order.Len() >= t.cfg.StatementsMax {
			t.dropStatement(s, s.order.Front())
		}
		if err := t.reserve(p.bytes()); err != nil {
			return err
		}
		s.next++
		p.id = s.next
		s.statements[p.id] = s.order.PushBack(p)
		return nil
	})
}

// withStatement runs f on a statement, under the lock.
func (t *sessions) withStatement(c caller, id uint64, f func(*session, *prepared) error) error {
	return t.with(c, false, func(s *session) error {
		if s == nil || s.statements[id] == nil {
			return qerr.New(qerr.NotFound, "this prepared statement is closed, or its session is over; prepare it again")
		}
		element := s.statements[id]
		s.order.MoveToBack(element)
		return f(s, element.Value.(*prepared)) // Nothing else is put there.
	})
}

// closePrepared forgets a statement; closing one that is gone already is no fault.
func (s *Server) closePrepared(c caller, handle []byte) error {
	owner, body, err := s.verify(preparedHandle, c, handle)
	if err != nil {
		return err
	}
	var id uint64
	if err := unpack(body, &id); err != nil {
		return err
	}
	return s.sessions.with(owner, false, func(session *session) error {
		if session != nil && session.statements[id] != nil {
			s.sessions.dropStatement(session, session.statements[id])
		}
		return nil
	})
}

// dropStatement forgets a statement and its bindings. The caller holds mu.
func (t *sessions) dropStatement(s *session, e *list.Element) {
	p := s.order.Remove(e).(*prepared) // See withStatement.
	delete(s.statements, p.id)
	t.bytes -= p.bytes()
	for _, b := range p.bindings {
		t.bytes -= b.bytes
		b.release()
	}
	p.bindings = nil
}

func (p *prepared) bytes() int64 { return int64(len(p.sql)) + statementOverheadBytes }
