package flightserver

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// A session's options outlive its state: they are written down before a change is answered, and read again when a caller comes
// with the token of a session that is not here. Else its statements would run with the defaults, and give other rows: in another time
// zone, or of another schema. What cannot be written down is told to be lost: temporary tables.

// changesMax is over how many locks the changes of sessions are spread.
const changesMax = 64

// changes makes the changes of one session, and their records, come one after the other.
type changes struct {
	seed  maphash.Seed
	locks [changesMax]sync.Mutex
}

func (g *changes) lock(session string) (unlock func()) {
	mu := &g.locks[maphash.String(g.seed, session)%changesMax]
	mu.Lock()
	return mu.Unlock
}

// set changes the caller's settings; change gets the current ones. The change holds once it is written down.
func (t *sessions) set(ctx context.Context, c caller, change func(settings.Values) (settings.Values, error)) error {
	defer t.changes.lock(c.session)()
	values, err := change(t.settings(c))
	if err != nil {
		return err
	}
	kept, err := t.write(ctx, c, &values)
	if err != nil {
		return err
	}
	return t.with(c, true, func(s *session) error {
		s.settings, s.kept = values, kept
		return nil
	})
}

// keep writes down what a statement may have changed in the caller's session beside its settings, and sees that the record
// stays as long as the session.
func (t *sessions) keep(ctx context.Context, c caller) error {
	if t.due(c, nil).now == nil {
		return nil // as nearly always; changes of other sessions are not waited for
	}
	defer t.changes.lock(c.session)()
	_, err := t.write(ctx, c, nil)
	return err
}

// A due is what is to be done about a session's record: now is nil for nothing.
type due struct {
	kept   mark
	now    *mark
	record *pb.SessionRecord // nil: it is to be removed
}

// due compares the caller's session, with other settings if there are any, with its record.
func (t *sessions) due(c caller, values *settings.Values) due {
	t.mu.Lock()
	defer t.mu.Unlock()
	initial, temporary, d, now := c.options().Fingerprint(), false, due{}, t.cfg.Now()
	if s := t.find(c); s != nil {
		initial, temporary, d.kept = s.initial, s.tables.In(0).Any(), s.kept
		if values == nil {
			values = &s.settings
		}
	}
	if values == nil {
		return d
	}
	next := mark{at: now}
	if temporary || values.Fingerprint() != initial { // else nothing would be lost with it
		next.said = said(*values, temporary)
	}
	if next.said == d.kept.said && (next.said == "" || now.Sub(d.kept.at) < t.cfg.TokenTTL) {
		return d
	}
	if d.now = &next; next.said != "" {
		d.record = recordOf(c, *values, temporary)
	}
	return d
}

// write brings the record of the caller's session up to what it is now, with other settings if there are any. The caller has the
// session's changes locked.
func (t *sessions) write(ctx context.Context, c caller, values *settings.Values) (kept mark, err error) {
	d := t.due(c, values)
	switch {
	case d.now == nil:
		return d.kept, nil
	case d.record == nil:
		err = t.cfg.Sessions.DeleteSession(ctx, c.session)
	default:
		// It is written again when it is as old as a token may become, and then has to last for another one.
		err = t.cfg.Sessions.PutSession(ctx, d.record, 2*t.cfg.TokenTTL)
	}
	if err != nil {
		return d.kept, qerr.Wrap(qerr.Unavailable, "the session's state cannot be made safe", err)
	}
	if d.record != nil {
		kept = *d.now
	}
	err = t.with(c, false, func(s *session) error { // which forgets it, if it holds nothing any more
		if s != nil {
			s.kept = kept
		}
		return nil
	})
	return kept, err
}

// load brings the caller's session back from its record, if there is one and the session is not here. foreign says that another
// coordinator may have written it.
func (t *sessions) load(ctx context.Context, c caller, foreign bool) error {
	if !t.away(c, foreign) {
		return nil
	}
	defer t.changes.lock(c.session)()
	if !t.away(c, foreign) {
		return nil
	}
	record, err := t.cfg.Sessions.Session(ctx, c.session)
	if err != nil {
		return qerr.Wrap(qerr.Unavailable, "read the session's options", err)
	}
	if record == nil {
		return nil
	}
	if err := readable(record, c); err != nil {
		return err
	}
	values, err := settings.From(record.GetSettings())
	if err != nil {
		return qerr.Wrap(qerr.Unauthenticated, "the session cannot go on here; connect again", err)
	}
	return t.with(c, true, func(s *session) error {
		s.settings, s.kept = values, mark{said: said(values, false)} // as old as can be: nobody knows when it was written
		return nil
	})
}

// readable refuses a record that the caller cannot go on with.
func readable(record *pb.SessionRecord, c caller) error {
	switch {
	case record.GetSubject() != c.subject:
		return qerr.New(qerr.PermissionDenied, "this session belongs to another user")
	case record.GetTemporary():
		return qerr.New(qerr.Unauthenticated, "the session's temporary tables are lost: its coordinator is gone, or it has rested for too long; "+
			"connect again, or close the session, and make them again")
	}
	return nil
}

// away reports whether the caller's session is not here and may have a record.
func (t *sessions) away(c caller, foreign bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(t.cfg.Now())
	_, rests := t.resting[c.session]
	return t.byID[c.session] == nil && (foreign || rests || t.restingMany)
}

// rest remembers that a session that is dropped has a record. The caller holds mu.
func (t *sessions) rest(s *session) {
	if s.kept.said == "" {
		return
	}
	if len(t.resting) >= restingMax { // from now on every unknown session is looked for
		t.restingMany = true
		clear(t.resting)
	}
	t.resting[s.id] = struct{}{}
}

// closeSession ends the caller's session, wherever it has left something.
func (t *sessions) closeSession(ctx context.Context, c caller, foreign bool) error {
	defer t.changes.lock(c.session)()
	wanted := t.away(c, foreign)
	t.mu.Lock()
	s := t.find(c)
	wanted = wanted || s != nil && s.kept.said != ""
	t.mu.Unlock()
	if wanted {
		if err := t.cfg.Sessions.DeleteSession(ctx, c.session); err != nil {
			return qerr.Wrap(qerr.Unavailable, "close the session", err)
		}
	}
	t.end(c)
	return nil
}
