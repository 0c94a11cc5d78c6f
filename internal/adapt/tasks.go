package adapt

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/schedule"
)

// Limits say when an adaptation is worth it.
type Limits struct {
	// TaskBytesMin is the input below which a stage gets fewer tasks than there are workers; 0: never.
	TaskBytesMin uint64
	// SkewBytesMin is the size from which a partition may be divided, SkewFactor by how much it must exceed the median.
	SkewBytesMin uint64
	SkewFactor   float64
	// BroadcastBytesMax is the size up to which an exchanged input is read whole by every task instead.
	BroadcastBytesMax uint64
	// Eager takes every adaptation that is legal and whose size fits, whether it saves anything or not: for tests.
	Eager bool
}

// A Producer is one task of a stage that has finished: what it gave, by partition, and where that is.
type Producer struct {
	Worker      ids.WorkerID
	Rows, Bytes []uint64
	// Values says of some columns what is in them.
	Values map[int]table.Summary
}

// Sizes are the finished tasks of the stages that a stage reads, by stage.
type Sizes map[ids.StageID][]Producer

// Bytes of one partition that a producer's task gave; 0 when it has not said.
func (p *Producer) bytes(partition int) uint64 {
	if partition < len(p.Bytes) {
		return p.Bytes[partition]
	}
	return 0
}

// Total is all that a stage gave.
func (s Sizes) Total(stage ids.StageID) (bytes uint64) {
	for i := range s[stage] {
		for _, b := range s[stage][i].Bytes {
			bytes += b
		}
	}
	return bytes
}

// A Kind is a sort of adaptation, as metrics count it.
type Kind string

// The kinds.
const (
	Coalesced Kind = "coalesced"
	Divided   Kind = "divided"
	Balanced  Kind = "balanced"
	Broadcast Kind = "broadcast"
	Filtered  Kind = "filtered"
)

// Kinds lists all of them.
func Kinds() []Kind { return []Kind{Coalesced, Divided, Balanced, Broadcast, Filtered} }

// A Note says what was changed, for EXPLAIN ANALYZE and sys.queries.
type Note struct {
	Kind  Kind
	Stage ids.StageID
	Text  string
}

// String is the line of EXPLAIN ANALYZE.
func (n Note) String() string { return fmt.Sprintf("stage %d %s: %s", n.Stage, n.Kind, n.Text) }

// A unit is what one task must read together: a partition of all inputs, or a piece of one.
type unit struct {
	partition int
	producers []ids.TaskIndex // of the divided input; nil = the whole partition
	bytes     uint64
}

// Tasks decides the tasks of a stage that is spread over hash partitions, all of whose producers have finished. planned are
// the tasks that it has so far; it gives them back with no note where nothing is to be gained.
func Tasks(p *distplan.Plan, stage ids.StageID, planned []schedule.Task, sizes Sizes, workers []schedule.Worker, limits Limits) ([]schedule.Task, []Note) {
	s := p.Stages[stage]
	inputs := sharedOut(s)
	if s.Spread != distplan.SpreadPartitions || len(inputs) == 0 || len(workers) == 0 {
		return planned, nil
	}
	units, bytes := whole(p, s, inputs, sizes)
	var notes []Note
	note := func(kind Kind, format string, args ...any) {
		notes = append(notes, Note{Kind: kind, Stage: stage, Text: fmt.Sprintf(format, args...)})
	}
	count := len(workers)
	if limits.TaskBytesMin > 0 {
		count = int(min(uint64(count), max(1, (bytes+limits.TaskBytesMin-1)/limits.TaskBytesMin)))
	}
	divided := -1
	if count > 1 {
		var pieces int
		if units, divided, pieces = divide(s, inputs, units, sizes, count, limits); pieces > 0 {
			note(Divided, "%d partitions of exchange_%d in %d pieces", divisions(units), s.Inputs[divided].From, pieces)
		}
	}
	chosen := nearest(p, s, sizes, workers, count)
	shares := deal(units, chosen)
	if p.InRanges(s) {
		shares = dealRuns(units, chosen)
	}
	tasks := make([]schedule.Task, 0, len(chosen))
	for w, share := range shares {
		if len(share) > 0 || len(tasks) == 0 && w == len(shares)-1 {
			task := taskOf(p, s, chosen[w].ID, inputs, share, divided)
			task.Index = ids.TaskIndex(len(tasks))
			tasks = append(tasks, task)
		}
	}
	if len(tasks) < len(planned) {
		note(Coalesced, "%d tasks instead of %d for %s", len(tasks), len(planned), size(bytes))
	} else if before, after := largest(p, s, planned, sizes), largest(p, s, tasks, sizes); divided < 0 && better(before, after) {
		note(Balanced, "the largest task reads %s instead of %s", size(after), size(before))
	}
	if len(notes) == 0 {
		return planned, nil
	}
	return tasks, notes
}

