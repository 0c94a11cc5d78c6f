package etcd

import (
	"context"
	"net/url"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func (c Config) sessionKey(session string) string {
	return c.sessionsPrefix() + url.PathEscape(session)
}

// A keeping is the lease under which records of sessions are written. One lease is that of many records, as etcd's leases are not as
// cheap as its keys: it is used for as long as they are to be kept, and runs out after as long again.
type keeping struct {
	mu    sync.Mutex
	lease clientv3.LeaseID
	keep  time.Duration
	used  *time.Timer // when it fires another lease is taken; nil: there is none
}

// get returns a lease that goes on for at least a time.
func (k *keeping) get(ctx context.Context, client *clientv3.Client, keep time.Duration) (clientv3.LeaseID, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.used != nil && k.keep == keep {
		select {
		case <-k.used.C:
		default:
			return k.lease, nil
		}
	}
	used := time.NewTimer(keep) // begins no later than the lease
	lease, err := client.Grant(ctx, int64(2*keep/time.Second)+1)
	if err != nil {
		return 0, err
	}
	k.lease, k.keep, k.used = lease.ID, keep, used
	return k.lease, nil
}

// drop forgets the lease, which may be gone.
func (k *keeping) drop(lease clientv3.LeaseID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lease == lease {
		k.used = nil
	}
}

// PutSession implements driver.Ledger.
func (m *Membership) PutSession(ctx context.Context, record *pb.SessionRecord, keep time.Duration) error {
	what := "write the record of a session"
	value, err := m.cfg.Keys.SealRecord(kindSession, record)
	if err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	lease, err := m.sessions.get(call, m.client, keep)
	if err != nil {
		return m.cfg.unavailable(what, err)
	}
	if _, err = m.write(call, what, nil, clientv3.OpPut(m.cfg.sessionKey(record.GetSession()), string(value), clientv3.WithLease(lease))); err != nil {
		m.sessions.drop(lease)
	}
	return err
}

// DeleteSession implements driver.Ledger.
func (m *Membership) DeleteSession(ctx context.Context, session string) error {
	_, err := m.write(ctx, "remove the record of a session", nil, clientv3.OpDelete(m.cfg.sessionKey(session)))
	return err
}

// Session implements driver.Ledger.
func (m *Membership) Session(ctx context.Context, session string) (*pb.SessionRecord, error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := m.client.Get(call, m.cfg.sessionKey(session))
	if err != nil {
		return nil, m.cfg.unavailable("read the record of a session", err)
	}
	if len(reply.Kvs) == 0 {
		return nil, nil //nolint:nilnil // as documented
	}
	var record pb.SessionRecord
	if err := m.cfg.Keys.UnsealRecord(kindSession, reply.Kvs[0].Value, &record); err != nil {
		return nil, err
	}
	if record.GetSession() != session {
		return nil, qerr.New(qerr.Unauthenticated, "the record of a session is that of another one")
	}
	return &record, nil
}
