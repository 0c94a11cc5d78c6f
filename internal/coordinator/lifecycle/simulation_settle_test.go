package lifecycle

import (
	"slices"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// makeAdaptive lets some stages wait for others and be settled late.
func (s *simulation) makeAdaptive() {
	stages := s.shape.Stages
	for n := range stages {
		if s.shape.Direct {
			return
		}
		stages[n].Adapt = s.rng.IntN(2) == 0
		after := s.rng.IntN(len(stages))
		if s.rng.IntN(2) == 0 && after != n && !s.waitsFor(ids.StageID(after), ids.StageID(n)) {
			stages[n].After = []ids.StageID{ids.StageID(after)}
		}
	}
}

// waitsFor reports whether a stage waits for another one.
func (s *simulation) waitsFor(stage, other ids.StageID) bool {
	if stage == other {
		return true
	}
	shape := s.shape.Stages[stage]
	return slices.ContainsFunc(append(slices.Clone(shape.Inputs), shape.After...), func(i ids.StageID) bool { return s.waitsFor(i, other) })
}

// settle answers one question: the stage stays, gets other tasks, or becomes a part of those that read it.
func (s *simulation) settle() {
	stage := s.asked[0]
	s.asked = s.asked[1:]
	event := Settle{Stage: stage, Now: s.now}
	change := func(n ids.StageID, shape StageShape) {
		s.shape.Stages[n] = shape
		event.Changes = append(event.Changes, StageChange{Stage: n, Shape: shape})
	}
	own := s.shape.Stages[stage]
	var consumers []ids.StageID
	for n := range s.shape.Stages {
		if slices.Contains(s.shape.Stages[n].Inputs, stage) {
			consumers = append(consumers, ids.StageID(n))
		}
	}
	s.shape.Stages = slices.Clone(s.shape.Stages) // the machine has those that it was started with
	switch s.rng.IntN(3) {
	case 0:
		own.Workers = s.someWorkers()
		change(stage, own)
	case 1:
		if len(consumers) == 0 || slices.ContainsFunc(consumers, func(c ids.StageID) bool { return !s.shape.Stages[c].Adapt }) {
			break
		}
		for _, c := range consumers {
			shape := s.shape.Stages[c]
			shape.Workers, shape.Indeterminate = s.someWorkers(), shape.Indeterminate || own.Indeterminate
			inputs := append(slices.Clone(shape.Inputs), own.Inputs...)
			slices.Sort(inputs)
			shape.Inputs = slices.DeleteFunc(slices.Compact(inputs), func(i ids.StageID) bool { return i == stage })
			change(c, shape)
		}
		change(stage, StageShape{Indeterminate: own.Indeterminate})
		s.merged++
	}
	s.step(event)
}

func (s *simulation) someWorkers() (workers []ids.WorkerID) {
	for range 1 + s.rng.IntN(3) {
		workers = append(workers, s.shape.Usable[s.rng.IntN(len(s.shape.Usable))])
	}
	return workers
}
