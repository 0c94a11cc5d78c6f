package coordinator

import (
	"context"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/schedule"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// attemptsOfEpoch is more than one owner gives out of one task: Limits and settings allow some tens.
const attemptsOfEpoch = 1000

// attemptsOf is the largest attempt number that the owners before an epoch may have given out.
func attemptsOf(epoch uint64) ids.Attempt { return ids.Attempt((epoch - 1) * attemptsOfEpoch) }

// inherit makes a query of a record, in the registry and not begun, so that workers which say that they hold something of it are
// believed. Nil without an error: it cannot go on. The error says that this coordinator is going itself: who comes after it finds the
// record.
func (c *Coordinator) inherit(record *pb.QueryRecord) (*inheritance, error) {
	q, err := c.queryOf(record)
	if err == nil {
		err = c.registry.add(q)
	}
	if err != nil && c.registry.isClosed() {
		return nil, err
	}
	if err != nil {
		c.cfg.Log.Warn().Err(err).Str("query", record.GetQueryId()).Msg("a query of a fallen coordinator cannot go on")
		c.group.run(func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, c.cfg.Limits.CallTimeout)
			defer cancel()
			_ = c.cfg.Ledger.Delete(ctx, ids.QueryID(record.GetQueryId())) // if it stays, its next owner comes to the same end
		})
		return nil, nil
	}
	return &inheritance{q: q, record: record, keep: keepOf(record)}, nil
}

func (c *Coordinator) queryOf(record *pb.QueryRecord) (*Query, error) {
	values, err := settings.From(record.GetSettings())
	if err != nil {
		return nil, err
	}
	columns, err := columnsFrom(record.GetColumns())
	if err != nil {
		return nil, err
	}
	q := c.newQuery(Request{SQL: record.GetStatement(), Settings: values, User: record.GetUser(), Session: record.GetSession(), held: &held{}})
	q.id, q.epoch, q.spool, q.revealed = ids.QueryID(record.GetQueryId()), record.GetEpoch(), record.GetKept(), record.GetRevealed()
	q.submitted = time.UnixMilli(record.GetSubmittedUnixMs())
	q.promise.made, q.promise.least = true, 1 // the record tells of no endpoint of this owner's
	q.describe(columns)
	return q, nil
}

func columnsFrom(columns []*pb.Column) ([]table.Column, error) {
	out := make([]table.Column, len(columns))
	for i, c := range columns {
		t, err := table.ParseType(c.GetType())
		if err != nil {
			return nil, qerr.Wrap(qerr.Internal, "column "+c.GetName(), err)
		}
		out[i] = table.Column{Name: c.GetName(), Type: t}
	}
	return out, nil
}

// keepOf are the attempts that go on: finished outputs, and results that wait for their readers or are read at their workers. One
// that was read through the fallen coordinator is broken.
func keepOf(record *pb.QueryRecord) (keep []*pb.TaskKey) {
	for s, stage := range record.GetStages() {
		for t, task := range stage.GetTasks() {
			if kept(task) {
				keep = append(keep, keyOf(ids.QueryID(record.GetQueryId()), ids.StageID(s), ids.TaskIndex(t), ids.Attempt(task.GetAttempt())))
			}
		}
	}
	return keep
}

func kept(task *pb.TaskRecord) bool {
	switch task.GetState() {
	case pb.TaskState_TASK_STATE_FINISHED:
		return true
	case pb.TaskState_TASK_STATE_PLACED:
		return !task.GetProxied()
	}
	return false
}

// left says what is left of each task, by the record and what the workers hold. Results that coordinators have read are given up:
// their readers may not have got what the fallen one was given.
func left(record *pb.QueryRecord, known map[ids.WorkerID]member.Record, answers map[ids.WorkerID]*pb.SucceedReply) (
	all [][]lifecycle.Resumed, givenUp []lifecycle.Abandon, err error,
) {
	all = make([][]lifecycle.Resumed, len(record.GetStages()))
	for s, stage := range record.GetStages() {
		root := s == len(record.GetStages())-1
		all[s] = make([]lifecycle.Resumed, len(stage.GetTasks()))
		for t, task := range stage.GetTasks() {
			if !kept(task) {
				continue
			}
			key := keyOf(ids.QueryID(record.GetQueryId()), ids.StageID(s), ids.TaskIndex(t), ids.Attempt(task.GetAttempt()))
			worker := ids.WorkerID(task.GetWorkerId())
			one := &all[s][t]
			one.Worker, one.Attempt = worker, ids.Attempt(task.GetAttempt())
			event := heldEvent(answers[worker], key)
			here := event != nil && string(known[worker].Incarnation) == task.GetIncarnation()
			switch {
			case task.GetState() == pb.TaskState_TASK_STATE_FINISHED:
				one.State = lifecycle.Done
				one.Stats = lifecycle.Stats{Rows: task.GetRows(), Bytes: task.GetBytes(), SpillBytes: task.GetSpillBytes(),
					PartitionRows: task.GetPartitionRows(), PartitionBytes: task.GetPartitionBytes()}
				if !here || taskStates[event.GetState()] != lifecycle.Done {
					one.Lost = qerr.New(qerr.Unavailable, "worker %s has no output of stage %d task %d any more; send the statement again", worker, s, t)
				}
				if root && one.Lost != nil && record.GetRevealed() {
					return nil, nil, one.Lost // a client may have read it, and others of the same result
				}
			case here && event.GetProxied():
				givenUp = append(givenUp, lifecycle.Abandon{Stage: ids.StageID(s), Task: ids.TaskIndex(t), Attempt: one.Attempt, Worker: worker})
			case here:
				report := reportOf(event, time.Time{})
				if one.State = report.State; one.State == lifecycle.Placed || one.State == lifecycle.Active || one.State == lifecycle.Done {
					one.Stats = report.Stats
				}
			}
		}
	}
	return all, givenUp, nil
}

