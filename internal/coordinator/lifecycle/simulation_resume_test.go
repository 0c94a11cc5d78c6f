package lifecycle

import (
	"maps"
	"slices"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// TestHandover changes the owners of queries under all the faults of TestSimulation. No result is made of two attempts, and no
// task of a former owner goes on at a worker that knows of its end.
func TestHandover(t *testing.T) {
	ends := map[Status]int{}
	resumed, kept := 0, 0
	for seed := range uint64(simulations) {
		s := newSimulation(t, seed, true)
		if ends[s.run()]++; s.deposed > 0 && s.m.Status() == Finished {
			resumed++
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		kept += s.kept
	}
	t.Logf("ends: %v; %d finished by another owner; %d outputs and results kept", ends, resumed, kept)
	if resumed < simulations/10 || kept < simulations/4 || ends[Failed] < simulations/20 {
		t.Errorf("the seeds no longer try what they should: %v, %d finished by another owner", ends, resumed)
	}
}

// given is how far attempt numbers of one owner are from those of the next.
const given = 1000

// simRecord is what an owner has written down for another one.
type simRecord struct {
	shape    Shape
	tasks    [][]Task
	revealed bool
}

// write notes the query as it is. An owner does so before a client learns of an endpoint, and now and then else.
func (s *simulation) write(revealed bool) {
	if s.shape.Direct || !s.shape.Shared || s.ended {
		return
	}
	r := &simRecord{shape: s.shape, tasks: s.m.Stages(), revealed: revealed || s.record != nil && s.record.revealed}
	r.shape.Stages = slices.Clone(s.shape.Stages)
	for n := range r.shape.Stages {
		r.shape.Stages[n].Adapt, r.shape.Stages[n].After = false, nil
	}
	s.record = r
}

// depose has another owner go on with what was written down. The former one is dead, or lives on and does not know: what it
// sends to workers that were told of its end is refused.
func (s *simulation) depose() {
	if s.record == nil || s.ended {
		return
	}
	r, former := s.record, s.m
	s.epoch++
	s.deposed++
	for w := range s.cut { // the next owner may have a way where the former one had none
		if s.rng.IntN(2) == 0 {
			delete(s.cut, w)
		}
	}
	for _, reader := range s.readers {
		reader.known = false
		if reader.open != (ids.TaskKey{}) && !reader.done { // it read through the former owner
			delete(s.runs, reader.open)
			reader.open, reader.shown, reader.known, reader.rows = ids.TaskKey{}, false, false, nil
		}
	}
	resume := Resume{Shape: r.shape, Given: ids.Attempt(s.epoch * given), Revealed: r.revealed, Now: s.now}
	resume.Shape.Usable = s.reachable()
	resume.Touched = resume.Shape.Usable
	keep := map[ids.TaskKey]bool{}
	for n, tasks := range r.tasks {
		var left []Resumed
		for t, task := range tasks {
			left = append(left, s.left(n, t, task, keep))
		}
		resume.Tasks = append(resume.Tasks, left)
	}
	s.given = map[ids.TaskKey]bool{}
	s.kept += len(keep)
	for key := range keep {
		s.given[key], s.epochs[key] = true, s.epoch
	}
	for worker := range s.alive {
		if s.alive[worker] && !s.cut[worker] {
			s.fence(worker)
		}
	}
	s.m, s.shape, s.asked, s.settled = &Machine{}, resume.Shape, nil, map[ids.StageID]bool{}
	s.shape.Stages = slices.Clone(r.shape.Stages)
	s.step(resume)
	s.late(former)
}

// left is what the workers in reach say of a task of the record.
func (s *simulation) left(stage, index int, task Task, keep map[ids.TaskKey]bool) Resumed {
	key := s.key(stage, index, task.Attempt)
	_, held := s.outputs[key]
	here := s.alive[task.Worker] && !s.cut[task.Worker]
	root := stage == len(s.record.shape.Stages)-1
	switch {
	case !root && task.State == Done && held && here:
		keep[key] = true
		return Resumed{Task: task}
	case !root && task.State == Done:
		keep[key] = true // counted as lost
		return Resumed{Task: task, Lost: qerr.New(qerr.Unavailable, "the output is gone")}
	case !root || s.shape.Proxied || !here || task.State < Placed || task.State > Done:
		return Resumed{}
	}
	reader := s.readers[ids.TaskIndex(index)]
	run := s.runs[key]
	task.State, task.Stats = Placed, Stats{}
	switch {
	case reader != nil && reader.first == key && reader.done && reader.rows != nil && !reader.proxy:
		task.State, reader.known = Done, true
	case run == nil:
		return Resumed{}
	case reader != nil && reader.first == key && reader.shown:
		task.State, task.SchemaSent, reader.known = Active, true, true
	}
	keep[key] = true
	return Resumed{Task: task}
}

// fence has a worker end what former owners have left there, and refuse them from now on.
func (s *simulation) fence(worker ids.WorkerID) {
	s.fenced[worker] = s.epoch
	for _, key := range slices.SortedFunc(maps.Keys(s.runs), compareKeys) {
		if s.where[key] == worker && s.epochs[key] < s.epoch {
			delete(s.runs, key)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(s.outputs), compareKeys) {
		if s.where[key] == worker && s.epochs[key] < s.epoch {
			delete(s.outputs, key)
		}
	}
}

// late lets a former owner go on for a while: it dispatches whatever it likes, to workers that may refuse it.
func (s *simulation) late(former *Machine) {
	for range 3 {
		for _, action := range former.Step(Tick{Now: s.now}) {
			if a, ok := action.(Dispatch); ok && s.alive[a.Worker] && s.fenced[a.Worker] < s.epoch {
				key := s.key(int(a.Stage), int(a.Task), a.Attempt)
				s.runs[key], s.where[key], s.epochs[key] = &simRun{worker: a.Worker}, a.Worker, s.epoch-1
			}
		}
	}
}

// checkFenced looks for tasks of former owners at workers that know of their end.
func (s *simulation) checkFenced() {
	for key, run := range s.runs {
		if s.alive[run.worker] && s.epochs[key] < s.fenced[run.worker] {
			s.errorf("%s of owner %d runs on %s, which knows that owner %d has taken over", key, s.epochs[key], run.worker, s.fenced[run.worker])
		}
	}
}

func (s *simulation) reachable() []ids.WorkerID {
	workers := []ids.WorkerID{} // none is not unknown
	for _, w := range slices.Sorted(maps.Keys(s.alive)) {
		if s.alive[w] && !s.cut[w] {
			workers = append(workers, w)
		}
	}
	return workers
}
