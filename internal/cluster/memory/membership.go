package memory

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/cluster/roster"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// leaseTTL is how long a worker may be silent: four pings.
const leaseTTL = 4 * time.Second

// A Config is what a Membership is made of.
type Config struct {
	// Keys verifies workers' credentials.
	Keys *auth.Keyring
	// HandOver gives the signing key to workers that ask for it over loopback. Only for a key that this process made.
	HandOver bool
	// DataLocations is told to every worker that joins: what it may read.
	DataLocations []string
	// LeaseTTL is how long a member may be silent. Default 4 s.
	LeaseTTL time.Duration
	Log      zerolog.Logger
}

// A Membership is the driver, and the gRPC service that workers join.
type Membership struct {
	pb.UnimplementedMembershipServer
	cfg   Config
	store *roster.Owned

	mu      sync.Mutex
	stopped bool
	stop    chan struct{}
	streams sync.WaitGroup
}

var _ driver.Driver = (*Membership)(nil)

// New returns a membership without members.
func New(cfg Config) *Membership {
	if cfg.LeaseTTL == 0 {
		cfg.LeaseTTL = leaseTTL
	}
	return &Membership{cfg: cfg, store: roster.NewOwned(), stop: make(chan struct{})}
}

// Register serves Join on a gRPC server.
func (m *Membership) Register(s grpc.ServiceRegistrar) { pb.RegisterMembershipServer(s, m) }

// Records implements driver.Driver.
func (m *Membership) Records() (uint64, []member.Joined) { return m.store.Records() }

// Wait implements driver.Driver.
func (m *Membership) Wait(ctx context.Context, after uint64) error { return m.store.Wait(ctx, after) }

// Close ends every worker's stream and waits for them. Idempotent.
func (m *Membership) Close() error {
	m.mu.Lock()
	if !m.stopped {
		m.stopped = true
		close(m.stop)
	}
	m.mu.Unlock()
	m.streams.Wait()
	m.store.Close()
	return nil
}

// enter counts a stream; false after Close.
func (m *Membership) enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped {
		return false
	}
	m.streams.Add(1)
	return true
}

// Join implements pb.MembershipServer: it holds the worker's seat for as long as the stream lives and is not silent.
func (m *Membership) Join(stream pb.Membership_JoinServer) error {
	if !m.enter() {
		return grpcerr.ToStatus(qerr.New(qerr.Unavailable, "this coordinator is stopping"))
	}
	defer m.streams.Done()
	return grpcerr.ToStatus(m.join(stream))
}

func (m *Membership) join(stream pb.Membership_JoinServer) error {
	requests, readErr := m.read(stream)
	silence := time.NewTimer(m.cfg.LeaseTTL)
	defer silence.Stop()

	next := func() (*pb.JoinRequest, error) {
		select {
		case request := <-requests:
			silence.Reset(m.cfg.LeaseTTL)
			return request, nil
		case err := <-readErr:
			return nil, err
		case <-silence.C:
			return nil, qerr.New(qerr.Unavailable, "no ping for %s", m.cfg.LeaseTTL)
		case <-m.stop:
			return nil, qerr.New(qerr.Unavailable, "this coordinator is stopping")
		}
	}

	first, err := next()
	if errors.Is(err, io.EOF) {
		return qerr.New(qerr.User, "the stream ended before it said who joins")
	}
	if err != nil {
		return err
	}
	welcome, err := m.admit(stream.Context(), first)
	if err != nil {
		return err
	}
	record, err := cluster.Checked(first.GetRecord())
	if err != nil {
		return err
	}
	owner, err := m.store.Put(record)
	if err != nil {
		return err
	}
	key := roster.LifeOf(record)
	log := m.cfg.Log.With().Str("worker", string(record.ID)).Str("address", record.Address).Logger()
	log.Info().Msg("worker joined")
	defer func() {
		m.store.Remove(owner, key)
		log.Info().Msg("worker left")
	}()

	reply := welcome
	for {
		if err := stream.Send(reply); err != nil {
			return err
		}
		request, err := next()
		if err != nil {
			return err
		}
		if request.GetRecord() != nil {
			record, err := cluster.Checked(request.GetRecord())
			if err != nil {
				return err
			}
			if moved := roster.LifeOf(record); moved != key {
				return qerr.New(qerr.User, "a worker's id and incarnation cannot change within a stream")
			}
			m.store.Update(owner, record)
		}
		if !m.store.Held(owner, key) {
			return qerr.New(qerr.Fenced, "the worker has joined again by another stream")
		}
		reply = &pb.JoinReply{} // an echo
	}
}

// read feeds the stream's messages to a channel: Recv cannot be given a deadline. Its goroutine ends with the stream,
// that is soon after Join returned at the latest.
func (m *Membership) read(stream pb.Membership_JoinServer) (<-chan *pb.JoinRequest, <-chan error) {
	requests, failed := make(chan *pb.JoinRequest), make(chan error, 1)
	ctx := stream.Context()
	m.streams.Go(func() {
		for {
			request, err := stream.Recv()
			if err != nil {
				failed <- err
				return
			}
			select {
			case requests <- request:
			case <-ctx.Done():
				return
			}
		}
	})
	return requests, failed
}
