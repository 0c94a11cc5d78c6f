package coordinator

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	running   = pb.TaskState_TASK_STATE_RUNNING
	finished  = pb.TaskState_TASK_STATE_FINISHED
	failed    = pb.TaskState_TASK_STATE_FAILED
	cancelled = pb.TaskState_TASK_STATE_CANCELLED
)
