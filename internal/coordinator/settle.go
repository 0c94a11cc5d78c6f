package coordinator

import (
	"math"
	"slices"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/adapt"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/schedule"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

const (
	// taskBytesMin is what a task should have to read: a MiB is done in the time that it takes to send the task out.
	taskBytesMin = 1 << 20
	// skewBytesMin and skewFactor say when a partition is divided: every piece reads the whole other side again, so that a
	// small partition, or one that is only somewhat larger, is better left alone.
	skewBytesMin = 32 << 20
	skewFactor   = 4
	// broadcastBytesMax bounds what every task reads whole, as distplan does by estimate.
	broadcastBytesMax = 64 << 20
	// eagerTaskBytesMin lets tests with tables of a few KiB see fewer tasks as well as many.
	eagerTaskBytesMin = 4 << 10
)

// limitsOf says how far a query's plan may change while it runs.
func limitsOf(values settings.Values) adapt.Limits {
	switch values.Adaptive() {
	case settings.Never:
		return adapt.Limits{SkewBytesMin: math.MaxUint64}
	case settings.Always:
		return adapt.Limits{TaskBytesMin: eagerTaskBytesMin, SkewBytesMin: 1, SkewFactor: 1, BroadcastBytesMax: broadcastBytesMax, Eager: true}
	}
	limits := adapt.Limits{TaskBytesMin: taskBytesMin, SkewBytesMin: skewBytesMin, SkewFactor: skewFactor, BroadcastBytesMax: broadcastBytesMax}
	if values.Distributed() == settings.Always {
		limits.TaskBytesMin = 0 // the session wants many tasks for little data
	}
	return limits
}

// adaptive says which of a plan's stages are settled by exact sizes.
func adaptive(placed *placedPlan, values settings.Values, shape *lifecycle.Shape) {
	if values.Adaptive() == settings.Never || len(placed.choices) < 2 {
		return
	}
	for s, stage := range placed.plan.Stages {
		shape.Stages[s].Adapt = len(stage.Inputs) > 0
	}
}

// settleStage decides how a stage runs whose producers have all finished; q.mu is held.
func (q *Query) settleStage(stage ids.StageID) lifecycle.Settle {
	event := lifecycle.Settle{Stage: stage, Now: q.c.cfg.Now()}
	placed := q.work.plan
	if placed == nil {
		return event
	}
	workers := usableOf(placed.choices, q.machine.Usable())
	if len(workers) == 0 { // the stage waits for new ones, as it was planned
		return event
	}
	tasks, notes := adapt.Tasks(placed.plan, stage, placed.assignment.Stages[stage], q.sizes(placed, stage), workers, limitsOf(q.settings))
	if len(notes) == 0 {
		return event
	}
	next := *placed
	next.assignment = &schedule.Assignment{Stages: slices.Clone(placed.assignment.Stages)}
	next.assignment.Stages[stage] = tasks
	next.notes = append(slices.Clip(placed.notes), notes...)
	q.work.plan, q.notes = &next, next.notes
	for _, note := range notes {
		q.c.metrics.adaptations.WithLabelValues(string(note.Kind)).Inc()
	}
	event.Changes = []lifecycle.StageChange{{Stage: stage, Shape: next.stageShape(stage)}}
	return event
}

// sizes are the exact sizes of what a stage reads; q.mu is held.
func (q *Query) sizes(placed *placedPlan, stage ids.StageID) adapt.Sizes {
	sizes := adapt.Sizes{}
	states := q.machine.Stages()
	for _, in := range placed.plan.Stages[stage].Inputs {
		for _, task := range states[in.From] {
			sizes[in.From] = append(sizes[in.From], adapt.Producer{Worker: task.Worker, Rows: task.PartitionRows, Bytes: task.PartitionBytes})
		}
	}
	return sizes
}

// usableOf keeps the workers that may still be given tasks.
func usableOf(choices []schedule.Worker, usable []ids.WorkerID) []schedule.Worker {
	var kept []schedule.Worker
	for _, w := range choices {
		if slices.Contains(usable, w.ID) {
			kept = append(kept, w)
		}
	}
	return kept
}

// notesText prints notes for sys.queries; NULL when there are none.
func notesText(notes []adapt.Note) string {
	if len(notes) == 0 {
		return null
	}
	lines := make([]string, len(notes))
	for i, n := range notes {
		lines[i] = n.String()
	}
	return text(strings.Join(lines, "; "))
}
