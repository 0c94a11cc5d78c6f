package etcd

import (
	"context"
	"net/url"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/cluster/roster"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Membership is the driver as a coordinator has it. It also tells workers what data the coordinator serves.
type Membership struct {
	cfg    Config
	client *clientv3.Client
	roster *roster.Roster
	lives  map[string]roster.Life // by key; touched by the follower only
	self   driver.Life
	census *census
	// records are the revisions of this life's records of queries.
	records revisions
	// sessions is the lease of the records of sessions.
	sessions keeping
	keeper   *keeper
	cancel   context.CancelFunc
	run      sync.WaitGroup // the followers
	close    sync.Once

	claiming sync.Mutex  // one at a time
	inDoubt  ids.QueryID // the query whose claim was not answered; guarded by claiming
}

var _ driver.Driver = (*Membership)(nil)

// Open reads the membership, lists this coordinator's life with the data it serves, and follows every change until Close. It
// fails when etcd cannot be reached, with an error of kind Unavailable.
func Open(ctx context.Context, cfg Config, self driver.Life, locations []string) (*Membership, error) {
	cfg = cfg.withDefaults()
	served, err := cfg.Keys.SealRecord(kindCoordinator, &pb.CoordinatorRecord{DataLocations: locations,
		CoordinatorId: self.ID, Address: self.Address, Tls: self.TLS})
	if err != nil {
		return nil, err
	}
	client, err := cfg.connect()
	if err != nil {
		return nil, err
	}
	m := &Membership{cfg: cfg, client: client, roster: roster.New(), lives: map[string]roster.Life{}, self: self, census: newCensus(cfg)}
	run, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	for prefix, apply := range map[string]func(change){
		cfg.workersPrefix(): m.apply, cfg.coordinatorsPrefix(): m.census.applyListed, cfg.fallenPrefix(): m.census.applyFallen,
	} {
		f := &follower{cfg: cfg, client: client, prefix: prefix, apply: apply}
		revision, err := f.list(ctx)
		if err != nil {
			cancel()
			m.run.Wait()
			_ = client.Close() // the error above is the reason
			return nil, err
		}
		m.run.Go(func() { f.run(run, revision) })
	}
	listing := cfg
	listing.LeaseTTL = cfg.CoordinatorTTL
	m.keeper = newKeeper(listing, client, cfg.coordinatorsPrefix()+url.PathEscape(self.Address), string(served))
	return m, nil
}

// Records implements driver.Driver.
func (m *Membership) Records() (uint64, []member.Joined) { return m.roster.Records() }

// Wait implements driver.Driver.
func (m *Membership) Wait(ctx context.Context, after uint64) error { return m.roster.Wait(ctx, after) }

// Close takes this coordinator off the list and stops following. Idempotent.
func (m *Membership) Close() error {
	m.close.Do(func() {
		m.cancel()
		m.run.Wait()
		m.keeper.close()
		_ = m.client.Close() // it reports only its own cancellation
		m.roster.Close()
		m.census.close()
	})
	return nil
}

// apply brings the roster up to a change.
func (m *Membership) apply(c change) {
	_ = m.roster.Change(func(seats map[roster.Life]member.Joined) (changed bool) {
		if c.whole {
			there := make(map[string]bool, len(c.set))
			for _, kv := range c.set {
				there[string(kv.Key)] = true
			}
			for key := range m.lives {
				if !there[key] {
					c.deleted = append(c.deleted, key)
				}
			}
		}
		for _, key := range c.deleted {
			if life, known := m.lives[key]; known {
				delete(m.lives, key)
				delete(seats, life)
				changed = true
			}
		}
		for _, kv := range c.set {
			joined, err := m.read(kv)
			life := roster.LifeOf(joined.Record)
			if err == nil && len(seats) >= roster.LivesMax && m.lives[string(kv.Key)] != life {
				err = qerr.New(qerr.Resource, "the membership is full: %d workers", roster.LivesMax)
			}
			if err != nil {
				m.cfg.Log.Warn().Err(err).Str("key", string(kv.Key)).Msg("a worker's record in etcd is not counted")
				continue
			}
			if old, known := seats[life]; !known || old != joined {
				m.lives[string(kv.Key)], seats[life] = life, joined
				changed = true
			}
		}
		return changed
	})
}

// read checks a record. It must stand under its own key, so that a copy cannot stand for another worker.
func (m *Membership) read(kv *mvccpb.KeyValue) (member.Joined, error) {
	var record pb.WorkerRecord
	if err := m.cfg.Keys.UnsealRecord(kindWorker, kv.Value, &record); err != nil {
		return member.Joined{}, err
	}
	if want := m.cfg.workerKey(&record); string(kv.Key) != want {
		return member.Joined{}, qerr.New(qerr.Unauthenticated, "the record belongs under %s", want)
	}
	return member.Joined{Record: cluster.FromProto(&record), Seq: uint64(kv.CreateRevision)}, nil
}

func (c Config) workerKey(r *pb.WorkerRecord) string {
	return c.workersPrefix() + url.PathEscape(r.GetWorkerId()) + "/" + url.PathEscape(r.GetIncarnation())
}
