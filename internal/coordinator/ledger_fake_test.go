package coordinator

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A fakeStore is what fakeLedgers share.
type fakeStore struct {
	mu       sync.Mutex
	version  uint64
	changed  chan struct{}
	live     map[string]driver.Life
	fallen   map[string]driver.Fallen
	records  map[string]map[ids.QueryID]*pb.QueryRecord // by owner
	sessions map[string]*pb.SessionRecord
	puts     int
	away     bool  // no call is answered
	refusal  error // of records
}

func newFakeStore() *fakeStore {
	return &fakeStore{version: 1, changed: make(chan struct{}), live: map[string]driver.Life{}, fallen: map[string]driver.Fallen{},
		records: map[string]map[ids.QueryID]*pb.QueryRecord{}, sessions: map[string]*pb.SessionRecord{}}
}

// change edits the store and tells everybody.
func (s *fakeStore) change(edit func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit()
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

// list begins a life.
func (s *fakeStore) list(id string) *fakeLedger {
	l := &fakeLedger{store: s, self: driver.Life{ID: id, Address: id + ":1"}}
	s.change(func() { s.live[id] = l.self })
	return l
}

// unlist ends the lease of a life.
func (s *fakeStore) unlist(id string) { s.change(func() { delete(s.live, id) }) }

func (s *fakeStore) record(owner string, query ids.QueryID) *pb.QueryRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[owner][query]
}

func (s *fakeStore) count() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, all := range s.records {
		n += len(all)
	}
	return n
}

func fallenTo(id, successor string, done bool) driver.Fallen {
	return driver.Fallen{ID: id, Successor: successor, Done: done}
}

type fakeLedger struct {
	store *fakeStore
	self  driver.Life
}

func (l *fakeLedger) Self() driver.Life { return l.self }

func (l *fakeLedger) Lives() (uint64, driver.Lives) {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	lives := driver.Lives{Live: maps.Clone(l.store.live), Fallen: maps.Clone(l.store.fallen)}
	for id := range lives.Fallen {
		delete(lives.Live, id)
	}
	return l.store.version, lives
}

func (l *fakeLedger) WaitLives(ctx context.Context, after uint64) error {
	l.store.mu.Lock()
	version, changed := l.store.version, l.store.changed
	l.store.mu.Unlock()
	if version > after {
		return nil
	}
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// write is one write of an upright life.
func (l *fakeLedger) write(edit func()) (err error) {
	l.store.change(func() {
		_, fell := l.store.fallen[l.self.ID]
		switch {
		case l.store.away:
			err = qerr.New(qerr.Unavailable, "the store is away")
		case fell:
			err = qerr.New(qerr.Fenced, "fallen")
		default:
			edit()
		}
	})
	return err
}

func (l *fakeLedger) Put(ctx context.Context, record *pb.QueryRecord) error {
	l.store.mu.Lock()
	refusal := l.store.refusal
	l.store.mu.Unlock()
	if ctx.Err() != nil {
		refusal = qerr.New(qerr.Unavailable, "the call has ended")
	}
	if refusal != nil {
		return refusal
	}
	return l.write(func() {
		l.store.puts++
		if l.store.records[l.self.ID] == nil {
			l.store.records[l.self.ID] = map[ids.QueryID]*pb.QueryRecord{}
		}
		l.store.records[l.self.ID][ids.QueryID(record.GetQueryId())] = proto.CloneOf(record)
	})
}

func (l *fakeLedger) Delete(_ context.Context, query ids.QueryID) error {
	return l.write(func() { delete(l.store.records[l.self.ID], query) })
}

func (l *fakeLedger) Owners(context.Context) ([]string, error) {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	return slices.Sorted(maps.Keys(l.store.records)), nil
}

func (l *fakeLedger) Succeed(_ context.Context, life string) (mine bool, err error) {
	err = l.write(func() {
		_, lives := l.store.live[life]
		before, fell := l.store.fallen[life]
		_, other := l.store.live[before.Successor]
		if mine = !lives && (!fell || !before.Done && (!other || before.Successor == l.self.ID)); mine {
			l.store.fallen[life] = driver.Fallen{ID: life, Successor: l.self.ID}
		}
	})
	return mine, err
}

func (l *fakeLedger) Claim(_ context.Context, life string) (claimed []*pb.QueryRecord, err error) {
	err = l.write(func() {
		for id, record := range l.store.records[life] {
			record = proto.CloneOf(record)
			record.CoordinatorId, record.Epoch = l.self.ID, record.GetEpoch()+1
			if l.store.records[l.self.ID] == nil {
				l.store.records[l.self.ID] = map[ids.QueryID]*pb.QueryRecord{}
			}
			l.store.records[l.self.ID][id] = record
			claimed = append(claimed, proto.CloneOf(record))
		}
		delete(l.store.records, life)
	})
	return claimed, err
}

func (l *fakeLedger) PutSession(_ context.Context, record *pb.SessionRecord, _ time.Duration) error {
	return l.write(func() { l.store.sessions[record.GetSession()] = proto.CloneOf(record) })
}

func (l *fakeLedger) DeleteSession(_ context.Context, session string) error {
	return l.write(func() { delete(l.store.sessions, session) })
}

func (l *fakeLedger) Session(_ context.Context, session string) (*pb.SessionRecord, error) {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	return proto.CloneOf(l.store.sessions[session]), nil
}

func (l *fakeLedger) Settle(_ context.Context, life string) error {
	return l.write(func() { l.store.fallen[life] = driver.Fallen{ID: life, Successor: l.self.ID, Done: true} })
}
