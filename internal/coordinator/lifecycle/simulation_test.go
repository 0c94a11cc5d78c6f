package lifecycle

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// simulations is how many seeds a test run tries; each is a query with its workers and faults, and replays by its number.
const simulations = 10000

// A simulation is one machine and a model of all around it: workers that run tasks and keep outputs, and a client that reads
// each endpoint at its worker or through the coordinator. Everything happens in an order that the seed says.
type simulation struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand
	m      *Machine
	now    time.Time
	shape  Shape
	faults int // left

	alive  map[ids.WorkerID]bool // the process is there
	cut    map[ids.WorkerID]bool // the process is there, and the coordinator thinks it is not
	back   map[ids.WorkerID]bool // was cut off once
	joined int
	// retelling: a worker that came back has not told all that it has.
	retelling bool
	runs      map[ids.TaskKey]*simRun
	outputs   map[ids.TaskKey]lineage
	where     map[ids.TaskKey]ids.WorkerID
	given     map[ids.TaskKey]bool // ever dispatched

	readers map[ids.TaskIndex]*simReader
	asked   []ids.StageID // want their Settle
	settled map[ids.StageID]bool
	merged  int
	ended   bool

	record  *simRecord
	epoch   int                  // of the owner; 0 is the first one's
	epochs  map[ids.TaskKey]int  // whose each attempt is
	fenced  map[ids.WorkerID]int // the owner that each worker heard of last
	deposed int
	kept    int
}

// lineage is which attempts of indeterminate tasks some rows were made from.
type lineage map[ids.TaskKey]bool

type simRun struct {
	worker ids.WorkerID
	inputs []ids.TaskKey
}

// A simReader is the client's reading of one endpoint.
type simReader struct {
	first ids.TaskKey // what the ticket names
	proxy bool        // through the coordinator from now on
	open  ids.TaskKey // what the coordinator reads for it
	shown bool
	known bool // the coordinator knows that it is shown
	done  bool
	rows  lineage
}

