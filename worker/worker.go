package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	flightgen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/worker/exchange"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

const (
	// releasedTTL is how long a released query is remembered: longer than any call that was under way can be delayed.
	releasedTTL = 5 * time.Minute
	// releasedMax bounds the memory for it; an id has some 30 bytes.
	releasedMax = 1 << 16
)

// A Worker runs tasks and serves their outputs. All methods may be called concurrently.
type Worker struct {
	cfg    Config
	store  *exchange.Store
	hub    *hub
	health *health.Server
	hash   []byte // the engine's hash self-test
	logins *auth.Logins

	// stop ends the sweeper; owned holds it, the kept tasks' runs and the senders, and Close waits for it.
	stop  context.CancelFunc
	owned sync.WaitGroup

	mu sync.Mutex
	// The rest is guarded by mu.
	registry *lifecycle.Registry
	// specs holds the tasks that wait for their reader.
	specs map[lifecycle.ID]*pb.TaskSpec
	runs  map[lifecycle.ID]*run
	// moved is closed and replaced whenever the registry changed.
	moved    chan struct{}
	draining bool
	closed   bool
	// Counters since the start, for metrics.
	ended                      map[lifecycle.State]uint64
	rowsOut, byteOut, spillOut uint64
}

// New returns a worker that is ready to be registered with a gRPC server. The caller closes it.
func New(cfg Config) (*Worker, error) {
	cfg.EnsureDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, qerr.Wrap(qerr.User, "configure worker", err)
	}
	hash, err := cfg.Engine.HashVector()
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "test the engine's hash", err)
	}
	store, err := exchange.OpenStore(exchange.Config{BytesMax: cfg.ExchangeBytesMax, QueryBytesMax: cfg.ExchangeQueryBytesMax,
		SpillDir: cfg.SpillDir, SpillBytesMax: max(cfg.SpillBytesMax, 0), SpillQueryBytesMax: cfg.SpillQueryBytesMax, Maker: cfg.Engine})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	w := &Worker{
		cfg:    cfg,
		store:  store,
		hub:    newHub(),
		health: health.NewServer(),
		hash:   hash,
		logins: newLogins(&cfg),
		stop:   stop,
		registry: lifecycle.New(lifecycle.Limits{TasksMax: cfg.TasksMax, AgeMax: cfg.TaskAgeMax, Grace: cfg.OutputGrace,
			ReleasedTTL: releasedTTL, ReleasedMax: releasedMax}),
		specs: map[lifecycle.ID]*pb.TaskSpec{},
		runs:  map[lifecycle.ID]*run{},
		moved: make(chan struct{}),
		ended: map[lifecycle.State]uint64{},
	}
	w.health.SetServingStatus("", grpc_health_v1.HealthCheckResponse_SERVING)
	w.owned.Go(func() { w.sweep(ctx) })
	return w, nil
}

// Register adds the worker's services to a gRPC server: Flight, Tasks and grpc.health.v1.
func (w *Worker) Register(s grpc.ServiceRegistrar) {
	flightgen.RegisterFlightServiceServer(s, &flightService{worker: w})
	pb.RegisterTasksServer(s, &tasksService{worker: w})
	grpc_health_v1.RegisterHealthServer(s, w.health)
}

// Record is what the worker says of itself to the membership.
func (w *Worker) Record() *pb.WorkerRecord {
	w.mu.Lock()
	draining := w.draining
	w.mu.Unlock()
	return &pb.WorkerRecord{
		WorkerId:        string(w.cfg.ID),
		Incarnation:     string(w.cfg.Incarnation),
		Address:         w.cfg.Address,
		Advertised:      w.cfg.Advertised,
		Tls:             w.cfg.TLS,
		ProtocolVersion: ProtocolVersion,
		DuckdbVersion:   duck.Version(),
		HashVector:      w.hash,
		Threads:         w.cfg.Threads,
		MemoryBytes:     w.cfg.MemoryBytes,
		Draining:        draining,
		Version:         w.cfg.Version,
	}
}

// update changes the registry under the lock and carries out what follows from it. It returns the runs named by wait, to be
// awaited by the caller without the lock.
func (w *Worker) update(change func(now time.Time, r *lifecycle.Registry) (wait []lifecycle.ID)) []*run {
	w.mu.Lock()
	wait := change(w.cfg.Now(), w.registry)
	actions := w.registry.Take()
	awaited := make([]*run, 0, len(wait))
	for _, id := range wait {
		if r := w.runs[id]; r != nil {
			awaited = append(awaited, r)
		}
	}
	var interrupts []func()
	for _, i := range actions.Interrupt {
		if r := w.runs[i.ID]; r != nil {
			interrupts = append(interrupts, func() { r.cancel(i.Cause) })
		}
	}
	for _, e := range actions.Events {
		if e.State.Ended() {
			w.ended[e.State]++
			w.rowsOut += e.Rows
			w.byteOut += e.Bytes
			w.spillOut += e.SpillBytes
			delete(w.specs, lifecycle.ID{Key: e.Key})
		}
	}
	w.hub.publish(actions.Events)
	if len(actions.Events)+len(actions.Drop) > 0 {
		close(w.moved)
		w.moved = make(chan struct{})
	}
	w.mu.Unlock()

	for _, interrupt := range interrupts {
		interrupt()
	}
	for _, key := range actions.Drop {
		w.store.Drop(key)
	}
	for _, e := range actions.Events {
		if e.State.Ended() {
			w.cfg.Log.Debug().Err(e.Err).Stringer("task", e.Key).Stringer("state", e.State).Msg("task ended")
		}
	}
	return awaited
}

// own runs f in a goroutine that Close waits for; it reports false, and runs nothing, when the worker is closed.
func (w *Worker) own(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.owned.Go(f)
	}
	return !w.closed
}

// logFault logs a fault of ours, with the stack when it was a panic.
func (w *Worker) logFault(err error, message string) {
	entry := w.cfg.Log.Error().Err(err)
	var p *flightx.PanicError
	if errors.As(err, &p) {
		entry = entry.Interface("panic", p.Value).Bytes("stack", p.Stack)
	}
	entry.Msg(message)
}

// sweep ends what is past its deadline, and what no coordinator looks after any more, until ctx ends.
func (w *Worker) sweep(ctx context.Context) {
	tick := time.NewTicker(w.cfg.SweepInterval)
	defer tick.Stop()
	watched := map[string]time.Time{} // when each coordinator with tasks here watched last
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.update(func(now time.Time, r *lifecycle.Registry) []lifecycle.ID {
				r.Sweep(now)
				w.orphan(now, r, watched)
				return nil
			})
		}
	}
}

// orphan ends the tasks of coordinators that have not watched this worker for OrphanAfter; mu is held.
func (w *Worker) orphan(now time.Time, r *lifecycle.Registry, watched map[string]time.Time) {
	owners := r.Owners()
	maps.DeleteFunc(watched, func(owner string, _ time.Time) bool { return !slices.Contains(owners, owner) })
	for _, owner := range owners {
		last, known := watched[owner]
		if !known || w.hub.watches(owner) {
			watched[owner] = now
		} else if now.Sub(last) >= w.cfg.OrphanAfter {
			r.Orphan(now, owner, qerr.New(qerr.Unavailable, "the task's coordinator has not watched this worker for %s", w.cfg.OrphanAfter))
		}
	}
}
