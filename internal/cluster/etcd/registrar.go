package etcd

import (
	"context"
	"slices"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Registrar keeps a worker listed for as long as it is open. All methods may be called concurrently.
type Registrar struct {
	cfg    Config
	client *clientv3.Client
	keeper *keeper
	cancel context.CancelFunc
	done   chan struct{}
	close  sync.Once

	served    map[string][]string // data locations by coordinator's key; touched by the follower only
	changed   func(locations []string)
	first     sync.Once
	firstDone chan struct{}
	locations []string // written before firstDone closes
}

// Register lists a worker under its record and follows what data the coordinators serve. Each new set of locations is told to
// changed, from one goroutine, but for the first, which Locations returns; changed may be nil. It does not wait for etcd.
func Register(cfg Config, record *pb.WorkerRecord, changed func(locations []string)) (*Registrar, error) {
	cfg = cfg.withDefaults()
	value, err := cfg.Keys.SealRecord(kindWorker, record)
	if err != nil {
		return nil, err
	}
	client, err := cfg.connect()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Registrar{cfg: cfg, client: client, cancel: cancel, done: make(chan struct{}), served: map[string][]string{},
		changed: changed, firstDone: make(chan struct{})}
	r.keeper = newKeeper(cfg, client, cfg.workerKey(record), string(value))
	f := &follower{cfg: cfg, client: client, prefix: cfg.coordinatorsPrefix(), apply: r.apply}
	go func() {
		defer close(r.done)
		revision, err := f.list(ctx)
		for backoff := backoffMin; err != nil && ctx.Err() == nil; backoff = min(2*backoff, backoffMax) {
			cfg.Log.Warn().Err(err).Dur("retry_in", backoff).Msg("coordinators are not known yet")
			pause(ctx, backoff)
			revision, err = f.list(ctx)
		}
		f.run(ctx, revision)
	}()
	return r, nil
}

// Locations waits until the worker is listed and a coordinator has said what data there is.
func (r *Registrar) Locations(ctx context.Context) ([]string, error) {
	for _, step := range []struct {
		done    <-chan struct{}
		missing string
	}{
		{r.keeper.first, "list this worker"},
		{r.firstDone, "find a coordinator under " + r.cfg.coordinatorsPrefix()},
	} {
		select {
		case <-step.done:
		case <-ctx.Done():
			return nil, r.cfg.unavailable(step.missing, context.Cause(ctx))
		case <-r.done:
			return nil, qerr.New(qerr.Unavailable, "the registrar was closed")
		}
	}
	return r.locations, nil
}

// Joined reports whether the worker is listed as far as this side knows, for readiness.
func (r *Registrar) Joined() bool { return r.keeper.kept.Load() }

// Update changes the record; its id and incarnation must stay.
func (r *Registrar) Update(record *pb.WorkerRecord) {
	value, err := r.cfg.Keys.SealRecord(kindWorker, record)
	if err != nil { // a record is small and always of one type
		r.cfg.Log.Error().Err(err).Msg("the changed record cannot be told")
		return
	}
	r.keeper.set(string(value))
}

// Close takes the worker off the list and waits. Idempotent.
func (r *Registrar) Close() error {
	r.close.Do(func() {
		r.cancel()
		r.keeper.close()
		<-r.done
		_ = r.client.Close() // it reports only its own cancellation
	})
	return nil
}

// apply tells a new set of locations. While no coordinator is listed (all of them restart) the last set stays.
func (r *Registrar) apply(c change) {
	if c.whole {
		clear(r.served)
	}
	for _, key := range c.deleted {
		delete(r.served, key)
	}
	for _, kv := range c.set {
		var served pb.JoinReply
		if err := r.cfg.Keys.UnsealRecord(kindCoordinator, kv.Value, &served); err != nil {
			r.cfg.Log.Warn().Err(err).Str("key", string(kv.Key)).Msg("a coordinator's record in etcd is not counted")
			continue
		}
		r.served[string(kv.Key)] = served.GetDataLocations()
	}
	if len(r.served) == 0 {
		return
	}
	var all []string
	for _, locations := range r.served {
		all = append(all, locations...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	isFirst := false
	r.first.Do(func() { isFirst, r.locations = true, all; close(r.firstDone) })
	if !isFirst && r.changed != nil {
		r.changed(all)
	}
}
