package flightserver

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// SessionRecords keeps what a session needs to go on when its state is not there any more: it has rested for too long, or its
// coordinator is gone. A cluster's ledger is one that other coordinators read, too. All methods may be called concurrently.
type SessionRecords interface {
	// PutSession keeps a record for at least the time, and not for ever.
	PutSession(ctx context.Context, record *pb.SessionRecord, keep time.Duration) error
	DeleteSession(ctx context.Context, session string) error
	// Session is the record of a session; nil when there is none.
	Session(ctx context.Context, session string) (*pb.SessionRecord, error)
}

// restingMax bounds the records in memory, of some 500 bytes each. Past it the oldest one goes.
const restingMax = 100_000

// restingRecords are SessionRecords in memory, for a coordinator that shares its sessions with nobody.
type restingRecords struct {
	now func() time.Time

	mu    sync.Mutex
	byID  map[string]*list.Element // of *restingRecord
	order *list.List               // the oldest at the front
}

type restingRecord struct {
	record *pb.SessionRecord
	until  time.Time
}

func newRestingRecords(now func() time.Time) *restingRecords {
	return &restingRecords{now: now, byID: map[string]*list.Element{}, order: list.New()}
}

// PutSession implements SessionRecords.
func (r *restingRecords) PutSession(_ context.Context, record *pb.SessionRecord, keep time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(r.byID[record.GetSession()])
	for e := r.order.Front(); e != nil && (r.order.Len() >= restingMax || r.now().After(e.Value.(*restingRecord).until)); e = r.order.Front() {
		r.remove(e)
	}
	r.byID[record.GetSession()] = r.order.PushBack(&restingRecord{record, r.now().Add(keep)})
	return nil
}

// DeleteSession implements SessionRecords.
func (r *restingRecords) DeleteSession(_ context.Context, session string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(r.byID[session])
	return nil
}

// remove takes a record out, if there is one; mu is held.
func (r *restingRecords) remove(e *list.Element) {
	if e != nil {
		delete(r.byID, r.order.Remove(e).(*restingRecord).record.GetSession()) // Nothing else is put there.
	}
}

// Session implements SessionRecords.
func (r *restingRecords) Session(_ context.Context, session string) (*pb.SessionRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.byID[session]
	if e == nil || r.now().After(e.Value.(*restingRecord).until) { // See remove.
		return nil, nil //nolint:nilnil // as documented
	}
	return proto.CloneOf(e.Value.(*restingRecord).record), nil
}

// A mark is what a session's record says, and since when; the zero mark is that of no record.
type mark struct {
	said string
	at   time.Time
}

// said tells two records of a session apart; never "".
func said(values settings.Values, temporary bool) string {
	return fmt.Sprint(temporary, " ", values.Fingerprint())
}

// recordOf writes a session down.
func recordOf(c caller, values settings.Values, temporary bool) *pb.SessionRecord {
	return &pb.SessionRecord{Session: c.session, Subject: c.subject, Settings: values.Changed(), Temporary: temporary}
}
