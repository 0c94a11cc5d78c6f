package memory

import (
	"context"
	"net"
	"net/netip"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// admit checks who joins, and says what it must know.
func (m *Membership) admit(ctx context.Context, first *pb.JoinRequest) (*pb.JoinReply, error) {
	welcome := &pb.JoinReply{DataLocations: m.cfg.DataLocations}
	if first.GetWantsKey() {
		if !m.cfg.HandOver || !loopback(ctx) {
			return nil, qerr.New(qerr.PermissionDenied,
				"this coordinator gives its cluster key only over loopback, and only one that it made itself; start the worker with --cluster-key")
		}
		welcome.KeyId, welcome.Key = m.cfg.Keys.Signer()
		return welcome, nil
	}
	var credential string
	if values := metadata.ValueFromIncomingContext(ctx, auth.CredentialHeader); len(values) > 0 {
		credential = values[0]
	}
	if err := m.cfg.Keys.VerifyCredential(credential, time.Now()); err != nil {
		return nil, qerr.Wrap(qerr.Unauthenticated, "join", err)
	}
	return welcome, nil
}

func loopback(ctx context.Context) bool {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return false
	}
	if _, ok := p.Addr.(*net.UnixAddr); ok {
		return true
	}
	address, err := netip.ParseAddrPort(p.Addr.String())
	return err == nil && address.Addr().Unmap().IsLoopback()
}

func checked(record *pb.WorkerRecord) (member.Record, error) {
	if record == nil || record.GetWorkerId() == "" || record.GetIncarnation() == "" {
		return member.Record{}, qerr.New(qerr.User, "a worker joins with a record that has an id and an incarnation")
	}
	for _, text := range []string{record.GetWorkerId(), record.GetIncarnation(), record.GetAddress(), record.GetAdvertised(),
		record.GetDuckdbVersion(), record.GetVersion()} {
		if len(text) > fieldBytesMax {
			return member.Record{}, qerr.New(qerr.User, "a field of the worker's record has more than %d bytes", fieldBytesMax)
		}
	}
	if n := len(record.GetHashVector()); n > hashBytesMax {
		return member.Record{}, qerr.New(qerr.User, "the hash vector of the worker's record has %d bytes, more than %d", n, hashBytesMax)
	}
	return cluster.FromProto(record), nil
}
