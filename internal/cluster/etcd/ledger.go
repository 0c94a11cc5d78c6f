package etcd

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/cluster/roster"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// unpackedBytesMax bounds a record once it is unpacked: what is stored compresses tenfold, not a hundredfold.
const unpackedBytesMax = 32 << 20

var _ driver.Ledger = (*Membership)(nil)

// Self implements driver.Ledger.
func (m *Membership) Self() driver.Life { return m.self }

func (m *Membership) queryKey(life string, query ids.QueryID) string {
	return m.cfg.queriesPrefix() + life + "/" + string(query)
}

func (m *Membership) fallenKey(life string) string { return m.cfg.fallenPrefix() + life }

// upright are the conditions of a life's own writes: it is listed and has not fallen.
func (m *Membership) upright() []clientv3.Cmp {
	return []clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(m.fallenKey(m.self.ID)), "=", 0),
		clientv3.Compare(clientv3.CreateRevision(m.keeper.key), ">", 0)}
}

// write does something that only an upright life may do; more are further conditions. It is false when those do not hold.
func (m *Membership) write(ctx context.Context, what string, more []clientv3.Cmp, then ...clientv3.Op) (done bool, err error) {
	reply, err := m.attempt(ctx, what, more, then)
	return err == nil && reply.Succeeded, err
}

// attempt is write that tells what etcd answered: otherwise are read when further conditions do not hold, in the answer's first
// places.
func (m *Membership) attempt(ctx context.Context, what string, more []clientv3.Cmp, then []clientv3.Op, otherwise ...clientv3.Op) (*clientv3.TxnResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	n := len(otherwise)
	otherwise = append(otherwise, clientv3.OpGet(m.fallenKey(m.self.ID)), clientv3.OpGet(m.keeper.key, clientv3.WithKeysOnly()))
	reply, err := m.client.Txn(ctx).If(append(m.upright(), more...)...).Then(then...).Else(otherwise...).Commit()
	switch {
	case err != nil:
		return nil, m.cfg.unavailable(what, err)
	case reply.Succeeded:
		return reply, nil
	case reply.Responses[n].GetResponseRange().GetCount() > 0:
		return nil, qerr.New(qerr.Fenced, "%s: coordinator %s has fallen, and another one goes on with its queries", what, m.self.ID)
	case reply.Responses[n+1].GetResponseRange().GetCount() == 0:
		return nil, qerr.New(qerr.Unavailable, "%s: this coordinator is not listed in etcd", what)
	}
	return reply, nil
}

// Owners implements driver.Ledger.
func (m *Membership) Owners(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	prefix := m.cfg.queriesPrefix()
	var owners []string
	// From one life's last possible key to the next life's first.
	for from := prefix; ; {
		reply, err := m.client.Get(ctx, from, clientv3.WithRange(clientv3.GetPrefixRangeEnd(prefix)), clientv3.WithKeysOnly(), clientv3.WithLimit(1))
		if err != nil {
			return nil, m.cfg.unavailable("list the records of queries", err)
		}
		if len(reply.Kvs) == 0 {
			return owners, nil
		}
		life, _, _ := strings.Cut(strings.TrimPrefix(string(reply.Kvs[0].Key), prefix), "/")
		owners = append(owners, life)
		from = clientv3.GetPrefixRangeEnd(prefix + life + "/")
	}
}

// Succeed implements driver.Ledger.
func (m *Membership) Succeed(ctx context.Context, life string) (mine bool, err error) {
	what := "succeed coordinator " + life
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := m.client.Txn(call).Then(clientv3.OpGet(m.fallenKey(life)), clientv3.OpGet(m.cfg.coordinatorsPrefix(), clientv3.WithPrefix(), clientv3.WithLimit(roster.LivesMax))).Commit()
	if err != nil {
		return false, m.cfg.unavailable(what, err)
	}
	live := map[string]bool{}
	for _, kv := range reply.Responses[1].GetResponseRange().Kvs {
		if one, err := m.cfg.readLife(kv); err == nil {
			live[one.ID] = true
		}
	}
	seen := clientv3.Compare(clientv3.CreateRevision(m.fallenKey(life)), "=", 0)
	if found := reply.Responses[0].GetResponseRange().Kvs; len(found) > 0 {
		before, err := m.cfg.readFallen(found[0])
		if err == nil && (before.Done || before.Successor != m.self.ID && live[before.Successor]) {
			return false, nil
		}
		if err == nil && before.Successor == m.self.ID {
			return true, nil
		}
		seen = clientv3.Compare(clientv3.ModRevision(m.fallenKey(life)), "=", found[0].ModRevision)
	} else if live[life] || life == m.self.ID {
		return false, nil
	}
	return m.fell(call, what, driver.Fallen{ID: life, Successor: m.self.ID}, seen)
}

// Settle implements driver.Ledger.
func (m *Membership) Settle(ctx context.Context, life string) error {
	_, err := m.fell(ctx, "note that coordinator "+life+" has been succeeded", driver.Fallen{ID: life, Successor: m.self.ID, Done: true})
	return err
}

