package schedule_test

import (
	"fmt"
	"testing"

	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/schedule"
)

// TestRuns: range partitions go to tasks in runs, each once, a later task later ones, whatever the numbers of both are.
func TestRuns(t *testing.T) {
	for partitions := 2; partitions <= 9; partitions++ {
		for workers := 1; workers <= 9; workers++ {
			plan := &distplan.Plan{Stages: []*distplan.Stage{
				{Output: distplan.Output{Kind: distplan.OutputRange, Partitions: partitions}},
				{ID: 1, Spread: distplan.SpreadPartitions, Inputs: []distplan.ExchangeInput{{Read: distplan.ReadShare}}},
			}}
			var members []schedule.Worker
			for i := range workers {
				members = append(members, schedule.Worker{ID: ids.WorkerID(fmt.Sprint("w", i))})
			}
			next := 0
			for _, task := range schedule.Stage(plan, plan.Stages[1], members) {
				if len(task.Partitions[0]) == 0 {
					t.Errorf("%d partitions, %d workers: task %d reads none", partitions, workers, task.Index)
				}
				for _, p := range task.Partitions[0] {
					if p != next {
						t.Errorf("%d partitions, %d workers: task %d reads %d, not %d", partitions, workers, task.Index, p, next)
					}
					next++
				}
			}
			if next != partitions {
				t.Errorf("%d partitions, %d workers: %d are read", partitions, workers, next)
			}
		}
	}
}
