package memory

import (
	"context"
	"net"
	"net/netip"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/arbalest-sql/arbalest/internal/auth"
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
