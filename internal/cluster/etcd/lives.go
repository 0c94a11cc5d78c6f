package etcd

import (
	"context"
	"maps"
	"strings"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A census is the coordinators that are listed, and those that have fallen, as the followers have read them.
type census struct {
	cfg Config

	mu      sync.Mutex
	listed  map[string]driver.Life   // by key
	fallen  map[string]driver.Fallen // by key
	lives   driver.Lives             // made of both, never changed
	version uint64
	changed chan struct{} // closed and replaced at each change
	closed  bool
}

func newCensus(cfg Config) *census {
	return &census{cfg: cfg, listed: map[string]driver.Life{}, fallen: map[string]driver.Fallen{}, changed: make(chan struct{})}
}

// applyListed and applyFallen bring it up to changes.
func (c *census) applyListed(change change) { applyTo(c, change, c.listed, c.cfg.readLife) }
func (c *census) applyFallen(change change) { applyTo(c, change, c.fallen, c.cfg.readFallen) }

func applyTo[V any](c *census, change change, to map[string]V, read func(*mvccpb.KeyValue) (V, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if change.whole {
		clear(to)
	}
	for _, key := range change.deleted {
		delete(to, key)
	}
	for _, kv := range change.set {
		v, err := read(kv)
		if err != nil {
			c.cfg.Log.Warn().Err(err).Str("key", string(kv.Key)).Msg("a coordinator's record in etcd is not counted")
			delete(to, string(kv.Key))
			continue
		}
		to[string(kv.Key)] = v
	}
	lives := driver.Lives{Live: map[string]driver.Life{}, Fallen: map[string]driver.Fallen{}}
	for _, life := range c.listed {
		if life.ID != "" { // an older version, which has no records
			lives.Live[life.ID] = life
		}
	}
	for _, fallen := range c.fallen {
		lives.Fallen[fallen.ID] = fallen
		delete(lives.Live, fallen.ID) // listed again, which does not count any more
	}
	if c.version > 0 && maps.Equal(lives.Live, c.lives.Live) && maps.Equal(lives.Fallen, c.lives.Fallen) {
		return
	}
	c.lives = lives
	c.touch()
}

// touch tells of a change; mu is held.
func (c *census) touch() {
	c.version++
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *census) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.touch()
	}
}

// Lives implements driver.Ledger.
func (m *Membership) Lives() (uint64, driver.Lives) {
	m.census.mu.Lock()
	defer m.census.mu.Unlock()
	return m.census.version, m.census.lives
}

// WaitLives implements driver.Ledger.
func (m *Membership) WaitLives(ctx context.Context, after uint64) error {
	for c := m.census; ; {
		c.mu.Lock()
		version, changed, closed := c.version, c.changed, c.closed
		c.mu.Unlock()
		switch {
		case closed:
			return qerr.New(qerr.Unavailable, "the membership is closed")
		case version > after:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c Config) readLife(kv *mvccpb.KeyValue) (driver.Life, error) {
	var r pb.CoordinatorRecord
	if err := c.Keys.UnsealRecord(kindCoordinator, kv.Value, &r); err != nil {
		return driver.Life{}, err
	}
	return driver.Life{ID: r.GetCoordinatorId(), Address: r.GetAddress(), TLS: r.GetTls()}, nil
}

// readFallen reads who succeeds a life. It must stand under that life's key.
func (c Config) readFallen(kv *mvccpb.KeyValue) (driver.Fallen, error) {
	var r pb.FallenRecord
	if err := c.Keys.UnsealRecord(kindFallen, kv.Value, &r); err != nil {
		return driver.Fallen{}, err
	}
	if id := strings.TrimPrefix(string(kv.Key), c.fallenPrefix()); id != r.GetCoordinatorId() {
		return driver.Fallen{}, qerr.New(qerr.Unauthenticated, "the record is of %q", r.GetCoordinatorId())
	}
	return driver.Fallen{ID: r.GetCoordinatorId(), Successor: r.GetSuccessorId(), Done: r.GetDone()}, nil
}
