package etcd

import (
	"context"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// putTries is how often a record is written that is not as it was left: by a write that was not answered, or a claim.
const putTries = 5

// The revisions of a life's records, as its last answered writes left them. A write demands that the record is still so: one that was
// given up, and reaches etcd after a newer one, changes nothing.
type revisions struct {
	mu sync.Mutex
	of map[ids.QueryID]int64 // absent: 0, as for no record
}

func (r *revisions) get(query ids.QueryID) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[query]
}

func (r *revisions) set(query ids.QueryID, revision int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if revision == 0 {
		delete(r.of, query)
		return
	}
	if r.of == nil {
		r.of = map[ids.QueryID]int64{}
	}
	r.of[query] = revision
}

// Put implements driver.Ledger.
func (m *Membership) Put(ctx context.Context, record *pb.QueryRecord) error {
	value, err := m.pack(record)
	if err != nil {
		return err
	}
	query := ids.QueryID(record.GetQueryId())
	key, what := m.queryKey(m.self.ID, query), "write the record of query "+string(query)
	for range putTries {
		unchanged := clientv3.Compare(clientv3.ModRevision(key), "=", m.records.get(query))
		reply, err := m.attempt(ctx, what, []clientv3.Cmp{unchanged}, []clientv3.Op{clientv3.OpPut(key, string(value))}, clientv3.OpGet(key, clientv3.WithKeysOnly()))
		if err != nil {
			return err
		}
		if reply.Succeeded {
			m.records.set(query, reply.Header.GetRevision())
			return nil
		}
		now := int64(0)
		for _, kv := range reply.Responses[0].GetResponseRange().GetKvs() {
			now = kv.GetModRevision()
		}
		m.records.set(query, now)
	}
	return qerr.New(qerr.Unavailable, "%s: somebody else changes it", what)
}

// Delete implements driver.Ledger.
func (m *Membership) Delete(ctx context.Context, query ids.QueryID) error {
	_, err := m.write(ctx, "remove the record of query "+string(query), nil, clientv3.OpDelete(m.queryKey(m.self.ID, query)))
	if err == nil {
		m.records.set(query, 0)
	}
	return err
}
