package worker

import (
	"context"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// Succeed implements pb.TasksServer.
func (s *tasksService) Succeed(ctx context.Context, request *pb.SucceedRequest) (*pb.SucceedReply, error) {
	err := s.worker.requireCluster(ctx)
	if err == nil {
		err = s.worker.meant(request.GetIncarnation())
	}
	if err == nil {
		err = s.worker.refuseFallen(request.GetCoordinatorId())
	}
	if err == nil && (request.GetCoordinatorId() == "" || request.GetFallenId() == "" || request.GetCoordinatorId() == request.GetFallenId()) {
		err = qerr.New(qerr.User, "succeed: the request names no successor, or nobody who has fallen")
	}
	if err != nil {
		return nil, grpcerr.ToStatus(err)
	}
	return &pb.SucceedReply{Tasks: s.worker.succeed(request)}, nil
}

func (w *Worker) succeed(request *pb.SucceedRequest) (tasks []*pb.TaskEvent) {
	fallen, successor := request.GetFallenId(), request.GetCoordinatorId()
	queries := make([]lifecycle.Succession, len(request.GetQueries()))
	for i, q := range request.GetQueries() {
		queries[i].Query = ids.QueryID(q.GetQueryId())
		for _, key := range q.GetKeep() {
			queries[i].Keep = append(queries[i].Keep, keyFrom(key))
		}
	}
	cause := qerr.New(qerr.Unavailable, "the task's coordinator was lost; read through another one, or send the statement again")
	var ended int
	var turn uint64
	w.update(func(now time.Time, r *lifecycle.Registry) []lifecycle.ID {
		var kept []lifecycle.Event
		kept, ended = r.Succeed(now, fallen, successor, queries, cause)
		turn = r.Turns()
		for _, e := range kept {
			tasks = append(tasks, eventProto(e))
		}
		return nil
	})
	w.hub.dismiss(fallen)
	for i, q := range request.GetQueries() {
		keep := make([]string, len(queries[i].Keep))
		for k, key := range queries[i].Keep {
			keep[k] = key.String()
		}
		w.cfg.Log.Debug().Str("query", q.GetQueryId()).Str("fallen", fallen).Str("owner", successor).Uint64("epoch", q.GetEpoch()).Uint64("turn", turn).
			Strs("keep", keep).Msg("query has another owner")
	}
	w.cfg.Log.Info().Uint64("turn", turn).Str("fallen", fallen).Str("successor", successor).Int("queries", len(queries)).Int("kept", len(tasks)).Int("ended", ended).
		Msg("a coordinator has fallen")
	return tasks
}

// refuseFallen refuses the calls of a coordinator that has fallen: another one owns its queries.
func (w *Worker) refuseFallen(coordinator string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.registry.Fallen(coordinator)
}

// endFallen ends what fallen coordinators have left here, as another one says that all of their queries are cared for.
func (w *Worker) endFallen(fallen []string, by string) {
	for _, id := range fallen {
		if id != by && w.refuseFallen(id) == nil {
			w.succeed(&pb.SucceedRequest{CoordinatorId: by, FallenId: id})
		}
	}
}
