package coordinator

import (
	"math"
	"slices"
	"strings"

	"github.com/arbalest-sql/arbalest/distplan"
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
	// eagerTaskBytesMin and eagerBroadcastBytesMax let tests with tables of a few KiB see fewer tasks as well as many, and joins
	// of either kind.
	eagerTaskBytesMin      = 4 << 10
	eagerBroadcastBytesMax = 6 << 10
)

// limitsOf says how far a query's plan may change while it runs.
func limitsOf(values settings.Values) adapt.Limits {
	switch values.Adaptive() {
	case settings.Never:
		return adapt.Limits{SkewBytesMin: math.MaxUint64}
	case settings.Always:
		return adapt.Limits{TaskBytesMin: eagerTaskBytesMin, SkewBytesMin: 1, SkewFactor: 1, BroadcastBytesMax: eagerBroadcastBytesMax, Eager: true}
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
	waits := distplan.Waits(placed.plan, limitsOf(values).Eager)
	placed.summarize = map[ids.StageID][]uint32{}
	for _, f := range distplan.RuntimeFilters(placed.plan) {
		if slices.Contains(waits[f.To], f.From) && !slices.Contains(placed.summarize[f.From], uint32(f.FromColumn)) {
			placed.summarize[f.From] = append(placed.summarize[f.From], uint32(f.FromColumn))
		}
	}
	for s, waits := range waits {
		shape.Stages[s].After = waits
		shape.Stages[s].Adapt = len(placed.plan.Stages[s].Inputs)+len(waits) > 0
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
	sizes, limits := q.sizes(), limitsOf(q.settings)
	next := *placed
	next.assignment = &schedule.Assignment{Stages: slices.Clone(placed.assignment.Stages)}
	var notes []adapt.Note
	if plan, consumer, why := adapt.JoinWhereItLies(placed.plan, stage, sizes, len(workers), limits); plan != nil {
		next.plan, notes = plan, why
		next.assignment.Stages[stage] = nil
		next.assignment.Stages[consumer] = schedule.Stage(plan, plan.Stages[consumer], workers)
		joined := next.stageShape(consumer)
		joined.Adapt = true
		event.Changes = []lifecycle.StageChange{{Stage: stage, Shape: next.stageShape(stage)}, {Stage: consumer, Shape: joined}}
	} else {
		planned := placed.assignment.Stages[stage]
		filtered, filters := adapt.Filters(placed.plan, stage, sizes, len(placed.choices))
		if filtered != nil {
			next.plan, planned = filtered, schedule.Stage(filtered, filtered.Stages[stage], workers)
		}
		next.assignment.Stages[stage], notes = adapt.Tasks(next.plan, stage, planned, sizes, workers, limits)
		notes = append(filters, notes...)
		event.Changes = []lifecycle.StageChange{{Stage: stage, Shape: next.stageShape(stage)}}
	}
	if len(notes) == 0 {
		event.Changes = nil
		return event
	}
	next.notes = append(slices.Clip(placed.notes), notes...)
	q.work.plan, q.notes = &next, next.notes
	for _, note := range notes {
		q.c.metrics.adaptations.WithLabelValues(string(note.Kind)).Inc()
	}
	return event
}

// sizes are the exact sizes of all stages that have finished; q.mu is held.
func (q *Query) sizes() adapt.Sizes {
	sizes := adapt.Sizes{}
	for s, tasks := range q.machine.Stages() {
		if len(tasks) == 0 || slices.ContainsFunc(tasks, func(t lifecycle.Task) bool { return t.State != lifecycle.Done }) {
			continue
		}
		for _, task := range tasks {
			sizes[ids.StageID(s)] = append(sizes[ids.StageID(s)], adapt.Producer{Worker: task.Worker, Rows: task.PartitionRows, Bytes: task.PartitionBytes, Values: task.Summaries})
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
