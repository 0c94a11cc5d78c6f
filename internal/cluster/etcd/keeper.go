package etcd

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A keeper keeps one key in etcd under a lease for as long as it is open: it takes a new lease whenever the old one is lost.
type keeper struct {
	cfg    Config
	client *clientv3.Client
	key    string
	value  atomic.Pointer[string]
	update chan struct{} // has an item when value changed
	kept   atomic.Bool   // the key is there as far as this side knows
	first  chan struct{} // closed when the key was there once
	once   sync.Once
	cancel context.CancelFunc
	done   chan struct{}
}

func newKeeper(cfg Config, client *clientv3.Client, key, value string) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{cfg: cfg, client: client, key: key, update: make(chan struct{}, 1), first: make(chan struct{}), cancel: cancel, done: make(chan struct{})}
	k.value.Store(&value)
	go k.run(ctx)
	return k
}

// set changes the value, now or with the next lease.
func (k *keeper) set(value string) {
	k.value.Store(&value)
	select {
	case k.update <- struct{}{}:
	default: // told already: the writer takes the newest value
	}
}

// close removes the key and waits. Idempotent.
func (k *keeper) close() {
	k.cancel()
	<-k.done
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	backoff := backoffMin
	for ctx.Err() == nil {
		wasKept, err := k.session(ctx)
		k.kept.Store(false)
		if ctx.Err() != nil {
			return
		}
		if wasKept {
			backoff = backoffMin
		}
		k.cfg.Log.Warn().Err(err).Str("key", k.key).Dur("retry_in", backoff).Msg("not registered in etcd")
		pause(ctx, backoff/2+rand.N(backoff/2)) // jitter: a fleet must not come back in step
		backoff = min(2*backoff, backoffMax)
	}
}

// session takes a lease, writes the key and stays until the lease is lost or ctx ends.
func (k *keeper) session(ctx context.Context) (wasKept bool, err error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	lease, err := k.client.Grant(call, int64(k.cfg.LeaseTTL/time.Second))
	cancel()
	if err != nil {
		return false, k.cfg.unavailable("take a lease", err)
	}
	defer k.revoke(lease.ID)
	alive, stop := context.WithCancel(ctx)
	defer stop()
	answers, err := k.client.KeepAlive(alive, lease.ID)
	if err != nil {
		return false, k.cfg.unavailable("keep the lease", err)
	}
	if err := k.put(ctx, lease.ID); err != nil {
		return false, err
	}
	k.kept.Store(true)
	k.once.Do(func() { close(k.first) })
	for {
		select {
		case _, ok := <-answers:
			if !ok { // ctx ended, or the lease ran out while etcd could not be reached
				return true, qerr.New(qerr.Unavailable, "the lease was lost")
			}
		case <-k.update:
			if err := k.put(ctx, lease.ID); err != nil {
				return true, err
			}
		}
	}
}

func (k *keeper) put(ctx context.Context, lease clientv3.LeaseID) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := k.client.Put(call, k.key, *k.value.Load(), clientv3.WithLease(lease)); err != nil {
		return k.cfg.unavailable("write "+k.key, err)
	}
	return nil
}

// revoke gives the lease back, and its key with it unless a newer lease holds that by now.
func (k *keeper) revoke(lease clientv3.LeaseID) {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	if _, err := k.client.Revoke(ctx, lease); err != nil {
		k.cfg.Log.Debug().Err(err).Str("key", k.key).Msg("lease not revoked: it runs out by itself")
	}
}
