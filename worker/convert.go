package worker

import (
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// partitionsMax bounds a task's partitions: more would be smaller than the batches they are sent in.
const partitionsMax = 1 << 14

func keyFrom(k *pb.TaskKey) ids.TaskKey {
	return ids.TaskKey{Query: ids.QueryID(k.GetQueryId()), Stage: ids.StageID(k.GetStage()), Task: ids.TaskIndex(k.GetTask()),
		Attempt: ids.Attempt(k.GetAttempt())}
}

func keyProto(k ids.TaskKey) *pb.TaskKey {
	return &pb.TaskKey{QueryId: string(k.Query), Stage: uint32(k.Stage), Task: uint32(k.Task), Attempt: uint32(k.Attempt)}
}

var stateProto = map[lifecycle.State]pb.TaskState{
	lifecycle.Placed:    pb.TaskState_TASK_STATE_PLACED,
	lifecycle.Running:   pb.TaskState_TASK_STATE_RUNNING,
	lifecycle.Finished:  pb.TaskState_TASK_STATE_FINISHED,
	lifecycle.Failed:    pb.TaskState_TASK_STATE_FAILED,
	lifecycle.Cancelled: pb.TaskState_TASK_STATE_CANCELLED,
}

func eventProto(e lifecycle.Event) *pb.TaskEvent {
	return &pb.TaskEvent{Key: keyProto(e.Key), State: stateProto[e.State], Rows: e.Rows, Bytes: e.Bytes,
		PartitionRows: e.PartitionRows, PartitionBytes: e.PartitionBytes, ElapsedNs: int64(e.Elapsed),
		Error: grpcerr.ToProto(e.Err), Progress: e.Progress, SchemaSent: e.SchemaSent, InputsRead: e.InputsRead, SpillBytes: e.SpillBytes,
		Summaries: summariesProto(e.Summaries), Proxied: e.Proxied}
}

// deadlineOf is the task's deadline; zero when it has none.
func deadlineOf(spec *pb.TaskSpec) time.Time {
	if ms := spec.GetDeadlineUnixMs(); ms > 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

// checkSpec refuses a task that cannot be run; such a task is a coordinator's fault, hence Internal.
func checkSpec(spec *pb.TaskSpec) error {
	switch {
	case spec.GetKey().GetQueryId() == "":
		return qerr.New(qerr.Internal, "the task has no query")
	case spec.GetFragment() == "":
		return qerr.New(qerr.Internal, "the task has no fragment")
	case len(spec.GetOutput()) == 0:
		return qerr.New(qerr.Internal, "the task has no output columns")
	case spec.GetPartitions() > partitionsMax:
		return qerr.New(qerr.Internal, "the task has %d partitions; at most %d are allowed", spec.GetPartitions(), partitionsMax)
	}
	if _, err := columnsFrom(spec.GetOutput()); err != nil {
		return err
	}
	for _, input := range spec.GetInputs() {
		if _, err := columnsFrom(input.GetColumns()); err != nil {
			return err
		}
	}
	return nil
}

func columnsFrom(columns []*pb.Column) ([]table.Column, error) {
	out := make([]table.Column, len(columns))
	for i, c := range columns {
		t, err := table.ParseType(c.GetType())
		if err != nil {
			return nil, &qerr.Error{Kind: qerr.Internal, Msg: "column " + c.GetName(), Err: err}
		}
		out[i] = table.Column{Name: c.GetName(), Type: t}
	}
	return out, nil
}

func typesOf(columns []table.Column) []table.Type {
	types := make([]table.Type, len(columns))
	for i, c := range columns {
		types[i] = c.Type
	}
	return types
}
