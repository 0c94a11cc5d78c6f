package worker

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// tasksService is the control service. Every call needs the cluster credential.
type tasksService struct {
	pb.UnimplementedTasksServer
	worker *Worker
}

// Create implements pb.TasksServer.
func (s *tasksService) Create(ctx context.Context, request *pb.CreateRequest) (*pb.CreateReply, error) {
	if err := s.worker.requireCluster(ctx); err != nil {
		return nil, grpcerr.ToStatus(err)
	}
	err := s.worker.meant(request.GetIncarnation())
	if err == nil {
		err = s.worker.create(request.GetTask())
	}
	if err != nil {
		return nil, grpcerr.ToStatus(qerr.Wrap(qerr.Internal, "create task", err))
	}
	return &pb.CreateReply{}, nil
}

// meant refuses what was sent to another life of the worker, at the same address: its sender counts with that life's end, and
// would not tell this one the end of a query.
func (w *Worker) meant(incarnation string) error {
	if incarnation == "" || ids.Incarnation(incarnation) == w.cfg.Incarnation {
		return nil
	}
	return qerr.New(qerr.Fenced, "worker %s was restarted since this call was sent", w.cfg.ID)
}

// create places a task; one whose output is kept begins to run.
func (w *Worker) create(spec *pb.TaskSpec) error {
	if err := checkSpec(spec); err != nil {
		return err
	}
	t := lifecycle.Task{Key: keyFrom(spec.GetKey()), Kind: lifecycle.Kept, Deadline: deadlineOf(spec), Pinned: spec.GetKeep(), Lasting: spec.GetKeep() && spec.GetPartitions() > 0,
		Owner: spec.GetCoordinatorId()}
	if spec.GetPartitions() == 0 && !spec.GetKeep() {
		t.Kind = lifecycle.Result
	}
	id := lifecycle.ID{Key: t.Key}
	var started *run
	var err error
	var created bool
	var turn uint64
	w.update(func(now time.Time, r *lifecycle.Registry) []lifecycle.ID {
		if created, err = r.Create(now, t); !created {
			return nil
		}
		turn = r.Turns()
		if t.Kind == lifecycle.Result {
			w.specs[id] = spec
			return nil
		}
		// Close sees the run under the same lock, and waits for owned only after it interrupted all runs.
		started = w.begin(context.Background(), id, spec)
		w.owned.Go(func() { w.runKept(started) })
		return nil
	})
	if created {
		w.cfg.Log.Debug().Stringer("task", t.Key).Str("owner", t.Owner).Uint64("epoch", spec.GetEpoch()).Uint64("turn", turn).Msg("task taken")
	}
	return err
}

// Release implements pb.TasksServer.
func (s *tasksService) Release(ctx context.Context, request *pb.ReleaseRequest) (*pb.ReleaseReply, error) {
	if err := s.worker.requireCluster(ctx); err != nil {
		return nil, grpcerr.ToStatus(err)
	}
	if err := s.worker.refuseFallen(request.GetCoordinatorId()); err != nil {
		return nil, grpcerr.ToStatus(err)
	}
	query := ids.QueryID(request.GetQueryId())
	if query == "" {
		return nil, grpcerr.ToStatus(qerr.New(qerr.User, "release: the request names no query"))
	}
	if request.KeepStage != nil {
		s.worker.update(func(now time.Time, r *lifecycle.Registry) []lifecycle.ID {
			r.ReleaseBut(now, query, ids.StageID(request.GetKeepStage()))
			return nil
		})
		return &pb.ReleaseReply{}, nil
	}
	why := causeFrom(request.GetCause())
	for _, r := range s.worker.update(func(now time.Time, r *lifecycle.Registry) []lifecycle.ID {
		return r.Release(now, query, why)
	}) {
		select {
		case <-r.done:
		case <-ctx.Done():
			return nil, grpcerr.ToStatus(qerr.Wrap(qerr.Deadline, "release "+string(query), ctx.Err()))
		}
	}
	return &pb.ReleaseReply{}, nil
}