// fell writes who succeeds a life, under a lease of its own that nobody keeps.
func (m *Membership) fell(ctx context.Context, what string, f driver.Fallen, more ...clientv3.Cmp) (bool, error) {
	value, err := m.cfg.Keys.SealRecord(kindFallen, &pb.FallenRecord{CoordinatorId: f.ID, SuccessorId: f.Successor, Done: f.Done})
	if err != nil {
		return false, err
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	lease, err := m.client.Grant(call, int64(fallenTTL/time.Second))
	if err != nil {
		return false, m.cfg.unavailable(what, err)
	}
	return m.write(ctx, what, more, clientv3.OpPut(m.fallenKey(f.ID), string(value), clientv3.WithLease(lease.ID)))
}

// claimPage is how many records are read at once: with the largest ones that is a reply that etcd's client accepts.
const claimPage = 3

// Claim implements driver.Ledger.
func (m *Membership) Claim(ctx context.Context, life string) (claimed []*pb.QueryRecord, err error) {
	m.claiming.Lock()
	defer m.claiming.Unlock()
	if record, err := m.claimInDoubt(ctx); err != nil {
		return nil, err
	} else if record != nil {
		claimed = append(claimed, record)
	}
	prefix := m.queryKey(life, "")
	for from := prefix; ; {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		reply, err := m.client.Get(call, from, clientv3.WithRange(clientv3.GetPrefixRangeEnd(prefix)), clientv3.WithLimit(claimPage))
		cancel()
		if err != nil {
			return claimed, m.cfg.unavailable("read the records of coordinator "+life, err)
		}
		for _, kv := range reply.Kvs {
			from = string(kv.Key) + "\x00"
			unchanged := []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(string(kv.Key)), "=", kv.ModRevision)}
			steps := []clientv3.Op{clientv3.OpDelete(string(kv.Key))}
			record, fault := m.unpack(kv.Value)
			if fault == nil && m.queryKey(record.GetCoordinatorId(), ids.QueryID(record.GetQueryId())) != string(kv.Key) {
				fault = qerr.New(qerr.Unauthenticated, "it is of query %s of coordinator %s", record.GetQueryId(), record.GetCoordinatorId())
			}
			if fault != nil {
				m.cfg.Log.Warn().Err(fault).Str("key", string(kv.Key)).Msg("the record of a query is dropped")
			} else {
				record.CoordinatorId, record.Epoch = m.self.ID, record.GetEpoch()+1
				value, err := m.pack(record)
				if err != nil {
					return claimed, err
				}
				steps = append(steps, clientv3.OpPut(m.queryKey(m.self.ID, ids.QueryID(record.GetQueryId())), string(value)))
			}
			mine, err := m.write(ctx, "claim a query of coordinator "+life, unchanged, steps...)
			switch {
			case fault != nil && err == nil:
			case err == nil && mine:
				claimed = append(claimed, record)
			case err == nil: // nobody else writes it: an earlier call, which was not answered, has done it since
				err = qerr.New(qerr.Unavailable, "the record of query %s has moved", record.GetQueryId())
				fallthrough
			default:
				if fault == nil {
					m.inDoubt = ids.QueryID(record.GetQueryId())
				}
				return claimed, err
			}
		}
		if !reply.More {
			return claimed, nil
		}
	}
}

// claimInDoubt gives the record whose claim was not answered the last time, if it has happened all the same; claiming is held.
func (m *Membership) claimInDoubt(ctx context.Context) (*pb.QueryRecord, error) {
	if m.inDoubt == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := m.client.Get(ctx, m.queryKey(m.self.ID, m.inDoubt))
	if err != nil {
		return nil, m.cfg.unavailable("read the record of query "+string(m.inDoubt), err)
	}
	m.inDoubt = ""
	if len(reply.Kvs) == 0 {
		return nil, nil
	}
	return m.unpack(reply.Kvs[0].Value)
}

// pack makes a record what is stored.
func (m *Membership) pack(record *pb.QueryRecord) ([]byte, error) {
	plain, err := proto.Marshal(record)
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "pack the record of a query", err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(plain)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "pack the record of a query", err)
	}
	return m.cfg.Keys.SealLarge(kindQuery, &pb.PackedRecord{Gzip: packed.Bytes()}, driver.QueryRecordBytesMax)
}

func (m *Membership) unpack(value []byte) (*pb.QueryRecord, error) {
	var packed pb.PackedRecord
	if err := m.cfg.Keys.UnsealLarge(kindQuery, value, &packed, driver.QueryRecordBytesMax); err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed.GetGzip()))
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "unpack the record of a query", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, unpackedBytesMax))
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "unpack the record of a query", err)
	}
	var record pb.QueryRecord
	return &record, qerr.Wrap(qerr.Internal, "unpack the record of a query", proto.Unmarshal(plain, &record))
}
