package coordinator

import (
	"fmt"
	"slices"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/schedule"
)

// A snapshot is a query at one moment, as far as its record tells of it. Nothing of it is changed by anybody.
type snapshot struct {
	placed    *placedPlan
	states    [][]lifecycle.Task
	workers   map[ids.WorkerID]member.Record
	endpoints []Endpoint
}

// snapshot copies what a record is made of; mu is held.
func (q *Query) snapshot() *snapshot {
	return &snapshot{placed: q.work.plan, states: q.machine.Stages(), workers: q.work.workers, endpoints: slices.Clone(q.endpoints)}
}

// recordOf writes a query down.
func (c *Coordinator) recordOf(q *Query, s *snapshot) (*pb.QueryRecord, error) {
	record := &pb.QueryRecord{
		QueryId: string(q.id), CoordinatorId: c.cfg.ID, Epoch: q.epoch, User: q.user, Session: q.session, Statement: q.statement,
		SubmittedUnixMs: q.submitted.UnixMilli(), Settings: q.settings.Changed(), Columns: columnsOf(q.columns), Ordered: s.placed.plan.Ordered,
		Kept: s.placed.kept, Revealed: q.revealed || len(s.endpoints) > 0,
	}
	if !s.placed.deadline.IsZero() {
		record.DeadlineUnixMs = s.placed.deadline.UnixMilli()
	}
	for n, stage := range s.placed.plan.Stages {
		one := &pb.StageRecord{Indeterminate: stage.Indeterminate}
		for _, input := range stage.Inputs {
			one.Inputs = append(one.Inputs, uint32(input.From))
		}
		for t := range s.placed.assignment.Stages[n] {
			task, err := c.taskRecord(q, s, ids.StageID(n), ids.TaskIndex(t))
			if err != nil {
				return nil, err
			}
			one.Tasks = append(one.Tasks, task)
		}
		record.Stages = append(record.Stages, one)
	}
	return record, nil
}

func (c *Coordinator) taskRecord(q *Query, s *snapshot, stage ids.StageID, index ids.TaskIndex) (*pb.TaskRecord, error) {
	spec, err := c.workOf(q, s.placed, stage, index)
	if err != nil {
		return nil, err
	}
	record := &pb.TaskRecord{Spec: spec, Readings: readingsOf(&s.placed.assignment.Stages[stage][index])}
	if int(index) >= len(s.states[stage]) {
		return nil, fmt.Errorf("stage %d has no task %d", stage, index)
	}
	state := s.states[stage][index]
	root := stage == s.placed.plan.Root().ID
	switch {
	case state.State == lifecycle.Done && (!root || s.placed.kept):
		record.State = pb.TaskState_TASK_STATE_FINISHED
	case root && !s.placed.kept && (state.State == lifecycle.Placed || state.State == lifecycle.Active || state.State == lifecycle.Done):
		record.State = pb.TaskState_TASK_STATE_PLACED
		record.Proxied = c.cfg.ProxyResults || int(index) < len(s.endpoints) && throughCoordinator(s.endpoints[index])
	default:
		return record, nil
	}
	record.WorkerId, record.Incarnation, record.Attempt = string(state.Worker), string(s.workers[state.Worker].Incarnation), uint32(state.Attempt)
	record.Rows, record.Bytes, record.SpillBytes = state.Rows, state.Bytes, state.SpillBytes
	record.PartitionRows, record.PartitionBytes = state.PartitionRows, state.PartitionBytes
	return record, nil
}

func readingsOf(task *schedule.Task) (readings []*pb.Reading) {
	for i, partitions := range task.Partitions {
		reading := &pb.Reading{}
		for _, p := range partitions {
			reading.Partitions = append(reading.Partitions, uint32(p))
		}
		if i < len(task.Pieces) {
			for _, piece := range task.Pieces[i] {
				one := &pb.Piece{Partition: uint32(piece.Partition)}
				for _, producer := range piece.Producers {
					one.Producers = append(one.Producers, uint32(producer))
				}
				reading.Pieces = append(reading.Pieces, one)
			}
		}
		readings = append(readings, reading)
	}
	return readings
}
