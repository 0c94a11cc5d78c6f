package ids

import (
	"fmt"
	"strconv"
	"strings"
)

// QueryID names one execution of a statement, unique for ever over all coordinators.
type QueryID string

// WorkerID names a worker, and stays the same when the worker restarts.
type WorkerID string

// Incarnation names one life of a worker process. A ticket that names an older life is stale: the outputs it refers
// to died with that process.
type Incarnation string

// StageID numbers the stages of one plan from 0 upwards, producers before consumers.
type StageID int

// TaskIndex numbers the tasks of one stage from 0 upwards.
type TaskIndex int

// Attempt numbers the tries of one task from 1 upwards.
type Attempt int

// PartitionIndex numbers the partitions of one task's output from 0 upwards.
type PartitionIndex int

// A TaskKey names one attempt of one task. Outputs of different attempts never mix, because consumers name the whole key.
type TaskKey struct {
	Query   QueryID
	Stage   StageID
	Task    TaskIndex
	Attempt Attempt
}

// String gives the form query/stage/task#attempt, which ParseTaskKey reads back.
func (k TaskKey) String() string {
	return fmt.Sprintf("%s/%d/%d#%d", k.Query, k.Stage, k.Task, k.Attempt)
}

// ParseTaskKey reads the form that TaskKey.String prints.
func ParseTaskKey(s string) (TaskKey, error) {
	bad := func() (TaskKey, error) {
		return TaskKey{}, fmt.Errorf("task key %q: want query/stage/task#attempt", s)
	}
	path, attempt, ok := strings.Cut(s, "#")
	if !ok {
		return bad()
	}
	parts := strings.Split(path, "/")
	if len(parts) != 3 || parts[0] == "" {
		return bad()
	}
	var n [3]int
	for i, digits := range []string{parts[1], parts[2], attempt} {
		v, err := strconv.Atoi(digits)
		if err != nil || v < 0 {
			return bad()
		}
		n[i] = v
	}
	return TaskKey{QueryID(parts[0]), StageID(n[0]), TaskIndex(n[1]), Attempt(n[2])}, nil
}
