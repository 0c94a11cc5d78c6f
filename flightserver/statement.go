package flightserver

import (
	"context"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// An execution is a statement about to be run: whose, what, and with which parameters.
type execution struct {
	caller caller
	sql    string
	// params is one row; nil for none.
	params arrow.RecordBatch
	// transaction is the number of the one it runs in; 0 for none named.
	transaction uint64
	// once: the result is read here, and by nobody again.
	once bool
}

// release gives the parameters up.
func (e execution) release() {
	if e.params != nil {
		e.params.Release()
	}
}

// statement checks a statement's text and transaction.
func (s *Server) statement(c caller, sql string, transaction []byte) (execution, error) {
	if err := s.checkText(sql); err != nil {
		return execution{}, err
	}
	e := execution{caller: c, sql: sql}
	if len(transaction) > 0 {
		var err error
		if e.caller, e.transaction, err = s.checkTransaction(c, transaction); err != nil {
			return execution{}, err
		}
	}
	return e, nil
}

func (s *Server) checkText(sql string) error {
	switch {
	case strings.TrimSpace(sql) == "":
		return qerr.New(qerr.User, "the statement is empty")
	case len(sql) > s.cfg.StatementBytesMax:
		return qerr.New(qerr.User, "the statement has %d bytes; at most %d are allowed", len(sql), s.cfg.StatementBytesMax)
	case !utf8.ValidString(sql):
		return qerr.New(qerr.User, "the statement is not valid UTF-8")
	}
	return nil
}

func (s *Server) request(e execution) coordinator.Request {
	return coordinator.Request{SQL: e.sql, Params: e.params, Settings: s.sessions.settings(e.caller), User: e.caller.subject,
		Session: e.caller.session, Once: e.once, Temporary: s.sessions.temporary(e.caller).In(e.transaction)}
}

// submit starts a statement. One that made the first temporary table, or began a transaction, leaves it to the session, which
// may not have been there before.
func (s *Server) submit(ctx context.Context, e execution) (Query, coordinator.Request, error) {
	r := s.request(e)
	tables := s.sessions.temporary(e.caller)
	r.Temporary = tables.In(e.transaction)
	q, err := s.cfg.Queries.Submit(ctx, r)
	if err != nil {
		return nil, r, err
	}
	if err := s.sessions.keepTemporary(e.caller, tables); err != nil {
		q.Cancel(err)
		return nil, r, err
	}
	return q, r, nil
}

// resultSchema plans a statement for the schema of its rows; statements without rows have an empty one.
func (s *Server) resultSchema(ctx context.Context, e execution) (*arrow.Schema, error) {
	r := s.request(e)
	d, err := s.cfg.Queries.Describe(ctx, r)
	if err != nil {
		return nil, err
	}
	return arrowtype.ClientSchema(d.Columns, r.Settings.TimeZone()), nil
}

// execute runs a statement until its endpoints are placed. A caller that goes away ends the query.
func (s *Server) execute(ctx context.Context, d *wire.FlightDescriptor, e execution) (*wire.FlightInfo, error) {
	q, state, err := s.run(ctx, e)
	if err != nil {
		return nil, err
	}
	if err := q.Promise(ctx); err != nil {
		q.Cancel(err)
		return nil, err
	}
	return s.queryInfo(d, q, state), nil
}

// run submits a statement and waits until its endpoints are placed; what SET changed is then in the session.
func (s *Server) run(ctx context.Context, e execution) (Query, coordinator.QueryState, error) {
	q, r, err := s.submit(ctx, e)
	if err != nil {
		return nil, coordinator.QueryState{}, err
	}
	err = q.Ready(ctx)
	state := q.State()
	if err == nil {
		err = whole(q, state)
	}
	if err == nil {
		err = s.adopt(ctx, e.caller, r.Settings, state.Settings)
	}
	if err == nil {
		err = s.sessions.keep(ctx, e.caller)
	}
	if err != nil {
		// The query may have failed by itself; then this says nothing new. If the caller has gone, it ends it.
		q.Cancel(err)
		return nil, state, err
	}
	return q, state, nil
}

// whole says why a query whose endpoints are placed cannot be told: it has failed, or has none, which its client would take for no rows.
func whole(q Query, state coordinator.QueryState) error {
	if state.Err == nil && len(state.Endpoints) == 0 {
		return qerr.New(qerr.Internal, "query %s has no endpoint", q.ID())
	}
	return state.Err
}

// adopt puts what a statement changed in its settings into the session, and leaves alone what others changed meanwhile.
func (s *Server) adopt(ctx context.Context, c caller, before, after settings.Values) error {
	if before.Fingerprint() == after.Fingerprint() {
		return nil
	}
	if err := s.checkNames(ctx, before, after); err != nil {
		return err
	}
	return s.sessions.set(ctx, c, func(now settings.Values) (settings.Values, error) {
		for _, o := range after.All() {
			if o.Value == before.Get(o.Name) {
				continue
			}
			var err error
			if now, err = now.Set(o.Name, o.Value); err != nil {
				return now, err
			}
		}
		return now, nil
	})
}

// update runs a statement for its effect and returns the count of rows it changed. A query may come this way too: its rows are
// read and dropped, so that its faults come out, and its count is -1, not known, if it has any.
func (s *Server) update(ctx context.Context, e execution) (int64, error) {
	e.once = true
	q, state, err := s.run(ctx, e)
	if err != nil {
		return 0, err
	}
	rows := int64(0)
	for _, endpoint := range state.Endpoints {
		n, err := s.drain(ctx, endpoint.Ticket, e.caller)
		if err != nil {
			q.Cancel(err)
			return 0, err
		}
		rows += n
	}
	if err := s.sessions.keep(ctx, e.caller); err != nil {
		return 0, err
	}
	if changed := state.Changed; changed >= 0 {
		return changed, nil
	}
	if rows > 0 {
		return -1, nil
	}
	return 0, nil
}

// drain reads a stream to its end and counts its rows.
func (s *Server) drain(ctx context.Context, ticket []byte, c caller) (rows int64, err error) {
	r, err := s.cfg.Queries.Open(ctx, ticket, c.subject)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closeErr := r.Close(); err == nil {
			err = closeErr
		}
	}()
	for {
		batch, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows += batch.NumRows()
		batch.Release()
	}
}