// causeFrom is an error that a coordinator sent; a nil one stays a nil error.
func causeFrom(p *pb.Error) error {
	if p == nil {
		return nil
	}
	return grpcerr.FromProto(p)
}

// Cancel implements pb.TasksServer.
func (s *tasksService) Cancel(ctx context.Context, request *pb.CancelRequest) (*pb.CancelReply, error) {
	if err := s.worker.requireCluster(ctx); err != nil {
		return nil, grpcerr.ToStatus(err)
	}
	if err := s.worker.refuseFallen(request.GetCoordinatorId()); err != nil {
		return nil, grpcerr.ToStatus(err)
	}
	key := keyFrom(request.GetKey())
	if key.Query == "" {
		return nil, grpcerr.ToStatus(qerr.New(qerr.User, "cancel: the request names no query"))
	}
	cause := causeFrom(request.GetCause())
	if cause == nil {
		cause = qerr.New(qerr.Cancelled, "task %s was given up by its coordinator", key)
	}
	s.worker.update(func(now time.Time, r *lifecycle.Registry) []lifecycle.ID {
		r.Cancel(now, key, cause)
		return nil
	})
	return &pb.CancelReply{}, nil
}

// Watch implements pb.TasksServer.
func (s *tasksService) Watch(request *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchEvent]) error {
	w := s.worker
	err := w.requireCluster(stream.Context())
	if err == nil {
		err = w.meant(request.GetIncarnation())
	}
	if err == nil {
		err = w.refuseFallen(request.GetCoordinatorId())
	}
	if err != nil {
		return grpcerr.ToStatus(err)
	}
	w.endFallen(request.GetFallenIds(), request.GetCoordinatorId())
	w.mu.Lock()
	watcher := w.hub.watch(request.GetCoordinatorId(), w.registry.Snapshot(w.cfg.Now()))
	w.mu.Unlock()
	gone := grpcerr.ToStatus(qerr.New(qerr.Unavailable, "worker %s ended the watch: it is shutting down, or %q fell behind",
		w.cfg.ID, request.GetCoordinatorId()))
	if watcher == nil {
		return gone
	}
	defer watcher.leave()
	tick := time.NewTicker(w.cfg.PingInterval)
	defer tick.Stop()
	if err := stream.Send(w.ping(request.GetCoordinatorId())); err != nil {
		return err
	}
	for {
		select {
		case <-stream.Context().Done():
			return nil
		case <-watcher.wake:
			events, ok := watcher.take()
			if !ok {
				return gone
			}
			for _, e := range events {
				if err := stream.Send(&pb.WatchEvent{Task: eventProto(e)}); err != nil {
					return err
				}
			}
		case <-tick.C:
			w.tellProgress()
			if err := stream.Send(w.ping(request.GetCoordinatorId())); err != nil {
				return err
			}
		}
	}
}

// ping tells a coordinator that the worker lives, how much it has to do, and which of the coordinator's queries it holds
// something of: the coordinator knows which of them have ended.
func (w *Worker) ping(coordinator string) *pb.WatchEvent {
	ping := &pb.WatchEvent{Load: w.load()}
	w.mu.Lock()
	held := w.registry.Held(coordinator)
	w.mu.Unlock()
	for _, query := range held {
		ping.HeldQueryIds = append(ping.HeldQueryIds, string(query))
	}
	return ping
}

// tellProgress reads the counters of what runs and tells watchers those that moved.
func (w *Worker) tellProgress() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, r := range w.runs {
		rows, bytes, progress := r.counters()
		w.registry.Progress(id, rows, bytes, progress)
	}
	w.hub.publish(w.registry.Changed(w.cfg.Now()))
}

// load is the worker's load, as a ping carries it.
func (w *Worker) load() *pb.WorkerLoad {
	usage, engine := w.Usage(), w.cfg.Engine.Usage()
	return &pb.WorkerLoad{RunningTasks: uint32(usage.Running), ExchangeBytes: uint64(usage.ExchangeBytes),
		EngineBytes: uint64(max(engine.MemoryBytes, 0)), KeptTasks: uint32(usage.Kept), SpillBytes: uint64(usage.SpillBytes + max(engine.TempBytes, 0))}
}
