package kubernetes

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// settleTime is how long a worker waits after its first coordinator for the others, which find it within their backoff.
const settleTime = backoffMax

// A RegistrarConfig is what a Registrar is made of.
type RegistrarConfig struct {
	// Keys verify greetings and sign answers.
	Keys *auth.Keyring
	// Changed is told what the coordinators serve when that is more than Locations returned. May be nil.
	Changed func(locations []string)
	// LeaseTTL is how long a coordinator may be silent. Default 4 s.
	LeaseTTL time.Duration
	Log      zerolog.Logger
}

// A Registrar is the worker's side: a gRPC service that tells its coordinators what the worker is. It may be registered with
// one server after another: coordinators come back by themselves. All methods may be called concurrently.
type Registrar struct {
	pb.UnimplementedDiscoveryServer
	cfg     RegistrarConfig
	stop    chan struct{}
	streams sync.WaitGroup

	mu      sync.Mutex
	record  *pb.WorkerRecord
	changed chan struct{} // closed and replaced when record changes
	stopped bool
	met     int           // coordinators whose streams are open
	found   chan struct{} // closed when the first has greeted
	served  []string      // sorted: what coordinators have said, those of now and before
	fixed   bool          // Locations has returned
}

// NewRegistrar answers coordinators with the record. An incomplete record (no address or hash vector yet) makes the worker known
// without giving it tasks; Update completes it.
func NewRegistrar(cfg RegistrarConfig, record *pb.WorkerRecord) *Registrar {
	if cfg.LeaseTTL == 0 {
		cfg.LeaseTTL = leaseTTL
	}
	return &Registrar{cfg: cfg, stop: make(chan struct{}), record: proto.CloneOf(record), changed: make(chan struct{}), found: make(chan struct{})}
}

// Register serves coordinators on a gRPC server.
func (r *Registrar) Register(s grpc.ServiceRegistrar) { pb.RegisterDiscoveryServer(s, r) }

// Locations waits until a coordinator has said what data there is, and a moment for the others to say so.
func (r *Registrar) Locations(ctx context.Context) ([]string, error) {
	closed := qerr.New(qerr.Unavailable, "the registrar was closed")
	select {
	case <-r.found:
	case <-ctx.Done():
		return nil, qerr.Wrap(qerr.Unavailable, "be found by a coordinator", context.Cause(ctx))
	case <-r.stop:
		return nil, closed
	}
	pause(ctx, settleTime)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fixed = true
	return slices.Clone(r.served), nil
}

// Joined reports whether a coordinator knows this worker now, for readiness.
func (r *Registrar) Joined() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.met > 0
}

// Update tells a changed record to every coordinator; its id and incarnation must stay.
func (r *Registrar) Update(record *pb.WorkerRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record = proto.CloneOf(record)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Close leaves every coordinator and waits. Idempotent.
func (r *Registrar) Close() error {
	r.mu.Lock()
	if !r.stopped {
		r.stopped = true
		close(r.stop)
	}
	r.mu.Unlock()
	r.streams.Wait()
	return nil
}

// enter counts a stream; false after Close.
func (r *Registrar) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return false
	}
	r.streams.Add(1)
	return true
}

// Meet implements pb.DiscoveryServer.
func (r *Registrar) Meet(stream pb.Discovery_MeetServer) error {
	if !r.enter() {
		return grpcerr.ToStatus(qerr.New(qerr.Unavailable, "this worker is stopping"))
	}
	defer r.streams.Done()
	return grpcerr.ToStatus(r.meet(stream))
}

func (r *Registrar) meet(stream pb.Discovery_MeetServer) error {
	requests, failed := r.read(stream)
	silence := time.NewTimer(r.cfg.LeaseTTL)
	defer silence.Stop()
	var nonce []byte
	var changed <-chan struct{} // nil before the greeting
	for {
		reply := &pb.MeetReply{}
		select {
		case request := <-requests:
			silence.Reset(r.cfg.LeaseTTL)
			if nonce != nil {
				break // a ping is echoed
			}
			var greeting pb.Greeting
			if err := r.cfg.Keys.UnsealRecord(kindGreeting, request.GetGreeting(), &greeting); err != nil {
				return err
			}
			if len(greeting.GetNonce()) != nonceBytes {
				return qerr.New(qerr.User, "a greeting has a nonce of %d bytes", nonceBytes)
			}
			nonce = greeting.GetNonce()
			r.greeted(greeting.GetDataLocations())
			defer r.parted()
			var err error
			if reply.Answer, changed, err = r.answer(nonce); err != nil {
				return err
			}
		case <-changed:
			var err error
			if reply.Answer, changed, err = r.answer(nonce); err != nil {
				return err
			}
		case err := <-failed:
			return err
		case <-silence.C:
			return qerr.New(qerr.Unavailable, "no ping for %s", r.cfg.LeaseTTL)
		case <-r.stop:
			return qerr.New(qerr.Unavailable, "this worker is stopping")
		}
		if err := stream.Send(reply); err != nil {
			return err
		}
	}
}

// answer signs the newest record, and returns what closes when there is a newer one.
func (r *Registrar) answer(nonce []byte) (sealed []byte, changed <-chan struct{}, err error) {
	r.mu.Lock()
	record, changed := r.record, r.changed
	r.mu.Unlock()
	sealed, err = r.cfg.Keys.SealRecord(kindAnswer, &pb.Answer{Nonce: nonce, Record: record})
	return sealed, changed, err
}

// greeted counts a coordinator, and takes up what it serves.
func (r *Registrar) greeted(locations []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.met++
	before := len(r.served)
	r.served = append(r.served, locations...)
	slices.Sort(r.served)
	r.served = slices.Compact(r.served)
	select {
	case <-r.found:
	default:
		close(r.found)
	}
	if r.fixed && len(r.served) > before && r.cfg.Changed != nil {
		r.cfg.Changed(slices.Clone(r.served))
	}
}

func (r *Registrar) parted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.met--
}

// read feeds the stream's messages to a channel: Recv cannot be given a deadline. Its goroutine ends with the stream, that is
// soon after Meet returned at the latest.
func (r *Registrar) read(stream pb.Discovery_MeetServer) (<-chan *pb.MeetRequest, <-chan error) {
	requests, failed := make(chan *pb.MeetRequest), make(chan error, 1)
	ctx := stream.Context()
	r.streams.Go(func() {
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
