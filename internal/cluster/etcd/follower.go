package etcd

import (
	"context"
	"math/rand/v2"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/arbalest-sql/arbalest/internal/cluster/roster"
)

// A change is what happened below a prefix: all keys that are there now (whole), or those set and deleted since.
type change struct {
	whole   bool
	set     []*mvccpb.KeyValue
	deleted []string
}

// A follower tells apply, from one goroutine, what is below a prefix and every change of it.
type follower struct {
	cfg    Config
	client *clientv3.Client
	prefix string
	apply  func(change)
}

// list tells everything, and returns the revision it was read at.
func (f *follower) list(ctx context.Context) (revision int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := f.client.Get(ctx, f.prefix, clientv3.WithPrefix(), clientv3.WithLimit(roster.LivesMax))
	if err != nil {
		return 0, f.cfg.unavailable("read "+f.prefix, err)
	}
	f.apply(change{whole: true, set: reply.Kvs})
	return reply.Header.Revision, nil
}

// run follows from a revision on until ctx ends; what it missed while etcd was away it reads whole.
func (f *follower) run(ctx context.Context, revision int64) {
	backoff := backoffMin
	for ctx.Err() == nil {
		advanced, err := f.watch(ctx, revision+1)
		if ctx.Err() != nil {
			return
		}
		if advanced {
			backoff = backoffMin
		}
		f.cfg.Log.Warn().Err(err).Str("prefix", f.prefix).Dur("retry_in", backoff).Msg("etcd is not watched: the membership may be stale")
		for {
			pause(ctx, backoff/2+rand.N(backoff/2))
			backoff = min(2*backoff, backoffMax)
			if revision, err = f.list(ctx); err == nil || ctx.Err() != nil {
				break
			}
			f.cfg.Log.Warn().Err(err).Dur("retry_in", backoff).Msg("etcd is not read: the membership may be stale")
		}
	}
}

// watch tells changes until the watch breaks: by a lost leader too, since a member without one would keep silent for ever.
func (f *follower) watch(ctx context.Context, from int64) (advanced bool, err error) {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for reply := range f.client.Watch(ctx, f.prefix, clientv3.WithPrefix(), clientv3.WithRev(from)) {
		if err := reply.Err(); err != nil {
			return advanced, f.cfg.unavailable("watch "+f.prefix, err)
		}
		advanced = true
		var c change
		for _, event := range reply.Events {
			// Order matters within one reply: a key may be deleted and set again. Each kind is told by itself then.
			if event.Type == clientv3.EventTypeDelete {
				f.flush(&c, len(c.set) > 0)
				c.deleted = append(c.deleted, string(event.Kv.Key))
			} else {
				f.flush(&c, len(c.deleted) > 0)
				c.set = append(c.set, event.Kv)
			}
		}
		f.flush(&c, len(c.set)+len(c.deleted) > 0)
	}
	return advanced, f.cfg.unavailable("watch "+f.prefix, context.Cause(ctx))
}

// flush tells what was collected, if now.
func (f *follower) flush(c *change, now bool) {
	if now {
		f.apply(*c)
		*c = change{}
	}
}
