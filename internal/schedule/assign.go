package schedule

import (
	"fmt"
	"slices"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A Worker is a candidate for tasks.
type Worker struct {
	ID ids.WorkerID
	// Slots is how many tasks it runs at a time; 0 = no limit is known. Assign does not queue: a stage needs one slot a
	// worker, and a worker with none free runs its task later.
	Slots int
	// Threads is its share of the work against other workers; 0 counts as 1.
	Threads int
}

// A Task is one task of a stage.
type Task struct {
	Index  ids.TaskIndex
	Worker ids.WorkerID
	// Splits are the task's share of each of the stage's Scans, parallel to them.
	Splits [][]table.Split
	// Ranges are the task's share of those of the stage's Scans that are divided by ranges, parallel to them; of others the
	// zero Run.
	Ranges []distplan.Run
	// Partitions are the partitions it reads of each of the stage's Inputs, parallel to them.
	Partitions [][]int
	// Pieces are, for each of the stage's Inputs, those of Partitions of which the task reads only what some producers gave:
	// other tasks read the rest. Nil when there are none.
	Pieces [][]Piece
}

// A Piece is what some tasks of the producing stage gave of one partition.
type Piece struct {
	Partition int
	Producers []ids.TaskIndex
}

// Reads reports whether the task reads what a producer's task gave of a partition of an input; the partition is one of
// Partitions.
func (t *Task) Reads(input, partition int, producer ids.TaskIndex) bool {
	if input >= len(t.Pieces) {
		return true
	}
	for _, piece := range t.Pieces[input] {
		if piece.Partition == partition {
			return slices.Contains(piece.Producers, producer)
		}
	}
	return true
}

// An Assignment says who does what. It is a value: nobody changes it.
type Assignment struct {
	// Stages are the tasks of each stage, by stage id.
	Stages [][]Task
}

// Tasks counts the tasks of every stage, by stage id, for distplan.ExplainOn.
func (a *Assignment) Tasks() []int {
	counts := make([]int, len(a.Stages))
	for i, tasks := range a.Stages {
		counts[i] = len(tasks)
	}
	return counts
}

// Assign divides a plan among workers. It fails when there is no worker, or two of one name.
func Assign(p *distplan.Plan, workers []Worker) (*Assignment, error) {
	if len(workers) == 0 {
		return nil, fmt.Errorf("assign tasks: no worker")
	}
	seen := map[ids.WorkerID]bool{}
	for _, w := range workers {
		if seen[w.ID] {
			return nil, fmt.Errorf("assign tasks: two workers are named %s", w.ID)
		}
		seen[w.ID] = true
	}
	a := &Assignment{Stages: make([][]Task, len(p.Stages))}
	for i, s := range p.Stages {
		a.Stages[i] = Stage(p, s, workers)
	}
	return a, nil
}

// Stage divides one stage among workers, of which there is at least one, as Assign does.
func Stage(p *distplan.Plan, s *distplan.Stage, workers []Worker) []Task {
	if s.MergedInto != nil {
		return nil
	}
	switch s.Spread {
	case distplan.SpreadSplits:
		return bySplits(p, s, workers)
	case distplan.SpreadPartitions:
		return byPartitions(p, s, workers)
	}
	// Single tasks of one plan go round the workers, so that those that run at the same time are on different ones.
	t := newTask(p, s, workers[int(s.ID)%len(workers)].ID)
	for i, scan := range s.Scans {
		t.Splits[i] = join(scan.Splits)
	}
	return []Task{t}
}

// Whole makes a task that reads no part of anything: only what every task of its stage reads.
func Whole(p *distplan.Plan, s *distplan.Stage, worker ids.WorkerID) Task {
	return newTask(p, s, worker)
}

// newTask gives a task what every task of its stage reads: replicated scans, and inputs that are read whole.
func newTask(p *distplan.Plan, s *distplan.Stage, w ids.WorkerID) Task {
	t := Task{Worker: w, Splits: make([][]table.Split, len(s.Scans)), Ranges: make([]distplan.Run, len(s.Scans)),
		Partitions: make([][]int, len(s.Inputs))}
	for i, scan := range s.Scans {
		if scan.Replicated {
			t.Splits[i] = join(scan.Splits)
		}
	}
	for i, in := range s.Inputs {
		if in.Read != distplan.ReadShare || s.Spread != distplan.SpreadPartitions {
			t.Partitions[i] = upTo(p.Stages[in.From].Output.Partitions)
		}
	}
	return t
}

// byPartitions deals the hash partitions round the workers: each partition number of all inputs that are shared out to the
// same task. Of range partitions each worker gets a run, in the order of the workers.
func byPartitions(p *distplan.Plan, s *distplan.Stage, workers []Worker) []Task {
	partitions := 1
	for _, in := range s.Inputs {
		if in.Read == distplan.ReadShare {
			partitions = p.Stages[in.From].Output.Partitions
		}
	}
	n := min(len(workers), partitions)
	tasks := make([]Task, n)
	runs := p.InRanges(s)
	for i := range tasks {
		tasks[i] = newTask(p, s, workers[i].ID)
		tasks[i].Index = ids.TaskIndex(i)
		for k, in := range s.Inputs {
			switch {
			case in.Read != distplan.ReadShare:
			case runs:
				tasks[i].Partitions[k] = upTo(partitions)[i*partitions/n : (i+1)*partitions/n]
			default:
				for part := i; part < partitions; part += n {
					tasks[i].Partitions[k] = append(tasks[i].Partitions[k], part)
				}
			}
		}
	}
	return tasks
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