// betterBy is the share of the largest task's input that dealing anew must save: what was planned lets tasks of consecutive
// queries read the same partitions on the same workers.
const betterBy = 0.05

func better(before, after uint64) bool { return float64(after) < float64(before)*(1-betterBy) }

// sharedOut are the positions of the inputs whose partitions are dealt.
func sharedOut(s *distplan.Stage) (inputs []int) {
	for i, in := range s.Inputs {
		if in.Read == distplan.ReadShare {
			inputs = append(inputs, i)
		}
	}
	return inputs
}

// whole makes one unit of each partition.
func whole(p *distplan.Plan, s *distplan.Stage, inputs []int, sizes Sizes) ([]unit, uint64) {
	units := make([]unit, p.Stages[s.Inputs[inputs[0]].From].Output.Partitions)
	var total uint64
	for part := range units {
		units[part].partition = part
		for _, i := range inputs {
			producers := sizes[s.Inputs[i].From]
			for k := range producers {
				units[part].bytes += producers[k].bytes(part)
			}
		}
		total += units[part].bytes
	}
	return units, total
}

// nearest picks the workers that hold the most of a stage's inputs, in their own order.
func nearest(p *distplan.Plan, s *distplan.Stage, sizes Sizes, workers []schedule.Worker, count int) []schedule.Worker {
	if count >= len(workers) {
		return workers
	}
	held := map[ids.WorkerID]uint64{}
	for _, i := range sharedOut(s) {
		for _, producer := range sizes[s.Inputs[i].From] {
			for _, b := range producer.Bytes {
				held[producer.Worker] += b
			}
		}
	}
	order := make([]int, len(workers))
	for i := range order {
		order[i] = (int(s.ID) + i) % len(workers) // of equal ones, not the same for every stage
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(held[workers[b].ID], held[workers[a].ID]) })
	order = order[:count]
	slices.Sort(order)
	chosen := make([]schedule.Worker, count)
	for i, w := range order {
		chosen[i] = workers[w]
	}
	return chosen
}

// deal gives units, the largest first, each to the worker that would be furthest below its due by threads. Pieces of one
// partition may meet in a task again; they are one piece there.
func deal(units []unit, workers []schedule.Worker) [][]unit {
	order := slices.Clone(units)
	slices.SortStableFunc(order, func(a, b unit) int { return cmp.Compare(b.bytes, a.bytes) })
	shares := make([][]unit, len(workers))
	load := make([]float64, len(workers))
	for _, u := range order {
		best, least := 0, 0.0
		for w := range workers {
			// A partition without bytes counts as one: empty ones spread too, should the sizes be unknown.
			after := (load[w] + float64(max(u.bytes, 1))) / float64(max(workers[w].Threads, 1))
			if w == 0 || after < least {
				best, least = w, after
			}
		}
		load[best] += float64(max(u.bytes, 1))
		shares[best] = append(shares[best], u)
	}
	return shares
}

// taskOf writes a task down that reads the units of its share.
func taskOf(p *distplan.Plan, s *distplan.Stage, worker ids.WorkerID, inputs []int, share []unit, divided int) schedule.Task {
	task := schedule.Whole(p, s, worker)
	var partitions []int
	var pieces []schedule.Piece
	slices.SortFunc(share, func(a, b unit) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), slices.Compare(a.producers, b.producers))
	})
	for _, u := range share {
		last := len(partitions) - 1
		if last < 0 || partitions[last] != u.partition {
			partitions = append(partitions, u.partition)
			if u.producers != nil {
				pieces = append(pieces, schedule.Piece{Partition: u.partition})
			}
		}
		if u.producers != nil {
			piece := &pieces[len(pieces)-1]
			piece.Producers = append(slices.Clip(piece.Producers), u.producers...)
			slices.Sort(piece.Producers)
		}
	}
	for _, i := range inputs {
		task.Partitions[i] = partitions
	}
	if len(pieces) > 0 {
		task.Pieces = make([][]schedule.Piece, len(s.Inputs))
		task.Pieces[divided] = pieces
	}
	return task
}

// largest is what the largest of some tasks reads.
func largest(p *distplan.Plan, s *distplan.Stage, tasks []schedule.Task, sizes Sizes) (most uint64) {
	for t := range tasks {
		var bytes uint64
		for _, i := range sharedOut(s) {
			for _, part := range tasks[t].Partitions[i] {
				producers := sizes[s.Inputs[i].From]
				for k := range producers {
					if tasks[t].Reads(i, part, ids.TaskIndex(k)) {
						bytes += producers[k].bytes(part)
					}
				}
			}
		}
		most = max(most, bytes)
	}
	return most
}

// size prints bytes for people.
func size(bytes uint64) string {
	switch {
	case bytes < 10<<10:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 10<<20:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}