func TestSimulation(t *testing.T) {
	ends := map[Status]int{}
	retried, merged, outrun := 0, 0, uint64(0)
	for seed := range uint64(simulations) {
		s := newSimulation(t, seed, false)
		ends[s.run()]++
		if n := s.m.Counts(); n[OutcomeFinished] > 0 && n[OutcomeLost]+n[OutcomeFailed] > 0 && s.m.Status() == Finished {
			retried++
		}
		if s.m.Status() == Finished {
			merged += s.merged
		}
		outrun += s.m.Counts()[OutcomeOutrun]
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("ends: %v; %d finished after retries; %d stages merged; %d attempts outrun", ends, retried, merged, outrun)
	if ends[Finished] < simulations/4 || ends[Failed] < simulations/20 || ends[Cancelled] == 0 || retried < simulations/10 || merged < simulations/20 || outrun < simulations/100 {
		t.Errorf("the seeds no longer try what they should: %v, %d finished after retries", ends, retried)
	}
}

// newSimulation begins one; with handover the query's owner changes now and then.
func newSimulation(t *testing.T, seed uint64, handover bool) *simulation {
	rng := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // a seed makes the run repeatable
	s := &simulation{t: t, seed: seed, rng: rng, m: &Machine{}, now: epoch, faults: rng.IntN(6),
		alive: map[ids.WorkerID]bool{}, cut: map[ids.WorkerID]bool{}, back: map[ids.WorkerID]bool{}, runs: map[ids.TaskKey]*simRun{}, outputs: map[ids.TaskKey]lineage{},
		where: map[ids.TaskKey]ids.WorkerID{}, given: map[ids.TaskKey]bool{}, readers: map[ids.TaskIndex]*simReader{},
		settled: map[ids.StageID]bool{}, epochs: map[ids.TaskKey]int{}, fenced: map[ids.WorkerID]int{}}
	s.joined = 1 + rng.IntN(4)
	var workers []ids.WorkerID
	for i := range s.joined {
		workers = append(workers, ids.WorkerID(fmt.Sprintf("w%d", i+1)))
		s.alive[workers[i]] = true
	}
	stages := 1 + rng.IntN(4)
	s.shape = Shape{Direct: stages == 1 && rng.IntN(2) == 0, Proxied: rng.IntN(2) == 0, Shared: handover, Usable: workers, Attempts: 1 + rng.IntN(4),
		SpeculateAfter: time.Duration(rng.IntN(3)) * time.Second,
		Slots:          rng.IntN(4),
		ResultTTL:      time.Minute, WorkerWaitMax: 30 * time.Second, StallMax: 5 * time.Minute}
	for n := range stages {
		one := StageShape{Indeterminate: rng.IntN(3) == 0}
		for range 1 + rng.IntN(3) {
			one.Workers = append(one.Workers, workers[rng.IntN(len(workers))])
		}
		for i := range n { // every stage has a consumer, at the latest the root
			if rng.IntN(2) == 0 || n == stages-1 || i == n-1 {
				one.Inputs = append(one.Inputs, ids.StageID(i))
			}
		}
		s.shape.Stages = append(s.shape.Stages, one)
	}
	s.makeAdaptive()
	return s
}

func (s *simulation) errorf(format string, args ...any) { s.t.Helper(); s.t.Errorf(format, args...) }

func (s *simulation) run() Status {
	s.step(Start{Shape: s.shape, Now: s.now})
	for range 2000 {
		if s.ended {
			break
		}
		s.now = s.now.Add(time.Duration(s.rng.IntN(100)) * time.Millisecond)
		switch dice := s.rng.IntN(20); {
		case dice < 8 && len(s.asked) > 0 && s.rng.IntN(2) == 0:
			s.settle()
		case dice < 8:
			s.work()
		case dice < 14:
			s.read()
		case dice == 14 && s.faults > 0:
			s.faults--
			s.fault()
		case dice == 15 && s.shape.Shared:
			switch n := s.rng.IntN(6); {
			case n < 2:
				s.write(false)
			case n > 3 && s.deposed < 4:
				s.depose()
			}
		default:
			s.now = s.now.Add(time.Duration(s.rng.IntN(3)) * time.Second)
			s.step(Tick{Now: s.now})
		}
	}
	if !s.ended {
		s.errorf("the query never ended: %v", s.m.Stages())
	}
	s.check()
	return s.m.Status()
}

// check looks at what the client has.
func (s *simulation) check() {
	for _, late := range []Event{Tick{Now: s.now.Add(time.Hour)}, Workers{Usable: s.shape.Usable, Now: s.now}, Report{State: Done, Attempt: 1, Now: s.now}} {
		if actions := s.m.Step(late); len(actions) > 0 {
			s.errorf("after its end the query does %v", actions)
		}
	}
	var total uint64
	for _, n := range s.m.Counts() {
		total += n
	}
	if total > 1<<40 || !s.shape.Direct && total != uint64(len(s.given)) {
		s.errorf("%d attempts were given to workers, and these outcomes counted: %v", len(s.given), s.m.Counts())
	}
	made := map[ids.TaskKey]ids.Attempt{}
	mixed := ""
	for t := range s.m.root() {
		r := s.readers[ids.TaskIndex(t)]
		if r == nil || !r.done || r.rows == nil {
			if s.m.Status() == Finished {
				s.errorf("finished, but the client has not all rows of task %d", t)
			}
			return // the client knows that it has no whole result, whatever it has
		}
		for key := range r.rows {
			attempt := key.Attempt
			key.Attempt = 0
			if other, known := made[key]; known && other != attempt {
				mixed = fmt.Sprintf("the client's result mixes attempts %d and %d of stage %d task %d", attempt, other, key.Stage, key.Task)
			}
			made[key] = attempt
		}
	}
	if mixed != "" {
		s.errorf("%s; the query %s", mixed, s.m.Status())
	}
}

func (s *simulation) step(event Event) {
	if s.ended {
		return
	}
	for _, action := range s.m.Step(event) {
		switch a := action.(type) {
		case Ready:
			if s.settled[a.Stage] {
				s.errorf("stage %d is to be settled twice", a.Stage)
			}
			s.asked, s.settled[a.Stage] = append(s.asked, a.Stage), true
		case Dispatch:
			if shape := s.shape.Stages[a.Stage]; shape.Adapt && (!s.settled[a.Stage] || slices.Contains(s.asked, a.Stage)) {
				s.errorf("stage %d is dispatched before it is settled", a.Stage)
			}
			s.dispatched(a)
		case Abandon:
			s.abandoned(a)
		case Place:
			root := s.m.Stages()[len(s.shape.Stages)-1][a.Task]
			if s.write(true); s.readers[a.Task] != nil {
				if s.epoch == 0 {
					s.errorf("task %d is placed twice", a.Task)
				}
				break // its client has an endpoint of it
			}
			s.readers[a.Task] = &simReader{proxy: s.shape.Proxied, first: s.key(len(s.shape.Stages)-1, int(a.Task), root.Attempt)}
		case End:
			s.ended = true
			for key := range s.given {
				if !slices.Contains(a.Release, s.where[key]) {
					s.errorf("worker %s may have %s and is not told the end", s.where[key], key)
				}
			}
		}
	}
	s.checkStrays()
	s.checkFenced()
	for index, r := range s.readers {
		if task, _ := s.m.RootTask(index); !s.ended && r.known && task.Attempt != r.first.Attempt && task.Attempt != r.open.Attempt {
			s.errorf("task %d moved to attempt %d although a client has the begin of another one", index, task.Attempt)
		}
	}
	if s.shape.Direct && !s.ended { // tickets are the dispatch
		for t, task := range s.m.Stages()[0] {
			if task.State == Placed {
				key := s.key(0, t, task.Attempt)
				s.where[key] = task.Worker
				s.runs[key] = &simRun{worker: task.Worker}
			}
		}
	}
}

// abandoned ends an attempt at its worker, which must not be the one that counts.
func (s *simulation) abandoned(a Abandon) {
	key := s.key(int(a.Stage), int(a.Task), a.Attempt)
	if task := s.m.find(a.Stage, a.Task); task.Attempt == a.Attempt || task.rival != nil && task.rival.Attempt == a.Attempt {
		s.errorf("%s is abandoned, and counts", key)
	}
	if s.where[key] != a.Worker || s.cut[a.Worker] {
		s.errorf("%s is abandoned at %s, but runs at %s", key, a.Worker, s.where[key])
	}
	delete(s.runs, key)
	delete(s.outputs, key)
}

// checkStrays looks for attempts that run on a worker in reach although they were given up. A result that waits for its reader
// on a worker that was cut off may do so.
func (s *simulation) checkStrays() {
	for key, run := range s.runs {
		if s.ended || s.retelling || !s.alive[run.worker] || s.cut[run.worker] || int(key.Stage) == len(s.shape.Stages)-1 && s.back[run.worker] {
			continue
		}
		task := s.m.find(key.Stage, key.Task)
		if task.Attempt != key.Attempt && (task.rival == nil || task.rival.Attempt != key.Attempt) {
			s.errorf("%s still runs on %s, but attempt %d counts", key, run.worker, task.Attempt)
		}
		if task.rival != nil && (task.rival.Worker == task.Worker || task.State == Done || s.m.isRoot(key.Stage)) {
			s.errorf("%s has a rival on %s", key, task.rival.Worker)
		}
	}
}

func (s *simulation) key(stage, task int, attempt ids.Attempt) ids.TaskKey {
	return ids.TaskKey{Query: "q", Stage: ids.StageID(stage), Task: ids.TaskIndex(task), Attempt: attempt}
}

func (s *simulation) dispatched(a Dispatch) {
	key := s.key(int(a.Stage), int(a.Task), a.Attempt)
	if _, ever := s.epochs[key]; ever {
		s.errorf("%s is dispatched twice", key)
	}
	s.given[key], s.where[key], s.epochs[key] = true, a.Worker, s.epoch
	if !s.alive[a.Worker] || s.cut[a.Worker] {
		s.errorf("%s is sent to %s, which is lost", key, a.Worker)
	}
	if n, _ := s.m.running(a.Worker); s.shape.Slots > 0 && n > s.shape.Slots {
		s.errorf("%s is sent to %s, which has %d tasks by now", key, a.Worker, n)
	}
	run := &simRun{worker: a.Worker}
	states := s.m.Stages()
	for _, input := range s.shape.Stages[a.Stage].Inputs {
		for p, producer := range states[input] {
			if producer.State != Done {
				s.errorf("%s is to read stage %d task %d, which is %s", key, input, p, producer.State)
			}
			run.inputs = append(run.inputs, s.key(int(input), p, producer.Attempt))
		}
	}
	s.runs[key] = run
}

// pick takes a random key of a map, the same for the same seed.
func pick[V any](s *simulation, from map[ids.TaskKey]V) (ids.TaskKey, bool) {
	keys := slices.SortedFunc(maps.Keys(from), func(a, b ids.TaskKey) int { return compareKeys(a, b) })
	if len(keys) == 0 {
		return ids.TaskKey{}, false
	}
	return keys[s.rng.IntN(len(keys))], true
}

func compareKeys(a, b ids.TaskKey) int {
	return slices.Compare([]int{int(a.Stage), int(a.Task), int(a.Attempt)}, []int{int(b.Stage), int(b.Task), int(b.Attempt)})
}
