package adapt

import (
	"slices"

	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// divide makes pieces of the partitions that are far above the median, by the producers of the largest input that may be
// divided. It returns the units, the position of that input (-1: nothing was divided) and how many pieces there are.
//
// A piece costs another reading of the other inputs' partition, so a partition is divided only where its divided input is
// the larger part of it, and into no more pieces than bring it down to what a task should get.
func divide(s *distplan.Stage, inputs []int, units []unit, sizes Sizes, tasks int, limits Limits) ([]unit, int, int) {
	input := divisible(s, inputs, sizes)
	if input < 0 {
		return units, -1, 0
	}
	threshold := float64(median(units)) * limits.SkewFactor
	var total uint64
	for _, u := range units {
		total += u.bytes
	}
	due := max(total/uint64(tasks), 1)
	producers := sizes[s.Inputs[input].From]
	var out []unit
	pieces := 0
	for _, u := range units {
		var own uint64
		for k := range producers {
			own += producers[k].bytes(u.partition)
		}
		rest := u.bytes - own
		skewed := u.bytes >= max(limits.SkewBytesMin, 1) && float64(u.bytes) > threshold
		worth := own > rest && u.bytes > due || limits.Eager && own > 0
		if !skewed || !worth {
			out = append(out, u)
			continue
		}
		want := int(min(uint64(tasks), (own+due-1)/due))
		if limits.Eager {
			want = tasks
		}
		groups := byProducer(producers, u.partition, want)
		if len(groups) < 2 {
			out = append(out, u)
			continue
		}
		for _, g := range groups {
			g.bytes += rest
			out = append(out, g)
		}
		pieces += len(groups)
	}
	if pieces == 0 {
		return units, -1, 0
	}
	return out, input, pieces
}

// divisible picks the largest input that may be divided; -1 when none may.
func divisible(s *distplan.Stage, inputs []int, sizes Sizes) int {
	best, most := -1, uint64(0)
	may := distplan.Divisible(s)
	for _, i := range inputs {
		if bytes := sizes.Total(s.Inputs[i].From); may[i] && bytes > most {
			best, most = i, bytes
		}
	}
	return best
}

// byProducer puts the producers that have rows of a partition into at most so many groups of about equal bytes; the others
// stay with the first group, for all must be read by someone.
func byProducer(producers []Producer, partition, groups int) []unit {
	var with, without []ids.TaskIndex
	for k := range producers {
		if producers[k].bytes(partition) > 0 {
			with = append(with, ids.TaskIndex(k))
		} else {
			without = append(without, ids.TaskIndex(k))
		}
	}
	slices.SortStableFunc(with, func(a, b ids.TaskIndex) int {
		x, y := producers[a].bytes(partition), producers[b].bytes(partition)
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	units := make([]unit, min(groups, len(with)))
	if len(units) < 2 {
		return nil
	}
	for i := range units {
		units[i].partition = partition
	}
	for _, k := range with {
		least := 0
		for i := range units {
			if units[i].bytes < units[least].bytes {
				least = i
			}
		}
		units[least].producers = append(units[least].producers, k)
		units[least].bytes += producers[k].bytes(partition)
	}
	units[0].producers = append(units[0].producers, without...)
	return units
}

// median of the units that have bytes.
func median(units []unit) uint64 {
	var sizes []uint64
	for _, u := range units {
		if u.bytes > 0 {
			sizes = append(sizes, u.bytes)
		}
	}
	if len(sizes) == 0 {
		return 0
	}
	slices.Sort(sizes)
	return sizes[(len(sizes)-1)/2]
}

// divisions counts the partitions that are in pieces.
func divisions(units []unit) int {
	seen := map[int]bool{}
	for _, u := range units {
		if u.producers != nil {
			seen[u.partition] = true
		}
	}
	return len(seen)
}