func heldEvent(answer *pb.SucceedReply, key *pb.TaskKey) *pb.TaskEvent {
	for _, event := range answer.GetTasks() {
		if k := event.GetKey(); k.GetQueryId() == key.GetQueryId() && k.GetStage() == key.GetStage() && k.GetTask() == key.GetTask() && k.GetAttempt() == key.GetAttempt() {
			return event
		}
	}
	return nil
}

// restore makes the plan of a record, for the workers there are now. Tasks that are to run again prefer the worker that they were
// meant for.
func (c *Coordinator) restore(q *Query, record *pb.QueryRecord, usable []member.Record) (*placedPlan, lifecycle.Shape, error) {
	placed := &placedPlan{kept: record.GetKept(), assignment: &schedule.Assignment{}, plan: &distplan.Plan{Columns: q.columns, Ordered: record.GetOrdered()}}
	if ms := record.GetDeadlineUnixMs(); ms != 0 {
		placed.deadline = time.UnixMilli(ms)
	}
	for s, stage := range record.GetStages() {
		one := &distplan.Stage{ID: ids.StageID(s), Indeterminate: stage.GetIndeterminate()}
		for _, from := range stage.GetInputs() {
			if int(from) >= s {
				return nil, lifecycle.Shape{}, qerr.New(qerr.Internal, "stage %d of a record reads stage %d", s, from)
			}
			one.Inputs = append(one.Inputs, distplan.ExchangeInput{From: ids.StageID(from)})
		}
		placed.plan.Stages = append(placed.plan.Stages, one)
		var tasks []schedule.Task
		var works []*pb.TaskSpec
		for t, task := range stage.GetTasks() {
			if len(task.GetReadings()) != len(one.Inputs) || len(task.GetSpec().GetInputs()) < len(one.Inputs) {
				return nil, lifecycle.Shape{}, qerr.New(qerr.Internal, "stage %d task %d of a record has other inputs than its stage", s, t)
			}
			tasks = append(tasks, taskOf(task, ids.TaskIndex(t), usable))
			works = append(works, task.GetSpec())
		}
		placed.assignment.Stages = append(placed.assignment.Stages, tasks)
		placed.works = append(placed.works, works)
	}
	if len(placed.works) == 0 {
		return nil, lifecycle.Shape{}, qerr.New(qerr.Internal, "a record has no stages")
	}
	shape := c.shapeOf(q, placed)
	shape.Usable = []ids.WorkerID{} // none is not any
	for _, w := range usable {
		shape.Usable = append(shape.Usable, w.ID)
	}
	if len(usable) > 0 {
		shape.Slots = slotsOf(usable)
	}
	return placed, shape, nil
}

func taskOf(record *pb.TaskRecord, index ids.TaskIndex, usable []member.Record) schedule.Task {
	task := schedule.Task{Index: index, Worker: ids.WorkerID(record.GetWorkerId())}
	if task.Worker == "" && len(usable) > 0 {
		task.Worker = usable[int(index)%len(usable)].ID
	}
	for i, reading := range record.GetReadings() {
		var partitions []int
		for _, p := range reading.GetPartitions() {
			partitions = append(partitions, int(p))
		}
		task.Partitions = append(task.Partitions, partitions)
		if len(reading.GetPieces()) == 0 {
			continue
		}
		if task.Pieces == nil {
			task.Pieces = make([][]schedule.Piece, len(record.GetReadings()))
		}
		for _, piece := range reading.GetPieces() {
			one := schedule.Piece{Partition: int(piece.GetPartition())}
			for _, producer := range piece.GetProducers() {
				one.Producers = append(one.Producers, ids.TaskIndex(producer))
			}
			task.Pieces[i] = append(task.Pieces[i], one)
		}
	}
	return task
}
