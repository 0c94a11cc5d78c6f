package coordinator

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

const (
	// watchPauseMin and watchPauseMax bound the pause before a control stream is opened again.
	watchPauseMin = 50 * time.Millisecond
	watchPauseMax = 2 * time.Second
)

// follow watches a worker until ctx ends, opening its stream again whenever it breaks.
func (l *links) follow(ctx context.Context, link *link) {
	log := l.c.cfg.Log.With().Str("worker", string(link.record.ID)).Str("address", link.record.Address).Logger()
	for pause := watchPauseMin; ctx.Err() == nil; pause = min(2*pause, watchPauseMax) {
		err := l.watch(ctx, link)
		if l.setDown(link) {
			pause = watchPauseMin
			l.c.workerLost(link.record, err)
		}
		if !errors.Is(err, errStopping) {
			log.Warn().Err(err).Msg("the worker's control stream ended")
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// watch reads one control stream to its end, and says why it ended.
func (l *links) watch(ctx context.Context, link *link) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silenceMax := l.c.cfg.Limits.PingSilenceMax
	silence := time.AfterFunc(silenceMax, func() { cancel(qerr.New(qerr.Unavailable, "it was silent for %s", silenceMax)) })
	defer silence.Stop()

	client, err := l.c.tasks(link.record)
	if err != nil {
		return err
	}
	stream, err := client.Watch(ctx, &pb.WatchRequest{CoordinatorId: l.c.cfg.ID, Incarnation: string(link.record.Incarnation), FallenIds: l.c.settledFalls()})
	if err != nil {
		return streamFault(ctx, err)
	}
	for {
		event, err := stream.Recv()
		if err != nil {
			return streamFault(ctx, err)
		}
		silence.Reset(silenceMax)
		l.setUp(link, event.GetLoad())
		l.c.endHeld(link, event.GetHeldQueryIds())
		if task := event.GetTask(); task != nil {
			l.c.taskEvent(link, task)
		}
	}
}

// streamFault prefers the reason for which this side ended the stream.
func streamFault(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case cause != nil:
		return cause
	case errors.Is(err, io.EOF):
		return errors.New("it ended its control stream")
	}
	return grpcerr.FromStatus(err)
}

// taskEvent hands a worker's report to its query. A task that runs for a query which was cancelled, failed or expired here
// (its ticket was redeemed too late) is ended too; reading a finished result again does no harm, and queries of other
// coordinators are none of ours.
func (c *Coordinator) taskEvent(link *link, event *pb.TaskEvent) {
	key := event.GetKey()
	q, ok := c.registry.find(ids.QueryID(key.GetQueryId()))
	if !ok {
		return
	}
	report := reportOf(event, c.cfg.Now())
	report.Err = lostTable(q, report.Err)
	if why := q.err(); why != nil && report.State < lifecycle.Done {
		c.release(link.record, q.id, why)
		return
	}
	q.step(report)
}

func reportOf(e *pb.TaskEvent, now time.Time) lifecycle.Report {
	report := lifecycle.Report{
		Stage: ids.StageID(e.GetKey().GetStage()), Task: ids.TaskIndex(e.GetKey().GetTask()), Attempt: ids.Attempt(e.GetKey().GetAttempt()),
		State: taskStates[e.GetState()], Now: now,
		Stats: lifecycle.Stats{
			Rows: e.GetRows(), Bytes: e.GetBytes(), SpillBytes: e.GetSpillBytes(),
			PartitionRows: e.GetPartitionRows(), PartitionBytes: e.GetPartitionBytes(),
			Elapsed: time.Duration(e.GetElapsedNs()), Progress: e.GetProgress(), SchemaSent: e.GetSchemaSent(), InputsRead: e.GetInputsRead(),
			Summaries: summariesOf(e.GetSummaries()),
		},
	}
	if e.GetError() != nil {
		report.Err = grpcerr.FromProto(e.GetError())
	}
	return report
}

func summariesOf(all []*pb.Summary) map[int]table.Summary {
	summaries := make(map[int]table.Summary, len(all))
	for _, p := range all {
		s := table.Summary{Range: p.GetRange()}
		for _, n := range p.GetNumbers() {
			s.Values = append(s.Values, table.Value{Number: n})
		}
		for _, text := range p.GetTexts() {
			s.Values = append(s.Values, table.Value{Text: string(text)})
		}
		summaries[int(p.GetColumn())] = s
	}
	return summaries
}

// taskStates maps the wire's states; an unknown one is the harmless Waiting, which changes nothing.
var taskStates = map[pb.TaskState]lifecycle.TaskState{
	pb.TaskState_TASK_STATE_PLACED:    lifecycle.Placed,
	pb.TaskState_TASK_STATE_RUNNING:   lifecycle.Active,
	pb.TaskState_TASK_STATE_FINISHED:  lifecycle.Done,
	pb.TaskState_TASK_STATE_FAILED:    lifecycle.Broken,
	pb.TaskState_TASK_STATE_CANCELLED: lifecycle.Dropped,
}
