package lifecycle

import (
	"fmt"
	"maps"
	"slices"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// work lets something happen to a task at a worker.
func (s *simulation) work() {
	key, ok := pick(s, s.runs)
	if !ok {
		return
	}
	run := s.runs[key]
	root := int(key.Stage) == len(s.shape.Stages)-1
	tell := func(event Event) { // a worker that is cut off tells nobody
		if !s.cut[run.worker] {
			s.step(event)
		}
	}
	if s.rng.IntN(3) == 0 && !s.shape.Direct {
		tell(Created{Stage: key.Stage, Task: key.Task, Attempt: key.Attempt, Now: s.now})
	}
	if root {
		return // runs when it is read
	}
	if s.rng.IntN(2) == 0 {
		tell(Report{Stage: key.Stage, Task: key.Task, Attempt: key.Attempt, State: Active, Stats: Stats{Rows: uint64(s.rng.IntN(2))}, Now: s.now})
		return
	}
	delete(s.runs, key)
	rows, err := s.compute(key, run)
	report := Report{Stage: key.Stage, Task: key.Task, Attempt: key.Attempt, State: Done, Stats: Stats{Rows: 1}, Now: s.now}
	if err != nil {
		report.State, report.Err = Broken, err
	} else {
		s.outputs[key] = rows
	}
	tell(report)
}

// compute fetches a task's inputs and makes its rows.
func (s *simulation) compute(key ids.TaskKey, run *simRun) (lineage, error) {
	rows := lineage{}
	for _, input := range run.inputs {
		output, there := s.outputs[input]
		if !there || !s.alive[s.where[input]] {
			return nil, &qerr.Error{Kind: qerr.FetchFailed, Msg: "gone", Producer: input}
		}
		maps.Copy(rows, output)
	}
	if s.shape.Stages[key.Stage].Indeterminate {
		rows[key] = true
	}
	return rows, nil
}

// read lets the client go one step on with one of its endpoints.
func (s *simulation) read() {
	if len(s.readers) == 0 {
		return
	}
	tasks := slices.Sorted(maps.Keys(s.readers))
	index := tasks[s.rng.IntN(len(tasks))]
	r := s.readers[index]
	switch {
	case r.done:
	case r.proxy:
		s.readProxied(index, r)
	default:
		s.readDirect(index, r)
	}
}

// readDirect reads at the worker that the ticket names; when that fails before the schema, the client asks the coordinator.
func (s *simulation) readDirect(index ids.TaskIndex, r *simReader) {
	run, key := s.runs[r.first], r.first
	if run == nil || !s.alive[run.worker] {
		if r.shown {
			r.done, r.rows = true, nil
			s.step(Cancel{Cause: qerr.New(qerr.Unavailable, "the client's stream broke"), Now: s.now})
			return
		}
		r.proxy = true
		return
	}
	rows, err := s.compute(key, run)
	report := Report{Stage: key.Stage, Task: index, Attempt: key.Attempt, Now: s.now, Stats: Stats{SchemaSent: true, Rows: 1}}
	switch {
	case r.shown:
		report.State, r.done = Done, true
		delete(s.runs, key)
	case err != nil:
		report.State, report.Err, report.Stats = Broken, err, Stats{}
		delete(s.runs, key)
	default:
		report.State, r.shown, r.rows, r.known = Active, true, rows, !s.cut[run.worker]
	}
	if !s.cut[run.worker] {
		s.step(report)
	}
}

// readProxied reads through the coordinator, which follows the task.
func (s *simulation) readProxied(index ids.TaskIndex, r *simReader) {
	task, _ := s.m.RootTask(index)
	key := s.key(len(s.shape.Stages)-1, int(index), task.Attempt)
	if r.open == (ids.TaskKey{}) {
		if task.State == Placed || task.State == Active {
			r.open = key
			s.step(Opened{Task: index, Attempt: key.Attempt, Now: s.now})
		}
		return
	}
	run := s.runs[r.open]
	var rows lineage
	err := error(qerr.New(qerr.Unavailable, "reset"))
	if run != nil && s.alive[run.worker] {
		rows, err = s.compute(r.open, run)
	}
	switch {
	case r.shown && run != nil && s.alive[run.worker]:
		s.step(Sent{Task: index, Attempt: r.open.Attempt, All: true, Now: s.now})
		r.done = true
		if !s.cut[run.worker] {
			s.step(Report{Stage: r.open.Stage, Task: index, Attempt: r.open.Attempt, State: Done, Now: s.now})
		}
	case r.shown:
		s.step(Unreadable{Task: index, Attempt: r.open.Attempt, Err: err, Now: s.now})
	case r.open.Attempt != task.Attempt: // given up while the first batch was on its way
		r.open = ids.TaskKey{}
	case err != nil:
		s.step(Unreadable{Task: index, Attempt: r.open.Attempt, Err: err, Now: s.now})
		r.open = ids.TaskKey{}
	default:
		s.step(Sent{Task: index, Attempt: r.open.Attempt, Now: s.now})
		r.shown, r.rows, r.known = true, rows, true
	}
}

// fault breaks something.
func (s *simulation) fault() {
	workers := slices.Sorted(maps.Keys(s.alive))
	worker := workers[s.rng.IntN(len(workers))]
	switch s.rng.IntN(7) {
	case 0, 1: // dies
		s.alive[worker] = false
		delete(s.cut, worker)
		for key, run := range s.runs {
			if run.worker == worker {
				delete(s.runs, key)
			}
		}
		for key := range s.outputs {
			if s.where[key] == worker {
				delete(s.outputs, key)
			}
		}
		s.step(WorkerLost{Worker: worker, Reason: "died", Now: s.now})
	case 2: // cut off from the coordinator only
		if s.alive[worker] {
			s.cut[worker] = true
			s.step(WorkerLost{Worker: worker, Reason: "cut off", Now: s.now})
		}
	case 3: // comes back, or a new one comes
		if s.cut[worker] {
			delete(s.cut, worker)
			s.back[worker] = true
			s.fence(worker)
			s.retell(worker)
		} else {
			s.joined++
			s.alive[ids.WorkerID(fmt.Sprintf("w%d", s.joined))] = true
		}
		s.tellWorkers()
	case 4: // a task fails, or is refused
		kinds := []qerr.Kind{qerr.User, qerr.IO, qerr.Resource, qerr.Internal, qerr.Unavailable, qerr.Fenced}
		if key, ok := pick(s, s.runs); ok && !s.cut[s.runs[key].worker] {
			err := qerr.New(kinds[s.rng.IntN(len(kinds))], "injected")
			if !s.shape.Direct && s.rng.IntN(3) == 0 {
				delete(s.runs, key)
				s.step(Created{Stage: key.Stage, Task: key.Task, Attempt: key.Attempt, Err: err, Now: s.now})
				s.step(Report{Stage: key.Stage, Task: key.Task, Attempt: key.Attempt, State: Broken, Err: err, Now: s.now})
			} else if int(key.Stage) < len(s.shape.Stages)-1 {
				delete(s.runs, key)
				s.step(Report{Stage: key.Stage, Task: key.Task, Attempt: key.Attempt, State: Broken, Err: err, Now: s.now})
			}
		}
	case 5: // an output is gone although its worker is there
		if key, ok := pick(s, s.outputs); ok {
			delete(s.outputs, key)
		}
	case 6:
		if s.rng.IntN(5) == 0 {
			s.step(Cancel{Cause: qerr.New(qerr.Cancelled, "asked to"), Now: s.now})
		}
	}
}

// retell lets a worker that is in reach again tell all that it has.
func (s *simulation) retell(worker ids.WorkerID) {
	has := map[ids.TaskKey]TaskState{}
	for key, run := range s.runs {
		if has[key] = Active; run.worker != worker {
			delete(has, key)
		} else if r := s.readers[key.Task]; int(key.Stage) == len(s.shape.Stages)-1 && (r == nil || r.first != key || !r.shown) {
			has[key] = Placed
		}
	}
	for key := range s.outputs {
		if s.where[key] == worker {
			has[key] = Done
		}
	}
	s.retelling = true
	defer func() { s.retelling = false }()
	for _, key := range slices.SortedFunc(maps.Keys(has), compareKeys) {
		s.step(Report{Stage: key.Stage, Task: key.Task, Attempt: key.Attempt, State: has[key], Stats: Stats{Rows: 1, SchemaSent: has[key] == Active}, Now: s.now})
	}
}

func (s *simulation) tellWorkers() {
	var usable []ids.WorkerID
	for w, alive := range s.alive {
		if alive && !s.cut[w] {
			usable = append(usable, w)
		}
	}
	s.step(Workers{Usable: usable, Now: s.now})
}
