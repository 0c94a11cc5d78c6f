package kubernetes

import (
	"context"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/cluster/roster"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Membership is the driver as a coordinator has it.
type Membership struct {
	cfg    Config
	seats  *roster.Owned
	client *rest.RESTClient // nil in tests without an API server
	ctx    context.Context  //nolint:containedctx // the life of the visits, which begin at any time; ended by Close
	cancel context.CancelFunc
	runs   sync.WaitGroup // the follower and the visits

	mu     sync.Mutex
	visits map[place]context.CancelFunc // guarded by mu; nil after Close
	close  sync.Once
}

var _ driver.Driver = (*Membership)(nil)

// Open reads where workers are, and visits them and every one that comes until Close. It fails when the API server cannot be
// reached or refuses, with an error of kind Unavailable.
func Open(ctx context.Context, cfg Config) (*Membership, error) {
	if !validService(cfg.Namespace, cfg.Service) {
		return nil, qerr.New(qerr.User, "%q and %q are no namespace and Service", cfg.Namespace, cfg.Service)
	}
	client, api, err := cfg.client()
	if err != nil {
		return nil, err
	}
	m := newMembership(cfg)
	m.client = client
	f := &follower{client: client, server: api.Host, namespace: cfg.Namespace, service: cfg.Service, log: cfg.Log, apply: m.apply}
	version, err := f.list(ctx)
	if err != nil {
		_ = m.Close() // never fails
		return nil, err
	}
	m.runs.Go(func() { f.run(m.ctx, version) })
	return m, nil
}

func newMembership(cfg Config) *Membership {
	m := &Membership{cfg: cfg.withDefaults(), seats: roster.NewOwned(), visits: map[place]context.CancelFunc{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// Records implements driver.Driver.
func (m *Membership) Records() (uint64, []member.Joined) { return m.seats.Records() }

// Wait implements driver.Driver.
func (m *Membership) Wait(ctx context.Context, after uint64) error { return m.seats.Wait(ctx, after) }

// Close ends the visits and the watch. Idempotent.
func (m *Membership) Close() error {
	m.close.Do(func() {
		m.mu.Lock()
		m.visits = nil
		m.mu.Unlock()
		m.cancel()
		m.runs.Wait()
		m.seats.Close()
		if m.client != nil {
			m.client.Client.CloseIdleConnections()
		}
	})
	return nil
}

// apply begins a visit at each new place and ends those at places that are gone.
func (m *Membership) apply(places map[place]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.visits == nil {
		return
	}
	for p, cancel := range m.visits {
		if !places[p] {
			cancel()
			delete(m.visits, p)
		}
	}
	for p := range places {
		if m.visits[p] != nil {
			continue
		}
		if len(m.visits) >= roster.LivesMax {
			m.cfg.Log.Warn().Int("places", len(places)).Int("max", roster.LivesMax).Msg("the Service has more workers than a coordinator visits")
			return
		}
		ctx, cancel := context.WithCancel(m.ctx)
		m.visits[p] = cancel
		v := &visit{cfg: m.cfg, seats: m.seats, place: p, log: m.cfg.Log.With().Str("place", p.address()).Logger()}
		m.runs.Go(func() {
			defer cancel()
			v.run(ctx)
		})
	}
}
