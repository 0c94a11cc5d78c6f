package memory

import (
	"errors"

	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/roster"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// An Embedded is the seat of a worker of this process.
type Embedded struct {
	store *roster.Owned
	owner uint64
	key   roster.Life
}

// Add makes a worker of this process a member until Close.
func (m *Membership) Add(record *pb.WorkerRecord) (*Embedded, error) {
	r, err := cluster.Checked(record)
	if err != nil {
		return nil, err
	}
	owner, err := m.store.Put(r)
	if err != nil {
		return nil, err
	}
	return &Embedded{store: m.store, owner: owner, key: roster.LifeOf(r)}, nil
}

// Update replaces the record (draining); the id and the incarnation must stay.
func (e *Embedded) Update(record *pb.WorkerRecord) error {
	r, err := cluster.Checked(record)
	if err != nil {
		return err
	}
	if same := roster.LifeOf(r) == e.key; !same || !e.store.Update(e.owner, r) {
		return errors.New("memory: the record is of another worker, or its seat was given up")
	}
	return nil
}

// Close leaves. Idempotent.
func (e *Embedded) Close() error {
	e.store.Remove(e.owner, e.key)
	return nil
}
