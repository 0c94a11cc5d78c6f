package memory

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

const (
	// pingInterval is how often a worker tells that it lives; a lease is four of them.
	pingInterval = time.Second
	// backoffMin and backoffMax bound the pause between two tries to join: quick after a blip, and gentle on a
	// coordinator that a whole fleet waits for.
	backoffMin = 100 * time.Millisecond
	backoffMax = 5 * time.Second
)

// A Welcome is what a coordinator tells a worker that joins.
type Welcome struct {
	// DataLocations are what the worker may read.
	DataLocations []string
	// KeyID and Key are the cluster key, when the worker asked for it.
	KeyID string
	Key   []byte
}

// A RegistrarConfig is what a Registrar is made of.
type RegistrarConfig struct {
	// Conn leads to the coordinator; it stays the caller's.
	Conn grpc.ClientConnInterface
	// Keys proves the worker; nil asks the coordinator for its key (loopback only).
	Keys *auth.Keyring
	// Welcomed is told each welcome, the first one included, before it counts as joined; from one goroutine. A
	// coordinator that restarted may have another key and other locations. May be nil.
	Welcomed func(Welcome)
	// PingInterval is how often the worker pings. Default 1 s. Four silent ones of the coordinator make it connect again.
	PingInterval time.Duration
	// Now is the worker's clock. Default time.Now.
	Now func() time.Time
	Log zerolog.Logger
}

// A Registrar keeps a worker joined to the coordinator for as long as it is open, connecting again whenever the stream
// ends. All methods may be called concurrently.
type Registrar struct {
	cfg    RegistrarConfig
	record atomic.Pointer[pb.WorkerRecord]
	update chan struct{} // has an item when record changed
	joined atomic.Bool
	cancel context.CancelFunc
	done   chan struct{}

	first     sync.Once
	firstDone chan struct{}
	welcome   Welcome // written before firstDone closes
	err       error   // likewise
}

// NewRegistrar starts to join with the record. An incomplete record (no address or hash vector yet) makes the worker
// known without giving it tasks; Update completes it.
func NewRegistrar(cfg RegistrarConfig, record *pb.WorkerRecord) *Registrar {
	if cfg.PingInterval == 0 {
		cfg.PingInterval = pingInterval
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Registrar{cfg: cfg, update: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}), firstDone: make(chan struct{})}
	r.record.Store(proto.CloneOf(record))
	go r.run(ctx)
	return r
}

// Welcome waits for the first join. A refusal that trying again cannot mend (wrong key, malformed record) is returned as
// it is; anything else is retried until ctx ends.
func (r *Registrar) Welcome(ctx context.Context) (Welcome, error) {
	select {
	case <-r.firstDone:
		return r.welcome, r.err
	case <-ctx.Done():
		return Welcome{}, qerr.Wrap(qerr.Unavailable, "join the coordinator", context.Cause(ctx))
	case <-r.done:
		return Welcome{}, qerr.New(qerr.Unavailable, "the registrar was closed")
	}
}

// Joined reports whether the worker is a member right now, for readiness.
func (r *Registrar) Joined() bool { return r.joined.Load() }

// Update tells the coordinator a changed record, now or with the next join.
func (r *Registrar) Update(record *pb.WorkerRecord) {
	r.record.Store(proto.CloneOf(record))
	select {
	case r.update <- struct{}{}:
	default: // told already: the sender takes the newest record
	}
}

// Close leaves the cluster and waits. Idempotent.
func (r *Registrar) Close() error {
	r.cancel()
	<-r.done
	return nil
}

func (r *Registrar) run(ctx context.Context) {
	defer close(r.done)
	backoff := backoffMin
	for ctx.Err() == nil {
		wasJoined, err := r.session(ctx)
		r.joined.Store(false)
		if ctx.Err() != nil {
			return
		}
		if wasJoined {
			backoff = backoffMin
		}
		r.cfg.Log.Warn().Err(err).Bool("was_joined", wasJoined).Dur("retry_in", backoff).Msg("not joined to the coordinator")
		if hopeless(err) {
			r.first.Do(func() { r.err = err; close(r.firstDone) })
		}
		pause := time.NewTimer(backoff/2 + rand.N(backoff/2)) // jitter: a fleet must not come back in step
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
		pause.Stop()
		backoff = min(2*backoff, backoffMax)
	}
}

func hopeless(err error) bool {
	switch qerr.KindOf(err) {
	case qerr.PermissionDenied, qerr.Unauthenticated, qerr.User, qerr.Unsupported:
		return true
	}
	return false
}

// session joins once and stays for as long as the stream lives.
func (r *Registrar) session(ctx context.Context) (wasJoined bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if r.cfg.Keys != nil {
		ctx = metadata.AppendToOutgoingContext(ctx, auth.CredentialHeader, r.cfg.Keys.Credential(r.cfg.Now()))
	}
	stream, err := pb.NewMembershipClient(r.cfg.Conn).Join(ctx)
	if err != nil {
		return false, grpcerr.FromStatus(err)
	}
	silence := time.AfterFunc(4*r.cfg.PingInterval, func() {
		cancel(qerr.New(qerr.Unavailable, "no answer from the coordinator for %s", 4*r.cfg.PingInterval))
	})
	defer silence.Stop()
	select {
	case <-r.update: // the first message carries the newest record anyway
	default:
	}
	if err := stream.Send(&pb.JoinRequest{Record: r.record.Load(), WantsKey: r.cfg.Keys == nil}); err != nil {
		return false, streamError(ctx, stream, err)
	}
	reply, err := stream.Recv()
	if err != nil {
		return false, why(ctx, err)
	}
	welcome := Welcome{DataLocations: reply.GetDataLocations(), KeyID: reply.GetKeyId(), Key: reply.GetKey()}
	if r.cfg.Welcomed != nil {
		r.cfg.Welcomed(welcome)
	}
	r.joined.Store(true)
	r.first.Do(func() { r.welcome = welcome; close(r.firstDone) })
	return true, r.stay(ctx, stream, silence)
}

// stay pings until the stream ends. Echoes are read by a goroutine that ends with the stream; stay waits for it.
func (r *Registrar) stay(ctx context.Context, stream pb.Membership_JoinClient, silence *time.Timer) error {
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := stream.Recv(); err != nil {
				ended <- why(ctx, err)
				return
			}
			silence.Reset(4 * r.cfg.PingInterval)
		}
	}()
	ping := time.NewTicker(r.cfg.PingInterval)
	defer ping.Stop()
	for {
		request := &pb.JoinRequest{}
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return <-ended
		case <-ping.C:
		case <-r.update:
			request.Record = r.record.Load()
		}
		if err := stream.Send(request); err != nil {
			return <-ended // Send says only EOF; Recv knows why
		}
	}
}

func streamError(ctx context.Context, stream pb.Membership_JoinClient, err error) error {
	if _, received := stream.Recv(); received != nil {
		err = received
	}
	return why(ctx, err)
}

// why prefers the reason for which this side ended the stream to gRPC's "context canceled".
func why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return grpcerr.FromStatus(err)
}
