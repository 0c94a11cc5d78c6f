package kubernetes

import (
	"context"
	crand "crypto/rand"
	"crypto/subtle"
	"math/rand/v2"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/arbalest-sql/arbalest/internal/cluster"
	"github.com/arbalest-sql/arbalest/internal/cluster/roster"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// A visit meets the worker at one place for as long as the place is listed, again and again.
type visit struct {
	cfg   Config
	seats *roster.Owned
	place place
	log   zerolog.Logger
}

func (v *visit) run(ctx context.Context) {
	backoff := backoffMin
	for ctx.Err() == nil {
		met, err := v.meet(ctx)
		if ctx.Err() != nil {
			return
		}
		if met {
			backoff = backoffMin
		}
		// Nobody answers while a pod starts or is gone but still listed: that is no news.
		level := zerolog.WarnLevel
		if !met && qerr.Is(err, qerr.Unavailable) {
			level = zerolog.DebugLevel
		}
		v.log.WithLevel(level).Err(err).Bool("was_met", met).Dur("retry_in", backoff).Msg("the worker is not met")
		pause(ctx, backoff/2+rand.N(backoff/2)) // jitter: a fleet must not be visited in step
		backoff = min(2*backoff, backoffMax)
	}
}

// connect returns a connection of this visit's own, so that its end is the end of all that a place holds.
func (v *visit) connect() (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if v.cfg.TLS != nil {
		config := v.cfg.TLS.Clone()
		config.ServerName = v.place.name(v.cfg)
		transport = credentials.NewTLS(config)
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(transport), grpc.WithNoProxy(), grpc.WithDisableServiceConfig()}
	if v.cfg.dial != nil {
		options = append(options, grpc.WithContextDialer(v.cfg.dial))
	}
	conn, err := grpc.NewClient("passthrough:///"+v.place.address(), options...)
	if err != nil {
		return nil, qerr.Wrap(qerr.Unavailable, "connect to "+v.place.address(), err)
	}
	return conn, nil
}

// meet greets the worker once and keeps its seat for as long as the stream lives and is not silent.
func (v *visit) meet(ctx context.Context) (met bool, err error) {
	conn, err := v.connect()
	if err != nil {
		return false, err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(v.cfg.LeaseTTL, func() {
		cancel(qerr.New(qerr.Unavailable, "no answer for %s", v.cfg.LeaseTTL))
	})
	defer silence.Stop()

	nonce := make([]byte, nonceBytes)
	_, _ = crand.Read(nonce) // never fails
	greeting, err := v.cfg.Keys.SealRecord(kindGreeting, &pb.Greeting{Nonce: nonce, DataLocations: v.cfg.DataLocations})
	if err != nil {
		return false, err
	}
	stream, err := pb.NewDiscoveryClient(conn).Meet(ctx)
	if err != nil {
		return false, why(ctx, err)
	}
	pinged := make(chan struct{})
	go func() {
		defer close(pinged)
		v.ping(ctx, stream, greeting)
	}()
	defer func() { cancel(nil); <-pinged }()

	s := seat{visit: v, nonce: nonce}
	defer s.leave()
	for {
		reply, err := stream.Recv()
		if err != nil {
			return s.taken, why(ctx, err)
		}
		silence.Reset(v.cfg.LeaseTTL)
		if err := s.hear(reply); err != nil {
			return s.taken, err
		}
	}
}

// ping sends the greeting, and then what keeps the stream from being silent, until the stream ends.
func (v *visit) ping(ctx context.Context, stream pb.Discovery_MeetClient, greeting []byte) {
	tick := time.NewTicker(v.cfg.LeaseTTL / pingsInLease)
	defer tick.Stop()
	request := &pb.MeetRequest{Greeting: greeting}
	for {
		if stream.Send(request) != nil {
			return // Recv knows why
		}
		select {
		case <-tick.C:
			request = &pb.MeetRequest{}
		case <-ctx.Done():
			return
		}
	}
}

// A seat is the worker's place in the roster, held by one stream.
type seat struct {
	visit *visit
	nonce []byte
	taken bool
	life  roster.Life
	owner uint64
}

// hear takes what the worker said: a first record, a changed one, or a ping.
func (s *seat) hear(reply *pb.MeetReply) error {
	if len(reply.GetAnswer()) == 0 {
		if s.taken && !s.visit.seats.Held(s.owner, s.life) {
			return qerr.New(qerr.Fenced, "the worker was met again at another place")
		}
		return nil
	}
	record, err := s.read(reply.GetAnswer())
	if err != nil {
		return err
	}
	if !s.taken {
		if s.owner, err = s.visit.seats.Put(record); err != nil {
			return err
		}
		s.taken, s.life = true, roster.LifeOf(record)
		s.visit.log.Info().Str("worker", string(record.ID)).Str("address", record.Address).Msg("worker joined")
		return nil
	}
	if roster.LifeOf(record) != s.life {
		return qerr.New(qerr.User, "a worker's id and incarnation cannot change within a stream")
	}
	if !s.visit.seats.Update(s.owner, record) {
		return qerr.New(qerr.Fenced, "the worker was met again at another place")
	}
	return nil
}

func (s *seat) read(sealed []byte) (member.Record, error) {
	var answer pb.Answer
	if err := s.visit.cfg.Keys.UnsealRecord(kindAnswer, sealed, &answer); err != nil {
		return member.Record{}, err
	}
	if subtle.ConstantTimeCompare(answer.GetNonce(), s.nonce) != 1 {
		return member.Record{}, qerr.New(qerr.Unauthenticated, "the answer was signed for another greeting")
	}
	if err := s.visit.place.check(s.visit.cfg, answer.GetRecord()); err != nil {
		return member.Record{}, err
	}
	return cluster.Checked(answer.GetRecord())
}

func (s *seat) leave() {
	if s.taken {
		s.visit.seats.Remove(s.owner, s.life)
		s.visit.log.Info().Str("worker", string(s.life.ID)).Msg("worker left")
	}
}

// why prefers the reason for which this side ended the stream to gRPC's "context canceled".
func why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return grpcerr.FromStatus(err)
}
